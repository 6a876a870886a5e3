"""Finds the C library, checks its ABI, and declares every symbol that the package calls.

Promises: `library` is loaded once, when the package is imported, or the import fails with words
that say what to do. No string passes in either direction except through `text` and `answer`: what
goes in has no NUL that would cut it short, and what comes out is freed (and so wiped) by the library.
"""

import ctypes
import json
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ._errors import Refused, Unavailable

#: The ABI number (TFA_ABI_VERSION) that this package was written for.
ABI_VERSION = 1

_SONAME = "libtfa.so.0"

_text = ctypes.c_char_p
_owned = ctypes.c_void_p  # a char * that goes back through tfa_free, so never c_char_p, which forgets it
_handle = ctypes.c_void_p
_bytes = ctypes.c_void_p

#: int32_t lookup(void *context, const char *question, const char *name, void *reply)
LOOKUP = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, _text, _text, ctypes.c_void_p)

#: void audit(void *context, const char *line)
AUDIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _text)

#: Result and arguments of every symbol, in the header's order.
SYMBOLS: Dict[str, Tuple[Any, Sequence[Any]]] = {
    "tfa_version": (_text, []),
    "tfa_abi_version": (ctypes.c_uint32, []),
    "tfa_open": (_handle, [_text, ctypes.POINTER(_owned)]),
    "tfa_close": (None, [_handle]),
    "tfa_free": (None, [_owned]),
    "tfa_whmapi1": (_owned, [_handle, _text, _text, _text]),
    "tfa_uapi": (_owned, [_handle, _text, _text, _text, _text]),
    "tfa_http": (_owned, [_handle, _text, _text, _text, _text]),
    "tfa_login": (ctypes.c_int32, [_handle, _text, _text]),
    "tfa_functions": (_owned, []),
    "tfa_set_lookup": (ctypes.c_int32, [_handle, LOOKUP, ctypes.c_void_p]),
    "tfa_reply": (ctypes.c_int32, [ctypes.c_void_p, _text]),
    "tfa_set_audit": (ctypes.c_int32, [_handle, AUDIT, ctypes.c_void_p]),
    "tfa_generate_hotp": (
        ctypes.c_int64,
        [_bytes, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64],
    ),
    "tfa_generate_totp": (
        ctypes.c_int64,
        [_bytes, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64],
    ),
    "tfa_verify_totp": (
        ctypes.c_int32,
        [_bytes, ctypes.c_size_t] + [ctypes.c_uint32] * 4 + [ctypes.c_uint64, _text, ctypes.POINTER(ctypes.c_uint64)],
    ),
    "tfa_verify_totp_base32": (ctypes.c_int32, [_text, _text, ctypes.c_uint64]),
    "tfa_decode_base32": (ctypes.c_int64, [_text, _bytes, ctypes.c_size_t]),
    "tfa_generate_secret": (_owned, [_text]),
    "tfa_build_otpauth": (_owned, [_text]),
    "tfa_parse_otpauth": (_owned, [_text]),
    "tfa_draw_qr": (_owned, [_text]),
}


def _places() -> Iterator[str]:
    """Where to look: the environment's choice alone, else beside the package, else the system's."""
    chosen = os.environ.get("TFA_LIBRARY")
    if chosen:
        yield chosen
        return
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _SONAME)
    if os.path.exists(beside):
        yield beside
    yield _SONAME


def _load() -> ctypes.CDLL:
    failures: List[str] = []
    for place in _places():
        try:
            return _declare(ctypes.CDLL(place))
        except OSError as error:
            failures.append(str(error))
    raise ImportError(
        "libtfa cannot be loaded. Install the C library, or name its file in the environment "
        "variable TFA_LIBRARY. Tried: " + "; ".join(failures)
    )


def _declare(found: ctypes.CDLL) -> ctypes.CDLL:
    """Compares the ABI first, then gives each symbol its types."""
    abi = getattr(found, "tfa_abi_version", None)
    if abi is None:
        raise ImportError(f"{found._name} is not libtfa: it has no tfa_abi_version")
    abi.restype, abi.argtypes = SYMBOLS["tfa_abi_version"]
    if abi() != ABI_VERSION:
        raise ImportError(
            f"{found._name} has ABI {abi()}, this package needs {ABI_VERSION}: "
            "install the package and the library of one release"
        )
    for name, (result, arguments) in SYMBOLS.items():
        symbol = getattr(found, name, None)
        if symbol is None:
            raise ImportError(f"{found._name} has no {name}: it is older than this package")
        symbol.restype, symbol.argtypes = result, arguments
    return found


library = _load()


def text(name: str, value: str) -> bytes:
    """`value` as the NUL-terminated UTF-8 that C reads. TypeError or Refused name the parameter."""
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        # The original error carries the value, which may be a secret.
        raise Refused(f'The parameter "{name}" is not valid: it is not Unicode text.') from None
    except AttributeError:
        raise TypeError(f"{name} must be a str, not {type(value).__name__}") from None
    if "\0" in value:
        raise Refused(f'The parameter "{name}" is not valid: it has a NUL character in it.')
    return raw


def typed(code: str) -> bytes:
    """What a person typed, which may be anything: a character that C cannot read makes it a wrong code."""
    try:
        raw = code.encode("utf-8", "replace")
    except AttributeError:
        raise TypeError(f"code must be a str, not {type(code).__name__}") from None
    return raw.replace(b"\0", b"?")


def json_text(value: Any) -> bytes:
    """`value` as JSON text for C. TypeError or ValueError when it is not JSON."""
    return json.dumps(value, allow_nan=False).encode()


def answer(pointer: Optional[int]) -> Any:
    """The JSON that the library returned; its memory goes back at once."""
    if not pointer:
        raise Unavailable("The library ran out of memory.")
    try:
        return json.loads(ctypes.string_at(pointer).decode())
    finally:
        library.tfa_free(pointer)
