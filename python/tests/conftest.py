"""Fixtures: a store for each test, and persons with authenticators.

Every code comes from pyotp, an independent implementation (which refuses secrets of 16 characters). The window is ten
steps wide, so that a test can log in many times without waiting: each code is of a later step than the one before.
"""

import pathlib
import time
from typing import Any, Callable, Dict, Iterator

import pyotp
import pytest

import libtfa

ACCOUNTS = {
    "example": {"owner": "root", "domain": "example.com"},
    "reseller1": {"owner": "root", "domain": "reseller.example", "reseller": 1},
    "theirs": {"owner": "reseller1", "domain": "theirs.example"},
}


class Person:
    """A subject with an authenticator app that never shows the same code twice."""

    def __init__(self, name: str, secret: str) -> None:
        self.name = name
        self.secret = secret
        self._next = int(time.time()) - 8 * 30

    def code(self) -> str:
        shown = pyotp.TOTP(self.secret).at(self._next)
        self._next += 30
        return shown

    def wrong_code(self) -> str:
        """Six digits that are not the code of any step in the window."""
        now = int(time.time())
        right = {pyotp.TOTP(self.secret).at(now + 30 * step) for step in range(-15, 16)}
        return next(code for code in (f"{number:06}" for number in range(1000)) if code not in right)


Enrol = Callable[[libtfa.Tfa, str], Person]


@pytest.fixture
def config(tmp_path: pathlib.Path) -> Dict[str, Any]:
    return {
        "create": True,
        "store": f"sqlite:{tmp_path}/tfa/tfa.db",
        "key_file": f"{tmp_path}/tfa/tfa.key",
        "hostname": "server.example.com",
        "accounts": {"inline": ACCOUNTS},
        "secret_length": 32,
        "skew": 10,
    }


@pytest.fixture
def tfa(config: Dict[str, Any]) -> Iterator[libtfa.Tfa]:
    with libtfa.open(config) as opened:
        opened.whm.twofactorauth_enable_policy(caller="root")
        yield opened


@pytest.fixture
def enrol() -> Enrol:
    def enrol(tfa: libtfa.Tfa, name: str) -> Person:
        secret = tfa.uapi.generate_user_configuration(caller=name)["secret"]
        person = Person(name, secret)
        answer = tfa.uapi.set_user_configuration(caller=name, secret=secret, tfa_token=person.code())
        assert answer == {"tfa_configured": 1}
        return person

    return enrol
