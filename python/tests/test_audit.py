"""The audit trail as a Python callback: told of every line, once, and without a say in the matter."""

import gc
import json
import os
import re
import subprocess
import sys
import threading
import weakref
from typing import Any, Callable, Dict, List

import pytest

import libtfa
from conftest import Enrol
from libtfa import Login


@pytest.fixture
def heard(tfa: libtfa.Tfa) -> List[Dict[str, str]]:
    lines: List[Dict[str, str]] = []
    tfa.set_audit(lines.append)
    return lines


def test_changes_and_verdicts_are_told(tfa: libtfa.Tfa, enrol: Enrol, heard: List[Dict[str, str]]) -> None:
    person = enrol(tfa, "example")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heard[0].pop("time"))
    assert heard == [
        {"event": "enrolled", "subject": "example", "caller": "example", "function": "set_user_configuration"}
    ]
    heard.clear()
    code = person.code()
    for _ in range(2):
        tfa.whm.twofactorauth_verify_login(caller="root", user="example", tfa_token=code, remote_addr="2001:db8::1")
    tfa.login("example", person.wrong_code())
    assert [(line["event"], line["function"], line.get("remote_addr")) for line in heard] == [
        ("verified", "twofactorauth_verify_login", "2001:db8::1"),
        ("replayed", "twofactorauth_verify_login", "2001:db8::1"),
        ("wrong", "tfa_login", None),
    ]
    told = {value for line in heard for value in line.values()}
    assert not told & {code, person.secret}


def test_what_was_refused_has_no_line(tfa: libtfa.Tfa, heard: List[Dict[str, str]]) -> None:
    with pytest.raises(libtfa.Refused):
        tfa.whm.twofactorauth_disable_policy(caller="example")
    assert heard == []


def _exits(line: Dict[str, str]) -> None:
    sys.exit(3)


def _interrupts(line: Dict[str, str]) -> None:
    raise KeyboardInterrupt


def _fails(line: Dict[str, str]) -> None:
    raise OSError("the collector is away")


@pytest.mark.parametrize("trouble", [_fails, _exits, _interrupts, dict.clear, lambda: None])
def test_a_callback_that_fails_changes_no_verdict_and_is_logged(
    tfa: libtfa.Tfa, enrol: Enrol, caplog: pytest.LogCaptureFixture, trouble: Callable[..., Any]
) -> None:
    tfa.set_audit(trouble)
    person = enrol(tfa, "example")
    code = person.code()
    assert [tfa.login("example", typed) for typed in (code, code, "x")] == [
        Login.VERIFIED,
        Login.DENIED,
        Login.DENIED,
    ]
    logged = [record for record in caplog.records if record.name == "libtfa"]
    assert len(logged) == (0 if trouble is dict.clear else 4)
    assert all("the audit callback failed" in record.getMessage() for record in logged)
    assert ("the collector is away" in caplog.text) == (trouble is _fails)


def test_a_callback_may_use_any_handle_and_be_replaced(tfa: libtfa.Tfa, config: Dict[str, Any]) -> None:
    inner: List[str] = []
    outer: List[str] = []

    def replaced(line: Dict[str, str]) -> None:
        outer.append(line["event"])
        tfa.set_audit(lambda line: inner.append(line["event"]))
        gc.collect()
        tfa.whm.twofactorauth_disable_policy(caller="root")

    tfa.set_audit(replaced)
    tfa.whm.twofactorauth_enable_policy(caller="root")
    assert (outer, inner) == (["policy_enabled"], ["policy_disabled"])


def test_a_callback_that_closes_its_handle(tfa: libtfa.Tfa) -> None:
    tfa.set_audit(lambda line: tfa.close())
    assert tfa.whm.twofactorauth_disable_policy(caller="root") is None
    with pytest.raises(libtfa.Unavailable, match="closed"):
        tfa.set_audit(print)


def test_a_callback_lives_as_long_as_its_handle(config: Dict[str, Any]) -> None:
    class Ear:
        def __init__(self) -> None:
            self.lines: List[Dict[str, str]] = []

        def hear(self, line: Dict[str, str]) -> None:
            self.lines.append(line)

    ear = Ear()
    known = weakref.ref(ear)
    tfa = libtfa.open(config)
    tfa.set_audit(ear.hear)
    del ear
    gc.collect()
    tfa.whm.twofactorauth_enable_policy(caller="root")
    kept = known()
    assert kept is not None and len(kept.lines) == 1
    del kept
    tfa.close()
    gc.collect()
    assert known() is None


def test_threads_are_told_each_of_its_own(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    enrol(tfa, "example")
    heard: List[int] = []
    tfa.set_audit(lambda line: heard.append(threading.get_ident()))

    def work() -> None:
        for _ in range(25):
            tfa.login("example", "x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    identities = {thread.ident for thread in threads}
    for thread in threads:
        thread.join(60)
    assert len(heard) == 100 and set(heard) == identities


def test_a_child_is_told_of_what_it_writes(tfa: libtfa.Tfa, heard: List[Dict[str, str]]) -> None:
    child = os.fork()
    if child == 0:
        tfa.whm.twofactorauth_disable_policy(caller="root")
        os._exit(0 if [line["event"] for line in heard] == ["policy_disabled"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert heard == []
    tfa.whm.twofactorauth_enable_policy(caller="root")
    assert [line["event"] for line in heard] == ["policy_enabled"]


def test_a_process_ends_in_peace_with_a_callback(config: Dict[str, Any]) -> None:
    """Handle, callback and program know each other, and nobody closes anything."""
    script = """
import json, sys, libtfa
tfa = libtfa.open(json.loads(sys.argv[1]))
tfa.set_audit(lambda line: print(line["event"], tfa is not None))
tfa.whm.twofactorauth_enable_policy(caller="root")
"""
    run = subprocess.run([sys.executable, "-c", script, json.dumps(config)], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "policy_enabled True\n", "")
