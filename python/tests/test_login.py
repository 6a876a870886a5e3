"""`Tfa.login`: what is accepted and what is denied."""

import pathlib
from typing import Any, Dict

import pytest

import libtfa
from conftest import Enrol
from libtfa import Login


def test_a_valid_code_is_accepted_once(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    code = person.code()
    assert tfa.login("example", code) is Login.VERIFIED
    assert tfa.login("example", code) is Login.DENIED


def test_a_result_is_true_if_the_login_is_accepted() -> None:
    assert {result for result in Login if result} == {Login.VERIFIED, Login.NOT_REQUIRED}


def test_an_unknown_result_denies_the_login() -> None:
    assert Login(3) is Login.UNANSWERED and not Login(3)


def test_no_code_is_required_before_enrolment(tfa: libtfa.Tfa) -> None:
    assert tfa.login("example", "") is Login.NOT_REQUIRED
    assert tfa.login("example") is Login.NOT_REQUIRED


def test_a_login_without_a_code_returns_whether_one_is_required(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    for _ in range(20):
        assert not tfa.login("example"), "this is not a failed attempt"
    assert tfa.login("example", person.code())


def test_invalid_codes_lock_the_subject(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    person = enrol(tfa, "example")
    wrong = person.wrong_code()
    results = [tfa.login("example", wrong) for _ in range(6)]
    assert results[0] is Login.DENIED and results[-1] is Login.LOCKED
    assert tfa.login("example", person.code()) is Login.LOCKED
    tfa.whm.twofactorauth_unlock_user(caller="root", user="example")
    assert tfa.login("example", person.code()) is Login.VERIFIED


def test_a_recovery_code_is_accepted_once(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    enrol(tfa, "example")
    codes = tfa.uapi.generate_recovery_codes(caller="example")["recovery_codes"]
    assert len(codes) == 10
    assert tfa.login("example", codes[0]) is Login.VERIFIED
    assert tfa.login("example", codes[0]) is Login.DENIED


@pytest.mark.parametrize("typed", ["{}\0", "{}\0junk", "\0{}", "{}\ud800", "\udcff{}"], ids=ascii)
def test_a_valid_code_with_an_unreadable_character_is_invalid(tfa: libtfa.Tfa, enrol: Enrol, typed: str) -> None:
    person = enrol(tfa, "example")
    assert tfa.login("example", typed.format(person.code())) is Login.DENIED


@pytest.mark.parametrize("typed", ["", " ", "🦀", "12345６", "{}%s", "x" * 100_000], ids=lambda typed: str(len(typed)))
def test_other_text_is_denied(tfa: libtfa.Tfa, enrol: Enrol, typed: str) -> None:
    enrol(tfa, "example")
    assert not tfa.login("example", typed)


def test_an_unknown_subject_is_denied(tfa: libtfa.Tfa) -> None:
    assert tfa.login("nobody", "123456") is Login.UNANSWERED


def test_a_subject_that_c_cannot_read_is_refused(tfa: libtfa.Tfa) -> None:
    for subject in ("example\0", "example\ud800"):
        with pytest.raises(libtfa.Refused, match='"subject"'):
            tfa.login(subject, "123456")
    with pytest.raises(TypeError):
        tfa.login("example", 123456)  # type: ignore[arg-type]


def test_a_damaged_store_denies_every_login(tfa: libtfa.Tfa, enrol: Enrol, config: Dict[str, Any]) -> None:
    person = enrol(tfa, "example")
    tfa.close()
    database = pathlib.Path(config["store"].split(":", 1)[1])
    with libtfa.open(config) as reopened:
        for part in database.parent.glob(database.name + "*"):
            part.write_bytes(b"this is no database" * 1000)
        assert reopened.login("example", person.code()) is Login.UNANSWERED
        with pytest.raises(libtfa.Unavailable, match="is not available"):
            reopened.whm.twofactorauth_policy_status(caller="root")
