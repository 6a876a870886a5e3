"""Opening, closing, threads, fork, memory, and the lookup of accounts."""

import concurrent.futures
import gc
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import threading
import warnings
from typing import Any, Dict, List

import pytest

import libtfa
from conftest import Enrol, Person
from libtfa import Login


def test_keywords_are_configuration_keys(config: Dict[str, Any]) -> None:
    config["hostname"] = "other.example.com"
    with libtfa.open(**config) as tfa:
        assert tfa.whm.twofactorauth_get_issuer(caller="root")["issuer"] == "other.example.com"


def test_without_keys_the_configuration_of_the_server_is_used(
    config: Dict[str, Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tfa: libtfa.Tfa, enrol: Enrol
) -> None:
    enrol(tfa, "example")
    (tmp_path / "tfa.json").write_text(json.dumps(config))
    monkeypatch.setenv("TFA_CONFIG", str(tmp_path / "tfa.json"))
    for keys in ({}, {"hostname": "other.example.com"}):
        with libtfa.open(**keys) as opened:
            issuer = opened.whm.twofactorauth_get_issuer(caller="root")["issuer"]
            assert issuer == {**config, **keys}["hostname"], "a key overrides the file"
            assert opened.uapi.get_user_configuration(caller="example")["is_enabled"] == 1, "the store is the file's"
    monkeypatch.setenv("TFA_CONFIG", str(tmp_path / "missing.json"))
    with pytest.raises(libtfa.ConfigError, match="missing.json"):
        libtfa.open()


@pytest.mark.parametrize("wrong", [{"no_such_key": 1}, {"skew": "wide"}, {"store": "nonsense:x"}])
def test_an_invalid_configuration_is_described(config: Dict[str, Any], wrong: Dict[str, Any]) -> None:
    with pytest.raises(libtfa.ConfigError) as error:
        libtfa.open({**config, **wrong})
    assert next(iter(wrong)) in error.value.reason or "store" in error.value.reason


def test_a_directory_that_cannot_be_made_is_a_config_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(libtfa.ConfigError):
        libtfa.open(create=True, store=f"sqlite:{tmp_path}/file/tfa.db", key_file=f"{tmp_path}/file/tfa.key")


def test_the_exceptions_are_one_tree() -> None:
    for kind in (libtfa.Refused, libtfa.Unavailable, libtfa.ConfigError):
        assert issubclass(kind, libtfa.TfaError)


def test_a_closed_handle_says_so(tfa: libtfa.Tfa) -> None:
    tfa.close()
    tfa.close()
    for call in (lambda: tfa.login("example", "1"), lambda: tfa.whm.twofactorauth_policy_status(caller="root")):
        with pytest.raises(libtfa.Unavailable, match="closed"):
            call()


def test_threads_share_a_handle(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    """Eight threads try the same codes: each code is accepted at most once."""
    person = enrol(tfa, "example")
    codes = [person.code() for _ in range(10)]
    start = threading.Barrier(8)

    def work() -> int:
        start.wait()
        return sum(tfa.login("example", code) is Login.VERIFIED for code in codes)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        counts = [future.result() for future in [pool.submit(work) for _ in range(8)]]
    # A thread that is ahead uses up the earlier steps of the others, so some codes are not accepted at all.
    assert 1 <= sum(counts) <= len(codes)
    status = tfa.whm.twofactorauth_login_status(caller="root", user="example")
    assert status["failures"] == 0, "a replayed code is not counted"


def test_the_interpreter_lock_is_released(tfa: libtfa.Tfa) -> None:
    """While the lookup of one thread waits inside a call, another thread runs Python and makes calls."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(question: str, name: str) -> Any:
        inside.set()
        assert go_on.wait(20)
        return None

    tfa.set_lookup(slow)
    caller = threading.Thread(target=tfa.login, args=("example", "123456"))
    caller.start()
    assert inside.wait(20)
    assert libtfa.hotp(b"12345678901234567890", 0) == "755224"
    go_on.set()
    caller.join(20)
    assert not caller.is_alive()


def test_closing_during_a_call(config: Dict[str, Any]) -> None:
    tfa = libtfa.open(config)
    inside, go_on = threading.Event(), threading.Event()

    def slow(question: str, name: str) -> Any:
        inside.set()
        go_on.wait(20)
        return None

    tfa.set_lookup(slow)
    results: List[Login] = []
    caller = threading.Thread(target=lambda: results.append(tfa.login("example", "123456")))
    caller.start()
    assert inside.wait(20)
    tfa.close()
    gc.collect()
    go_on.set()
    caller.join(20)
    assert results == [Login.UNANSWERED]


def _child(tfa: libtfa.Tfa, name: str, results: "multiprocessing.SimpleQueue[Any]") -> None:
    secret = tfa.uapi.generate_user_configuration(caller=name)["secret"]
    person = Person(name, secret)
    tfa.uapi.set_user_configuration(caller=name, secret=secret, tfa_token=person.code())
    results.put((name, secret, bool(tfa.login(name, person.code())), bool(tfa.login(name, person.wrong_code()))))


def test_fork(config: Dict[str, Any]) -> None:
    """One handle, opened and used before the fork, serves the parent and eight children."""
    names = [f"child{number}" for number in range(8)]
    config["accounts"] = {"inline": {name: {"owner": "root"} for name in names}}
    context = multiprocessing.get_context("fork")
    with libtfa.open(config) as tfa:
        tfa.whm.twofactorauth_enable_policy(caller="root")
        results = context.SimpleQueue()
        children = [context.Process(target=_child, args=(tfa, name, results)) for name in names]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0] * 8
        answers = [results.get() for _ in children]
        assert all(right and not wrong for _, _, right, wrong in answers)
        assert len({secret for _, secret, _, _ in answers}) == 8, "no two children generate the same secret"
        listed = tfa.whm.twofactorauth_get_user_configs(caller="root")
        assert all(listed[name]["is_enabled"] == 1 for name in names)


def test_fork_while_threads_are_inside_calls(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    """The child of a process whose threads are in calls is not blocked, and neither is its parent."""
    person = enrol(tfa, "example")
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            tfa.login("example")
            tfa.whm.twofactorauth_get_user_configs(caller="root")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(work) for _ in range(4)]
        for _ in range(5):
            code = person.code()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork with threads.
                child = os.fork()
            if child == 0:
                os._exit(0 if tfa.login("example", code) is Login.VERIFIED else 1)
            assert os.waitpid(child, 0)[1] == 0
            assert tfa.login("example", code) is Login.DENIED, "the code is used in the parent too"
        stop.set()
        for thread in busy:
            thread.result(20)


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_no_leak_over_100_000_calls(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    secret = person.secret

    def calls(count: int) -> None:
        for _ in range(count):
            tfa.whm.twofactorauth_policy_status(caller="root")
            tfa.login("example")
            libtfa.totp(secret)
            libtfa.verify(secret, "000000")
            with pytest.raises(libtfa.Refused):
                libtfa.totp("!")

    calls(2_000)
    gc.collect()
    before = _resident()
    calls(20_000)
    gc.collect()
    assert _resident() - before < 2_000_000, "100,000 calls that leak 20 bytes each would show"


def test_no_leak_over_many_handles(config: Dict[str, Any]) -> None:
    def handles(count: int) -> None:
        for _ in range(count):
            with libtfa.open(config) as tfa:
                tfa.set_lookup(lambda question, name: None)
                tfa.set_audit(lambda line: None)
                tfa.login("example", "1")

    handles(20)
    files, before = len(os.listdir("/proc/self/fd")), _resident()
    handles(300)
    assert len(os.listdir("/proc/self/fd")) == files
    assert _resident() - before < 3_000_000


def test_a_lookup_replaces_the_directory(tfa: libtfa.Tfa) -> None:
    asked: List[str] = []

    def lookup(question: str, name: str) -> Any:
        asked.append(question)
        accounts = {"müller": {"owner": "root", "domain": "müller.example"}, "known": {}}
        return accounts.get(name) if question == "account" else list(accounts) if question == "accounts" else None

    tfa.set_lookup(lookup)
    assert tfa.login("known", "1") is Login.NOT_REQUIRED
    assert tfa.login("example", "1") is Login.UNANSWERED
    listed = tfa.whm.twofactorauth_get_user_configs(caller="root")
    assert set(listed) == {"root", "müller", "known"} and listed["müller"]["primary_domain"] == "müller.example"
    assert set(asked) >= {"account", "accounts"}


def test_a_lookup_can_be_replaced_and_can_use_another_handle(tfa: libtfa.Tfa, config: Dict[str, Any]) -> None:
    with libtfa.open({**config, "store": config["store"] + "2", "key_file": config["key_file"] + "2"}) as other:
        tfa.set_lookup(lambda question, name: None)
        assert tfa.login("example", "1") is Login.UNANSWERED

        def lookup(question: str, name: str) -> Any:
            status = other.whm.twofactorauth_policy_status(caller="root")
            return status and {} if question == "account" else None

        tfa.set_lookup(lookup)
        assert tfa.login("example", "1") is Login.NOT_REQUIRED


def test_a_lookup_that_fails_denies_the_login_and_is_logged(tfa: libtfa.Tfa, caplog: pytest.LogCaptureFixture) -> None:
    def broken(question: str, name: str) -> Any:
        raise OSError("the directory is not available")

    tfa.set_lookup(broken)
    assert tfa.login("example", "123456") is Login.UNANSWERED
    assert "the directory is not available" in caplog.text


def test_the_library_is_found_where_the_environment_says(tmp_path: pathlib.Path) -> None:
    script = "import libtfa; print(libtfa.totp('GEZDGNBVGY3TQOJQ', at=0))"
    environment = {**os.environ, "TFA_LIBRARY": str(tmp_path / "missing.so")}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert run.returncode == 1 and "ImportError" in run.stderr and "missing.so" in run.stderr
    assert "TFA_LIBRARY" in run.stderr


def test_a_library_of_another_abi_fails_the_import(tmp_path: pathlib.Path) -> None:
    (tmp_path / "other.c").write_text("unsigned tfa_abi_version(void) { return 99; }\n")
    (tmp_path / "none.c").write_text("int unrelated;\n")
    for name, words in (("other", "ABI 99"), ("none", "is not libtfa")):
        built = tmp_path / f"{name}.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", built, tmp_path / f"{name}.c"], check=True)
        run = subprocess.run(
            [sys.executable, "-c", "import libtfa"],
            env={**os.environ, "TFA_LIBRARY": str(built)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 1 and "ImportError" in run.stderr and words in run.stderr


def test_an_older_library_is_loaded_and_what_it_lacks_is_an_error_at_the_call(tmp_path: pathlib.Path) -> None:
    from libtfa._library import ABI_VERSION

    (tmp_path / "older.c").write_text(
        f"unsigned tfa_abi_version(void) {{ return {ABI_VERSION}; }}\n"
        'const char *tfa_version(void) { return "0.0.1"; }\n'
        "void tfa_close(void *tfa) { (void) tfa; }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "older.so", tmp_path / "older.c"], check=True)
    script = """
import libtfa
for call in (libtfa.open, libtfa.functions, lambda: libtfa.totp(b"x"), lambda: libtfa.verify("GEZDGNBV", "1")):
    try:
        print(call())
    except libtfa.Unavailable as error:
        print(error.reason)
"""
    environment = {**os.environ, "TFA_LIBRARY": str(tmp_path / "older.so")}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lacking = ["tfa_open", "tfa_functions", "tfa_code", "tfa_verify_totp_base32"]
    wanted = [f"This libtfa has no {name}: it is older than this package. Install a newer one." for name in lacking]
    assert run.stdout.splitlines() == wanted


@pytest.mark.parametrize("is_made_first", [True, False])
def test_a_destructor_can_run_after_that_of_the_handle(config: Dict[str, Any], is_made_first: bool) -> None:
    """When a cycle is collected, the handle can be finalised before an object that uses it."""
    found: List[object] = []

    class Late:
        tfa: Any = None

        def __del__(self) -> None:
            try:
                found.append(self.tfa.login("example"))
            except libtfa.Unavailable as error:
                found.append(error.reason)

    late = Late() if is_made_first else None
    tfa = libtfa.open(config)
    late = late or Late()
    late.tfa = tfa
    tfa.set_lookup(lambda question, name, late=late: None)  # type: ignore[misc]
    del tfa, late
    gc.collect()
    assert found in ([Login.UNANSWERED], ["This libtfa handle is closed: open another."])
