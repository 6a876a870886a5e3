"""Secrets, one-time codes, otpauth URIs and QR codes: no handle, no store.

Promises: a secret may be Base32 text (str) or raw bytes; numbers are checked before they reach C,
where they would wrap; a code is a string that keeps its leading zeros. A value that is not valid
raises Refused, which names the parameter. Sources: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648
(Base32), the Key URI format.
"""

import base64
import ctypes
import functools
import time
from typing import Any, Dict, Literal, Optional, Tuple, Union, overload

from ._errors import Refused
from ._library import answer, json_text, library, text, typed

#: Base32 text, or the raw bytes of the key.
Secret = Union[str, bytes]

_ALGORITHMS = {"SHA1": 1, "SHA256": 256, "SHA512": 512}

#: The longest key that Base32 text may hold, in bytes.
_MOST_BYTES = 256
_Room = ctypes.c_uint8 * _MOST_BYTES
#: HMAC takes an empty key, whose codes anybody can compute: most likely it was looked up and not found.
_NO_SECRET = 'The parameter "secret" is required.'
_U32 = 2**32 - 1
_U64 = 2**64 - 1

_check = library.tfa_verify_totp_base32


def secret(length: int = 32) -> str:
    """A fresh random secret of `length` Base32 characters, 16 to 128."""
    return str(_asked(library.tfa_generate_secret, {"length": length})["secret"])


def base32_decode(encoded: str) -> bytes:
    """The bytes of Base32 text; case, spaces, dashes and padding are forgiven."""
    room, length = _key(encoded)
    return bytes(room)[:length]


def hotp(secret: Secret, counter: int, *, digits: int = 6, algorithm: str = "SHA1") -> str:
    """The HOTP code of a counter (RFC 4226)."""
    parameters = _parameters(algorithm, digits)[:2]
    return _code(library.tfa_generate_hotp, secret, *parameters, _number("counter", counter, 0, _U64), digits=digits)


def totp(
    secret: Secret, *, at: Optional[float] = None, digits: int = 6, period: int = 30, algorithm: str = "SHA1"
) -> str:
    """The TOTP code (RFC 6238) at the Unix time `at`, now if it is left out."""
    parameters = _parameters(algorithm, digits, period)[:3]
    return _code(library.tfa_generate_totp, secret, *parameters, _time(at), digits=digits)


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
    """Whether `code` is right at `at`, or up to `skew` steps (0 to 1000) before or after.

    Nothing is remembered: use `verify_step` and refuse a step that was used, or `Tfa.login`, which does.
    """
    if digits == 6 and period == 30 and skew == 1 and algorithm == "SHA1" and isinstance(secret, str):
        # What nearly everybody asks, in one call with three arguments: crossing into C takes longer than the HMAC.
        found: int = _check(text("secret", secret), typed(code), _time(at))
        if found >= 0:
            return found == 1
        # A secret that is refused is refused with words below.
    parameters = _parameters(algorithm, digits, period, skew)
    return _accepted(library.tfa_verify_totp(*_key(secret), *parameters, _time(at), typed(code), None)) == 1


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
    step = ctypes.c_uint64()
    parameters = _parameters(algorithm, digits, period, skew)
    found = _accepted(library.tfa_verify_totp(*_key(secret), *parameters, _time(at), typed(code), step))
    return step.value if found == 1 else None


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
    return str(_asked(library.tfa_build_otpauth, named)["otpauth_str"])


def otpauth_parse(otpauth_str: str) -> Dict[str, Any]:
    """What an otpauth:// URI says: type, secret, account, issuer, algorithm, digits, and period or counter."""
    return _asked(library.tfa_parse_otpauth, {"otpauth_str": otpauth_str})


@overload
def qr(text: str, *, format: Literal["svg", "terminal"] = "svg") -> str: ...
@overload
def qr(text: str, *, format: Literal["png"]) -> bytes: ...
def qr(text: str, *, format: str = "svg") -> Union[str, bytes]:
    """`text` as a QR code: SVG text, PNG bytes, or lines to print in a terminal."""
    picture = _asked(library.tfa_draw_qr, {"text": text, "format": format})
    return base64.b64decode(picture["qr"]) if format == "png" else str(picture["qr"])


def _asked(function: Any, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Calls one of the functions that take and return JSON."""
    found: Dict[str, Any] = answer(function(json_text(arguments)))
    if "error" in found:
        raise Refused(found["error"])
    return found


def _key(given: Secret) -> Tuple[Any, int]:
    """The bytes of a secret where C can read them, and how many they are."""
    if isinstance(given, bytes):
        key: Any = given
        length = len(given)
    else:
        key = _Room()
        length = library.tfa_decode_base32(text("secret", given), key, _MOST_BYTES)
    if length < 0:
        raise Refused('The parameter "secret" is not a Base32 string of a usable length.')
    if length == 0:
        raise Refused(_NO_SECRET)
    return key, length


@functools.lru_cache(maxsize=64)
def _parameters(algorithm: str, digits: int, period: int = 30, skew: int = 0) -> Tuple[ctypes.c_uint32, ...]:
    """The four as C takes them. Kept, because checking and converting them takes longer than the HMAC."""
    number = _ALGORITHMS.get(algorithm)
    if number is None:
        raise Refused('The parameter "algorithm" is not valid: it must be SHA1, SHA256 or SHA512.')
    return (
        ctypes.c_uint32(number),
        ctypes.c_uint32(_number("digits", digits, 1, 10)),
        ctypes.c_uint32(_number("period", period, 1, _U32)),
        ctypes.c_uint32(_number("skew", skew, 0, 1000)),
    )


def _number(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise Refused(f'The parameter "{name}" is not valid: it must be {least} to {most}.')
    return value


def _time(at: Optional[float]) -> int:
    return _number("at", int(time.time() if at is None else at), 0, _U64)


def _code(function: Any, secret: Secret, *arguments: Any, digits: int) -> str:
    """The code that `function` makes of a secret, with its leading zeros."""
    return str(_accepted(function(*_key(secret), *arguments))).zfill(digits)


def _accepted(found: int) -> int:
    """What C answered, which is negative when it refused an argument."""
    if found < 0:
        raise Refused("The library refused these parameters.")
    return found
