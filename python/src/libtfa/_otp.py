"""Secrets, one-time codes, otpauth URIs and QR codes: no handle, no store.

Promises: a secret may be Base32 text (str) or raw bytes; numbers are checked before they reach C,
where they would wrap; a code is a string that keeps its leading zeros. A value that is not valid
raises Refused, which names the parameter. Sources: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648
(Base32), the Key URI format.
"""

import base64
import ctypes
import time
from typing import Any, Dict, Literal, Optional, Union, overload

from ._errors import Refused
from ._library import answer, json_text, library, text, typed

#: Base32 text, or the raw bytes of the key.
Secret = Union[str, bytes]

_ALGORITHMS = {"SHA1": 1, "SHA256": 256, "SHA512": 512}

_MOST_BYTES = 1024
_U32 = 2**32 - 1
_U64 = 2**64 - 1


def secret(length: int = 32) -> str:
    """A fresh random secret of `length` Base32 characters, 16 to 128."""
    return str(_asked(library.tfa_secret, {"length": length})["secret"])


def base32_decode(encoded: str) -> bytes:
    """The bytes of Base32 text; case, spaces, dashes and padding are forgiven."""
    raw = text("secret", encoded)
    room = (ctypes.c_uint8 * _MOST_BYTES)()
    length = library.tfa_base32_decode(raw, room, _MOST_BYTES)
    if length < 0:
        raise Refused('The parameter "secret" is not a Base32 string of a usable length.')
    try:
        return bytes(room[:length])
    finally:
        ctypes.memset(room, 0, _MOST_BYTES)


def hotp(secret: Secret, counter: int, *, digits: int = 6, algorithm: str = "SHA1") -> str:
    """The HOTP code of a counter (RFC 4226)."""
    key = _key(secret)
    return _code(
        library.tfa_hotp(key, len(key), _algorithm(algorithm), _digits(digits), _number("counter", counter, 0, _U64)),
        digits,
    )


def totp(
    secret: Secret, *, at: Optional[float] = None, digits: int = 6, period: int = 30, algorithm: str = "SHA1"
) -> str:
    """The TOTP code (RFC 6238) at the Unix time `at`, now if it is left out."""
    key = _key(secret)
    return _code(
        library.tfa_totp(key, len(key), _algorithm(algorithm), _digits(digits), _period(period), _time(at)),
        digits,
    )


def verify(
    secret: Secret,
    code: str,
    *,
    at: Optional[float] = None,
    digits: int = 6,
    period: int = 30,
    algorithm: str = "SHA1",
    skew: int = 1,
) -> bool:
    """Whether `code` is right at `at`, or up to `skew` steps (0 to 10) before or after.

    Nothing is remembered: use `verify_step` and refuse a step that was used, or `Tfa.login`, which does.
    """
    return verify_step(secret, code, at=at, digits=digits, period=period, algorithm=algorithm, skew=skew) is not None


def verify_step(
    secret: Secret,
    code: str,
    *,
    at: Optional[float] = None,
    digits: int = 6,
    period: int = 30,
    algorithm: str = "SHA1",
    skew: int = 1,
) -> Optional[int]:
    """Like `verify`, but returns the time step of a right code (which may be 0), or None."""
    key = _key(secret)
    step = ctypes.c_uint64()
    found = library.tfa_verify(
        key,
        len(key),
        _algorithm(algorithm),
        _digits(digits),
        _period(period),
        _number("skew", skew, 0, 10),
        _time(at),
        typed(code),
        step,
    )
    if found < 0:
        raise Refused("The library refused these parameters.")
    return step.value if found else None


def otpauth(
    secret: str,
    account: str,
    *,
    issuer: Optional[str] = None,
    algorithm: Optional[str] = None,
    digits: Optional[int] = None,
    period: Optional[int] = None,
) -> str:
    """The otpauth:// URI that an authenticator app reads from a QR code."""
    given = {
        "secret": secret,
        "account": account,
        "issuer": issuer,
        "algorithm": algorithm,
        "digits": digits,
        "period": period,
    }
    named = {name: value for name, value in given.items() if value is not None}
    return str(_asked(library.tfa_otpauth, named)["otpauth_str"])


def otpauth_parse(otpauth_str: str) -> Dict[str, Any]:
    """What an otpauth:// URI says: type, secret, account, issuer, algorithm, digits, and period or counter."""
    return _asked(library.tfa_otpauth_parse, {"otpauth_str": otpauth_str})


@overload
def qr(text: str, *, format: Literal["svg", "terminal"] = "svg") -> str: ...
@overload
def qr(text: str, *, format: Literal["png"]) -> bytes: ...
def qr(text: str, *, format: str = "svg") -> Union[str, bytes]:
    """`text` as a QR code: SVG text, PNG bytes, or lines to print in a terminal."""
    picture = _asked(library.tfa_qr, {"text": text, "format": format})
    return base64.b64decode(picture["qr"]) if format == "png" else str(picture["qr"])


def _asked(function: Any, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Calls one of the functions that take and return JSON."""
    found: Dict[str, Any] = answer(function(json_text(arguments)))
    if "error" in found:
        raise Refused(found["error"])
    return found


def _key(given: Secret) -> bytes:
    return given if isinstance(given, bytes) else base32_decode(given)


def _algorithm(name: str) -> int:
    number = _ALGORITHMS.get(name)
    if number is None:
        raise Refused('The parameter "algorithm" is not valid: it must be SHA1, SHA256 or SHA512.')
    return number


def _number(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise Refused(f'The parameter "{name}" is not valid: it must be {least} to {most}.')
    return value


def _digits(value: int) -> int:
    return _number("digits", value, 1, 10)


def _period(value: int) -> int:
    return _number("period", value, 1, _U32)


def _time(at: Optional[float]) -> int:
    return _number("at", int(time.time() if at is None else at), 0, _U64)


def _code(value: int, digits: int) -> str:
    if value < 0:
        raise Refused("The library refused these parameters.")
    return str(value).zfill(digits)
