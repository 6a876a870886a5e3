"""`Tfa.login`: what lets in, what keeps out, what a person may type."""

import pathlib
from typing import Any, Dict

import pytest

import libtfa
from conftest import Enrol
from libtfa import Login


def test_a_right_code_lets_in_once(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    code = person.code()
    assert tfa.login("example", code) is Login.VERIFIED
    assert tfa.login("example", code) is Login.DENIED


def test_the_result_is_true_only_when_it_lets_in() -> None:
    assert {result for result in Login if result} == {Login.VERIFIED, Login.NOT_REQUIRED}


def test_an_answer_of_the_future_keeps_out() -> None:
    assert Login(3) is Login.UNANSWERED and not Login(3)


def test_whoever_has_no_two_factor_authentication_is_let_in_on_the_password(tfa: libtfa.Tfa) -> None:
    assert tfa.login("example", "") is Login.NOT_REQUIRED
    assert tfa.login("example") is Login.NOT_REQUIRED


def test_asking_whether_a_code_is_required(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    for _ in range(20):
        assert not tfa.login("example"), "asking is no failed attempt"
    assert tfa.login("example", person.code())


def test_guessing_locks(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    wrong = person.wrong_code()
    results = [tfa.login("example", wrong) for _ in range(6)]
    assert results[0] is Login.DENIED and results[-1] is Login.LOCKED
    assert tfa.login("example", person.code()) is Login.LOCKED
    tfa.whm.twofactorauth_unlock_user(caller="root", user="example")
    assert tfa.login("example", person.code()) is Login.VERIFIED


def test_a_recovery_code_lets_in_once(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    enrol(tfa, "example")
    codes = tfa.uapi.generate_recovery_codes(caller="example")["recovery_codes"]
    assert len(codes) == 10
    assert tfa.login("example", codes[0]) is Login.VERIFIED
    assert tfa.login("example", codes[0]) is Login.DENIED


@pytest.mark.parametrize("typed", ["{}\0", "{}\0junk", "\0{}", "{}\ud800", "\udcff{}"], ids=ascii)
def test_a_right_code_with_something_unreadable_in_it_is_wrong(tfa: libtfa.Tfa, enrol: Enrol, typed: str) -> None:
    person = enrol(tfa, "example")
    assert tfa.login("example", typed.format(person.code())) is Login.DENIED
    assert tfa.whm.twofactorauth_login_status(caller="root", user="example")["failures"] == 1


@pytest.mark.parametrize("typed", ["", " ", "🦀", "12345６", "{}%s", "x" * 100_000], ids=lambda typed: str(len(typed)))
def test_nonsense_is_kept_out(tfa: libtfa.Tfa, enrol: Enrol, typed: str) -> None:
    enrol(tfa, "example")
    assert not tfa.login("example", typed)


def test_an_unknown_subject_is_kept_out(tfa: libtfa.Tfa) -> None:
    assert tfa.login("nobody", "123456") is Login.UNANSWERED


def test_a_subject_that_c_cannot_read_is_refused_not_cut_short(tfa: libtfa.Tfa) -> None:
    for subject in ("example\0", "example\ud800"):
        with pytest.raises(libtfa.Refused, match='"subject"'):
            tfa.login(subject, "123456")
    with pytest.raises(TypeError):
        tfa.login("example", 123456)  # type: ignore[arg-type]


def test_a_store_that_is_away_keeps_everybody_out(tfa: libtfa.Tfa, enrol: Enrol, config: Dict[str, Any]) -> None:
    person = enrol(tfa, "example")
    tfa.close()
    database = pathlib.Path(config["store"].split(":", 1)[1])
    with libtfa.open(config) as reopened:
        for part in database.parent.glob(database.name + "*"):
            part.write_bytes(b"this is no database" * 1000)
        assert reopened.login("example", person.code()) is Login.UNANSWERED
        with pytest.raises(libtfa.Unavailable, match="is not available"):
            reopened.whm.twofactorauth_policy_status(caller="root")
