"""The audit callback: it receives every entry once, and cannot change a verdict."""

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
def received(tfa: libtfa.Tfa) -> List[Dict[str, Any]]:
    entries: List[Dict[str, Any]] = []
    tfa.set_audit(entries.append)
    return entries


def test_changes_and_verdicts_have_entries(tfa: libtfa.Tfa, enrol: Enrol, received: List[Dict[str, Any]]) -> None:
    person = enrol(tfa, "example")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", received[0].pop("time"))
    assert int(received[0].pop("id")) > 0
    assert received == [
        {"event": "enrolled", "subject": "example", "caller": "example", "function": "set_user_configuration"}
    ]
    received.clear()
    code = person.code()
    for _ in range(2):
        tfa.whm.twofactorauth_verify_login(caller="root", user="example", tfa_token=code, remote_addr="2001:db8::1")
    tfa.login("theirs", enrol(tfa, "theirs").wrong_code())
    assert [(entry["event"], entry["function"], entry.get("remote_addr")) for entry in received] == [
        ("verified", "twofactorauth_verify_login", "2001:db8::1"),
        ("replayed", "twofactorauth_verify_login", "2001:db8::1"),
        ("enrolled", "set_user_configuration", None),
        ("wrong", "tfa_login", None),
    ]
    values = {value for entry in received for value in entry.values()}
    assert not values & {code, person.secret}


def test_a_refused_request_has_no_entry(tfa: libtfa.Tfa, received: List[Dict[str, Any]]) -> None:
    with pytest.raises(libtfa.Refused):
        tfa.whm.twofactorauth_disable_policy(caller="example")
    assert received == []


def _exits(entry: Dict[str, Any]) -> None:
    sys.exit(3)


def _interrupts(entry: Dict[str, Any]) -> None:
    raise KeyboardInterrupt


def _fails(entry: Dict[str, Any]) -> None:
    raise OSError("the collector is not available")


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
    # Denied attempts on one subject have at most one entry a second, so the two have one or two.
    assert len(logged) in ([0] if trouble is dict.clear else [3, 4])
    assert all("the audit callback failed" in record.getMessage() for record in logged)
    assert ("the collector is not available" in caplog.text) == (trouble is _fails)


def test_a_callback_can_use_any_handle_and_be_replaced(tfa: libtfa.Tfa, config: Dict[str, Any]) -> None:
    inner: List[str] = []
    outer: List[str] = []

    def replaced(entry: Dict[str, Any]) -> None:
        outer.append(entry["event"])
        tfa.set_audit(lambda entry: inner.append(entry["event"]))
        gc.collect()
        tfa.whm.twofactorauth_disable_policy(caller="root")

    tfa.set_audit(replaced)
    tfa.whm.twofactorauth_enable_policy(caller="root")
    assert (outer, inner) == (["policy_enabled"], ["policy_disabled"])


def test_a_callback_that_closes_its_handle(tfa: libtfa.Tfa) -> None:
    tfa.set_audit(lambda entry: tfa.close())
    assert tfa.whm.twofactorauth_disable_policy(caller="root") is None
    with pytest.raises(libtfa.Unavailable, match="closed"):
        tfa.set_audit(print)


def test_a_callback_lives_as_long_as_its_handle(config: Dict[str, Any]) -> None:
    class Collector:
        def __init__(self) -> None:
            self.entries: List[Dict[str, Any]] = []

        def receive(self, entry: Dict[str, Any]) -> None:
            self.entries.append(entry)

    collector = Collector()
    known = weakref.ref(collector)
    tfa = libtfa.open(config)
    tfa.set_audit(collector.receive)
    del collector
    gc.collect()
    tfa.whm.twofactorauth_enable_policy(caller="root")
    kept = known()
    assert kept is not None and len(kept.entries) == 1
    del kept
    tfa.close()
    gc.collect()
    assert known() is None


def test_each_thread_receives_its_own_entries(tfa: libtfa.Tfa) -> None:
    received: List[int] = []
    tfa.set_audit(lambda entry: received.append(threading.get_ident()))

    def work() -> None:
        for number in range(25):
            tfa.whm.twofactorauth_set_issuer(caller="root", issuer=f"{threading.get_ident()} {number}")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    identities = {thread.ident for thread in threads}
    for thread in threads:
        thread.join(60)
    assert len(received) == 100 and set(received) == identities


def test_a_child_receives_its_own_entries(tfa: libtfa.Tfa, received: List[Dict[str, Any]]) -> None:
    child = os.fork()
    if child == 0:
        tfa.whm.twofactorauth_disable_policy(caller="root")
        os._exit(0 if [entry["event"] for entry in received] == ["policy_disabled"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert received == []
    tfa.whm.twofactorauth_enable_policy(caller="root")
    assert [entry["event"] for entry in received] == ["policy_enabled"]


def test_a_process_ends_normally_with_a_callback(config: Dict[str, Any]) -> None:
    """Handle, callback and program refer to each other, and the handle is not closed."""
    script = """
import json, sys, libtfa
tfa = libtfa.open(json.loads(sys.argv[1]))
tfa.set_audit(lambda entry: print(entry["event"], tfa is not None))
tfa.whm.twofactorauth_enable_policy(caller="root")
"""
    run = subprocess.run([sys.executable, "-c", script, json.dumps(config)], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "policy_enabled True\n", "")
