"""Finds the C library, checks its ABI, and declares the symbols that the package calls.

Promises: `library` is loaded once, when the package is imported, or the import fails with a message that says what to do.
A symbol is looked up when it is first called, so that a package that is newer than its library loads; a function that
the library lacks raises Unavailable at the call. Strings pass only through `text` and `answer`: arguments contain no NUL
that would cut them short, and the library frees, and so wipes, what it returned.
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
_owned = ctypes.c_void_p  # a char * that tfa_free frees, so never c_char_p, which drops the pointer
_handle = ctypes.c_void_p
_bytes = ctypes.c_void_p

#: int32_t lookup(void *context, const char *question, const char *name, void *reply)
LOOKUP = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, _text, _text, ctypes.c_void_p)

#: void audit(void *context, const char *entry)
AUDIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _text)

#: Result and arguments of each symbol that the package calls.
SYMBOLS: Dict[str, Tuple[Any, Sequence[Any]]] = {
    "tfa_version": (_text, []),
    "tfa_abi_version": (ctypes.c_uint32, []),
    "tfa_open": (_handle, [_text, ctypes.POINTER(_owned)]),
    "tfa_close": (None, [_handle]),
    "tfa_free": (None, [_owned]),
    "tfa_whmapi1": (_owned, [_handle, _text, _text, _text]),
    "tfa_uapi": (_owned, [_handle, _text, _text, _text, _text]),
    "tfa_http": (_owned, [_handle, _text, _text, _text, _text]),
    "tfa_login_from": (ctypes.c_int32, [_handle, _text, _text, _text]),
    "tfa_functions": (_owned, []),
    "tfa_set_lookup": (ctypes.c_int32, [_handle, LOOKUP, ctypes.c_void_p]),
    "tfa_reply": (ctypes.c_int32, [ctypes.c_void_p, _text]),
    "tfa_set_audit": (ctypes.c_int32, [_handle, AUDIT, ctypes.c_void_p]),
    "tfa_verify_totp_base32": (ctypes.c_int32, [_text, _text, ctypes.c_uint64]),
    "tfa_decode_base32": (ctypes.c_int64, [_text, _bytes, ctypes.c_size_t]),
    "tfa_code": (_owned, [_text]),
    "tfa_verify_code": (_owned, [_text]),
    "tfa_generate_secret": (_owned, [_text]),
    "tfa_build_otpauth": (_owned, [_text]),
    "tfa_parse_otpauth": (_owned, [_text]),
    "tfa_draw_qr": (_owned, [_text]),
}


class Library:
    """The loaded library: its symbols as attributes, each with its types."""

    def __init__(self, found: ctypes.CDLL) -> None:
        self._found = found
        #: The file's name as it was loaded.
        self.path: str = found._name

    def __getattr__(self, name: str) -> Any:
        try:
            symbol = getattr(self._found, name)
        except AttributeError:
            raise Unavailable(
                f"This libtfa has no {name}: it is older than this package. Install a newer one."
            ) from None
        symbol.restype, symbol.argtypes = SYMBOLS[name]
        # The next access finds the attribute itself.
        setattr(self, name, symbol)
        return symbol


def _candidates() -> Iterator[str]:
    """The files to try: the environment's choice alone, else one beside the package, else the system's."""
    chosen = os.environ.get("TFA_LIBRARY")
    if chosen:
        yield chosen
        return
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _SONAME)
    if os.path.exists(beside):
        yield beside
    yield _SONAME


def _load() -> Library:
    failures: List[str] = []
    for place in _candidates():
        try:
            return _checked(ctypes.CDLL(place))
        except OSError as error:
            failures.append(str(error))
    raise ImportError(
        "libtfa cannot be loaded. Install the C library, or name its file in the environment "
        "variable TFA_LIBRARY. Tried: " + "; ".join(failures)
    )


def _checked(found: ctypes.CDLL) -> Library:
    """The library, if its ABI is the one of this package."""
    abi = getattr(found, "tfa_abi_version", None)
    if abi is None:
        raise ImportError(f"{found._name} is not libtfa: it has no tfa_abi_version")
    abi.restype, abi.argtypes = SYMBOLS["tfa_abi_version"]
    if abi() != ABI_VERSION:
        raise ImportError(
            f"{found._name} has ABI {abi()}, this package needs {ABI_VERSION}: "
            "install the package and the library of one release"
        )
    return Library(found)


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
    """The code that a person entered. A character that C cannot read makes it an invalid code."""
    try:
        raw = code.encode("utf-8", "replace")
    except AttributeError:
        raise TypeError(f"code must be a str, not {type(code).__name__}") from None
    return raw.replace(b"\0", b"?")


def json_text(value: Any) -> bytes:
    """`value` as JSON text for C. TypeError or ValueError when it is not JSON."""
    return json.dumps(value, allow_nan=False).encode()


def answer(pointer: Optional[int]) -> Any:
    """The JSON that the library returned. Its memory is freed at once."""
    if not pointer:
        raise Unavailable("The library ran out of memory.")
    try:
        return json.loads(ctypes.string_at(pointer).decode())
    finally:
        library.tfa_free(pointer)
