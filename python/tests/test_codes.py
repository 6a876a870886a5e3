"""The stateless functions against published vectors and pyotp."""

import datetime
import hashlib
import pathlib
import random
import subprocess
from typing import Any, Callable

import pyotp
import pytest

import libtfa

SEED = b"12345678901234567890"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def _peer(secret: str, algorithm: str, digits: int, period: int) -> pyotp.TOTP:
    return pyotp.TOTP(secret, digits=digits, digest=DIGESTS[algorithm], interval=period)


def test_rfc_4226_appendix_d() -> None:
    codes = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()
    assert [libtfa.hotp(SEED, counter) for counter in range(10)] == codes


@pytest.mark.parametrize(
    "at, sha1, sha256, sha512",
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_rfc_6238_appendix_b(at: int, sha1: str, sha256: str, sha512: str) -> None:
    assert libtfa.totp(SEED, at=at, digits=8) == sha1
    assert libtfa.totp((SEED * 2)[:32], at=at, digits=8, algorithm="SHA256") == sha256
    assert libtfa.totp((SEED * 4)[:64], at=at, digits=8, algorithm="SHA512") == sha512


def test_ten_thousand_random_codes_equal_those_of_pyotp() -> None:
    chance = random.Random(4226)
    for _ in range(10_000):
        secret = pyotp.random_base32(chance.choice([32, 40, 64, 128])) if chance.random() < 0.1 else SECRET
        algorithm, digits = chance.choice(list(DIGESTS)), chance.randint(6, 10)
        period, at = chance.choice([15, 30, 60]), chance.randrange(2**33)
        ours = libtfa.totp(secret, at=at, digits=digits, period=period, algorithm=algorithm)
        assert ours == _peer(secret, algorithm, digits, period).at(at)


def test_now_is_the_default_time() -> None:
    before = pyotp.TOTP(SECRET).now()
    ours = libtfa.totp(SECRET)
    assert ours in {before, pyotp.TOTP(SECRET).now()}


def test_the_window_equals_that_of_pyotp() -> None:
    at = 1_700_000_000
    for skew in (0, 1, 2, 10):
        for away in range(-12, 13):
            code = pyotp.TOTP(SECRET).at(at + 30 * away)
            theirs = pyotp.TOTP(SECRET).verify(code, for_time=datetime.datetime.fromtimestamp(at), valid_window=skew)
            assert libtfa.verify(SECRET, code, at=at, skew=skew) is theirs is (abs(away) <= skew)


def test_verify_step_returns_the_step() -> None:
    assert libtfa.verify_step(SECRET, pyotp.TOTP(SECRET).at(59), at=59) == 1
    assert libtfa.verify_step(SECRET, pyotp.TOTP(SECRET).at(0), at=59) == 0
    assert libtfa.verify_step(SECRET, "000000", at=59) is None


def test_all_parameters_reach_verify() -> None:
    chance = random.Random(6238)
    for algorithm in DIGESTS:
        for digits in (6, 8, 10):
            for period in (15, 60, 120):
                at = chance.randrange(2**32)
                code = _peer(SECRET, algorithm, digits, period).at(at)
                assert libtfa.verify(SECRET, code, at=at, digits=digits, period=period, algorithm=algorithm, skew=0)


@pytest.mark.parametrize("typed", ["", "x", "{}\0", "\0{}", "{}\0000", "{}\ud800", "{}1", "{}" * 1000])
def test_other_text_is_invalid(typed: str) -> None:
    assert libtfa.verify(SECRET, typed.replace("{}", libtfa.totp(SECRET, at=59)), at=59) is False


def test_spaces_in_a_code_are_ignored() -> None:
    code = libtfa.totp(SECRET, at=59)
    assert libtfa.verify(SECRET, f" {code[:3]} {code[3:]} ", at=59)


def test_case_spaces_dashes_and_padding_of_base32_are_ignored() -> None:
    for typed in ("mzxw6ytb", "MZXW 6YTB", "mzxw-6ytb"):
        assert libtfa.base32_decode(typed) == b"fooba"
    assert libtfa.base32_decode("MZXW6YTBOI======") == b"foobar"
    assert libtfa.totp(SECRET.lower(), at=59) == libtfa.totp(SEED, at=59)


@pytest.mark.parametrize(
    "call, name",
    [
        (lambda: libtfa.totp("not base32!"), "secret"),
        (lambda: libtfa.totp("GEZDGNBVGY3TQOJQ\0"), "secret"),
        (lambda: libtfa.totp("A" * 100_000), "secret"),
        (lambda: libtfa.verify("", "123456"), "secret"),
        (lambda: libtfa.verify(" =", "123456"), "secret"),
        (lambda: libtfa.verify(b"", "123456"), "secret_hex"),
        (lambda: libtfa.totp(SECRET, digits=0), "digits"),
        (lambda: libtfa.totp(SECRET, digits=2**32 + 6), "digits"),
        (lambda: libtfa.totp(SECRET, digits=-(2**32) + 6), "digits"),
        (lambda: libtfa.totp(SECRET, period=0), "period"),
        (lambda: libtfa.totp(SECRET, period=2**32 + 30), "period"),
        (lambda: libtfa.totp(SECRET, at=-1), "at"),
        (lambda: libtfa.totp(SECRET, at=2**64), "at"),
        (lambda: libtfa.totp(SECRET, algorithm="MD5"), "algorithm"),
        (lambda: libtfa.hotp(SECRET, -1), "counter"),
        (lambda: libtfa.hotp(SECRET, 2**64), "counter"),
        (lambda: libtfa.verify(SECRET, "123456", skew=1001), "skew"),
        (lambda: libtfa.verify(SECRET, "123456", skew=-1), "skew"),
        (lambda: libtfa.verify(SECRET, "123456", digits=11), "digits"),
        (lambda: libtfa.otpauth("not base32!", "example"), "secret"),
    ],
)
def test_an_invalid_value_is_named(call: Callable[[], Any], name: str) -> None:
    with pytest.raises(libtfa.Refused, match=f'"{name}"') as refused:
        call()
    assert "not base32" not in refused.value.reason and "GEZD" not in refused.value.reason


def test_a_secret_of_another_length_is_refused() -> None:
    for length in (0, 15, 20, 136):
        with pytest.raises(libtfa.Refused, match="16 to 128 characters"):
            libtfa.secret(length)


def test_secrets_are_random_and_have_the_requested_length() -> None:
    assert len(libtfa.secret()) == 32
    assert [len(libtfa.secret(length)) for length in (16, 32, 128)] == [16, 32, 128]
    assert len({libtfa.secret(16) for _ in range(1000)}) == 1000
    assert pyotp.TOTP(libtfa.secret()).now()


def test_pyotp_parses_the_uri() -> None:
    uri = libtfa.otpauth(
        SECRET, "user@example.com", issuer="Example Hosting & Co: ☃", algorithm="SHA256", digits=8, period=60
    )
    theirs = pyotp.parse_uri(uri)
    assert isinstance(theirs, pyotp.TOTP)
    assert (theirs.secret, theirs.digits, theirs.interval, theirs.name, theirs.issuer) == (
        SECRET,
        8,
        60,
        "user@example.com",
        "Example Hosting & Co: ☃",
    )


def test_the_uri_is_that_of_the_contract() -> None:
    assert (
        libtfa.otpauth("CAOXW75HKYJJ6E5Y", "root", issuer="Example Hosting")
        == "otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting"
    )


def test_uris_of_pyotp_are_parsed() -> None:
    theirs = pyotp.TOTP(SECRET, digits=8, name="alice", issuer="Big Co").provisioning_uri()
    read = libtfa.otpauth_parse(theirs)
    assert (read["type"], read["secret"], read["account"], read["issuer"]) == ("totp", SECRET, "alice", "Big Co")
    assert (read["algorithm"], read["digits"], read["period"]) == ("SHA1", 8, 30)
    theirs = pyotp.HOTP(SECRET, name="alice", initial_count=7).provisioning_uri()
    read = libtfa.otpauth_parse(theirs)
    assert (read["type"], read["counter"]) == ("hotp", 7)


def test_another_uri_is_refused() -> None:
    with pytest.raises(libtfa.Refused):
        libtfa.otpauth_parse("https://example.com/")


def test_a_qr_code_reader_reads_the_picture(tmp_path: pathlib.Path) -> None:
    uri = libtfa.otpauth(SECRET, "example", issuer="Example")
    picture = tmp_path / "qr.png"
    picture.write_bytes(libtfa.qr(uri, format="png"))
    read = subprocess.run(
        ["zbarimg", "--nodbus", "--quiet", "--raw", picture], check=True, capture_output=True, text=True
    )
    assert read.stdout.strip() == uri
    assert libtfa.qr(uri).startswith(("<svg", "<?xml"))
    assert libtfa.qr(uri, format="terminal").count("\n") > 10
