"""Secrets, one-time codes, otpauth URIs and QR codes, without a handle and without a store.

Promises: a secret is Base32 text (str) or raw bytes; a code is a string that keeps its leading zeros. The library has the
rules and limits: a value that it refuses raises Refused with the library's reason. Sources: RFC 4226 (HOTP), RFC 6238
(TOTP), RFC 4648 (Base32), the Key URI format.
"""

import base64
import ctypes
import time
from typing import Any, Dict, Literal, Optional, Union, overload

from ._errors import Refused, refusal
from ._library import answer, json_text, library, text, typed

#: Base32 text, or the raw bytes of the key.
Secret = Union[str, bytes]


def secret(length: int = 32) -> str:
    """Generates a secret of `length` Base32 characters: 16 to 128, a multiple of 8."""
    return str(_call(library.tfa_generate_secret, {"length": length})["secret"])


def base32_decode(encoded: str) -> bytes:
    """Decodes Base32. Case, spaces, dashes and padding are ignored."""
    raw = text("encoded", encoded)
    length = library.tfa_decode_base32(raw, None, 0)
    if length < 0:
        raise Refused('The parameter "encoded" is not Base32.')
    room = (ctypes.c_uint8 * max(length, 1))()
    library.tfa_decode_base32(raw, room, length)
    return bytes(room)[:length]


def hotp(secret: Secret, counter: int, *, digits: int = 6, algorithm: str = "SHA1") -> str:
    """Generates the HOTP code of a counter (RFC 4226)."""
    given = {"type": "hotp", "counter": counter, "digits": digits, "algorithm": algorithm}
    return str(_call(library.tfa_code, {**_key(secret), **given})["code"])


def totp(
    secret: Secret, *, at: Optional[float] = None, digits: int = 6, period: int = 30, algorithm: str = "SHA1"
) -> str:
    """Generates the TOTP code (RFC 6238) at the Unix time `at`, the present by default."""
    given = {"time": _time(at), "digits": digits, "period": period, "algorithm": algorithm}
    return str(_call(library.tfa_code, {**_key(secret), **given})["code"])


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
    """Returns whether `code` is valid at `at`, or up to `skew` steps (0 to 1000) before or after.

    Nothing is remembered: use `verify_step` and refuse a step that was used, or `Tfa.login`, which does.
    """
    if digits == 6 and period == 30 and skew == 1 and algorithm == "SHA1" and isinstance(secret, str):
        # The usual parameters in one call with three arguments: crossing into C takes longer than the HMAC.
        found: int = library.tfa_verify_totp_base32(text("secret", secret), typed(code), _time(at))
        if found >= 0:
            return found == 1
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
    """Verifies a code as `verify` does, and returns the time step of a valid code (which can be 0), or None."""
    given = {"time": _time(at), "digits": digits, "period": period, "algorithm": algorithm, "skew": skew}
    given = {**_key(secret), **given, "code": typed(code).decode()}
    step: Optional[int] = _call(library.tfa_verify_code, given)["step"]
    return step


def otpauth(
    secret: Secret,
    account: str,
    *,
    issuer: Optional[str] = None,
    algorithm: Optional[str] = None,
    digits: Optional[int] = None,
    period: Optional[int] = None,
) -> str:
    """Builds the otpauth:// URI that an authenticator reads from a QR code."""
    given = {"account": account, "issuer": issuer, "algorithm": algorithm, "digits": digits, "period": period}
    return str(_call(library.tfa_build_otpauth, {**_key(secret), **given})["otpauth_str"])


def otpauth_parse(otpauth_str: str) -> Dict[str, Any]:
    """Parses an otpauth:// URI: type, secret, account, issuer, algorithm, digits, and period or counter."""
    return _call(library.tfa_parse_otpauth, {"otpauth_str": otpauth_str})


@overload
def qr(text: str, *, format: Literal["svg", "terminal"] = "svg") -> str: ...
@overload
def qr(text: str, *, format: Literal["png"]) -> bytes: ...
def qr(text: str, *, format: str = "svg") -> Union[str, bytes]:
    """Draws `text` as a QR code: SVG text, PNG bytes, or lines to print in a terminal."""
    picture = _call(library.tfa_draw_qr, {"text": text, "format": format})
    return base64.b64decode(picture["qr"]) if format == "png" else str(picture["qr"])


def _call(function: Any, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Calls one of the functions that take and return JSON."""
    found: Dict[str, Any] = answer(function(json_text(arguments)))
    if "error" in found:
        raise refusal(found["error"], found["reason_code"])
    return found


def _key(secret: Secret) -> Dict[str, str]:
    """The parameter that passes a secret."""
    return {"secret_hex": secret.hex()} if isinstance(secret, bytes) else {"secret": secret}


def _time(at: Optional[float]) -> int:
    """Unix seconds within the 64 bits of C, where other numbers would wrap."""
    seconds = int(time.time() if at is None else at)
    if not 0 <= seconds < 2**64:
        raise Refused('The parameter "at" is not valid: it is not a Unix time.')
    return seconds
