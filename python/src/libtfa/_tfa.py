"""The handle: `libtfa.open`, the functions of both APIs by name, login, HTTP, the account lookup, the audit trail.

Promises: a handle can be used from any number of threads, and in parent and children after a fork. The interpreter lock
(GIL) is released during every call. A handle that one thread closes while other threads are inside a call is freed when
the last of these calls returns.
"""

import ctypes
import enum
import json
import logging
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Type

from ._errors import ConfigError, Unavailable, refusal
from ._library import AUDIT, LOOKUP, answer, json_text, library, text, typed

_log = logging.getLogger("libtfa")

_close = library.tfa_close

#: A host's account directory: (question, name) -> the reply of that question (README), or None for "no such thing".
Lookup = Callable[[str, str], Any]

#: A host's function for audit-trail entries (README). Its result is ignored.
Audit = Callable[[Dict[str, Any]], Any]


class Login(enum.Enum):
    """The result of `Tfa.login`. It is true if the login is accepted, and false if it is denied."""

    VERIFIED = 1
    NOT_REQUIRED = 2
    DENIED = 0
    LOCKED = -1
    UNANSWERED = -2

    def __bool__(self) -> bool:
        return bool(self.value > 0)

    @classmethod
    def _missing_(cls, value: object) -> "Login":
        """A result that this package does not know denies the login."""
        return cls.UNANSWERED


class HttpAnswer(NamedTuple):
    """The answer to a request that was passed to `Tfa.http`."""

    status: int
    content_type: str
    body: str


class _Handle(ctypes.c_void_p):
    """Owns the C handle. Every running call holds a reference, so that the handle is closed after the last one.

    When a cycle is collected, other objects in it can still call after this one is finalised: the address is then None.
    """

    def __init__(self, address: int) -> None:
        super().__init__(address)
        #: Every callback that was passed to C: one that was replaced can still be running in another thread.
        self.callbacks: List[Any] = []

    def __del__(self, close: Callable[[Optional[int]], None] = _close) -> None:
        address, self.value = self.value, None
        close(address)


_registry: List[Dict[str, Any]] = []


def functions() -> List[Dict[str, Any]]:
    """The library's registry: name, api ("whm" or "uapi"), parameters and description of each function."""
    if not _registry:
        _registry.extend(answer(library.tfa_functions()))
    return list(_registry)


class Function:
    """One function of the library. Call it with its parameters as keywords.

    Returns the decoded `data` (None where the function has none). Raises Refused with the library's reason, or
    Unavailable if the store is not available.
    """

    def __init__(self, tfa: "Tfa", row: Mapping[str, Any]) -> None:
        self._tfa = tfa
        self._row = row
        self.__name__: str = row["name"]
        self.__doc__ = row["description"]

    @property
    def parameters(self) -> List[Dict[str, Any]]:
        """Name, type and whether required, of each parameter."""
        return list(self._row["parameters"])

    def __call__(self, parameters: Optional[Mapping[str, Any]] = None, /, *, caller: str, **keywords: Any) -> Any:
        """A mapping can come first, for names that are not keywords: {"user-0": "example"}."""
        given = {**(parameters or {}), **keywords}
        if self._row["api"] == "whm":
            return _whm_data(self._tfa.whmapi1(caller, self.__name__, given))
        return _uapi_data(self.__name__, self._tfa.execute(caller, self._row["module"], self.__name__, given))

    def __repr__(self) -> str:
        return f"<libtfa function {self._row['api']}.{self.__name__}>"


class Functions:
    """The functions of one API as attributes, as the library lists them."""

    def __init__(self, tfa: "Tfa", api: str) -> None:
        self._tfa = tfa
        self._rows = {row["name"]: row for row in functions() if row["api"] == api}

    def __getattr__(self, name: str) -> Function:
        try:
            return Function(self._tfa, self.__dict__["_rows"][name])
        except KeyError:
            raise AttributeError(f"libtfa has no function {name!r} here; dir() lists them") from None

    def __dir__(self) -> List[str]:
        return sorted(self._rows)


class Tfa:
    """An open store, returned by `libtfa.open`. It is a context manager."""

    def __init__(self, config: Optional[Mapping[str, Any]] = None) -> None:
        error = ctypes.c_void_p()
        raw = None if config is None else json_text(config)
        address = library.tfa_open(raw, ctypes.byref(error))
        if not address:
            raise ConfigError(answer(error.value)["error"])
        self._handle: Optional[_Handle] = _Handle(address)
        self.whm = Functions(self, "whm")
        self.uapi = Functions(self, "uapi")

    def __enter__(self) -> "Tfa":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the handle once the calls that other threads are running have returned. It can be called again."""
        self._handle = None

    def _open(self) -> _Handle:
        handle = self._handle
        if not handle:
            raise Unavailable("This libtfa handle is closed: open another.")
        return handle

    def login(self, subject: str, code: Optional[str] = None, *, remote_addr: Optional[str] = None) -> Login:
        """Verifies a one-time code or recovery code of `subject`, whose password is right.

        Without a code the result says whether one is required. `remote_addr` is the client's IP address, for the audit
        trail. A code that is not valid raises nothing: the result is false unless the login is accepted.
        """
        raw = None if code is None else typed(code)
        address = None if remote_addr is None else text("remote_addr", remote_addr)
        found: int = library.tfa_login_from(self._open(), text("subject", subject), raw, address)
        return Login(found)

    def whmapi1(self, caller: str, function: str, parameters: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Calls any WHM API 1 function and returns its whole envelope, `{"data", "metadata"}`."""
        envelope: Dict[str, Any] = answer(
            library.tfa_whmapi1(
                self._open(), text("caller", caller), text("function", function), json_text(parameters or {})
            )
        )
        return envelope

    def execute(
        self, caller: str, module: str, function: str, parameters: Optional[Mapping[str, Any]] = None
    ) -> Dict[str, Any]:
        """Calls any UAPI function and returns its whole envelope, as `/execute/` does."""
        envelope: Dict[str, Any] = answer(
            library.tfa_uapi(
                self._open(),
                text("caller", caller),
                text("module", module),
                text("function", function),
                json_text(parameters or {}),
            )
        )
        return envelope

    def http(self, caller: str, method: str, target: str, body: Optional[str] = None) -> HttpAnswer:
        """Answers a request to the panel's `/json-api/`, `/xml-api/` or `/execute/` paths."""
        raw = None if body is None else text("body", body)
        found = answer(
            library.tfa_http(self._open(), text("caller", caller), text("method", method), text("target", target), raw)
        )
        return HttpAnswer(found["status"], found["content_type"], found["body"])

    def set_lookup(self, lookup: Lookup) -> None:
        """Replaces the configured account directory with `lookup`, which is called from any thread.

        An exception in it is logged and means that the directory cannot answer, which denies logins.
        """
        handle = self._open()
        callback = LOOKUP(_guarded(lookup))
        handle.callbacks.append(callback)
        if not library.tfa_set_lookup(handle, callback, None):
            raise Unavailable("The library refused the lookup.")

    def set_audit(self, audit: Audit) -> None:
        """Passes every audit-trail entry that this handle writes to `audit`, from any thread.

        `audit` is called within the call that wrote the entry, after the entry is committed, and that call waits for it.
        An exception in it is logged; the change stays made and the verdict stands.
        """
        handle = self._open()
        callback = AUDIT(_receiving(audit))
        handle.callbacks.append(callback)
        if not library.tfa_set_audit(handle, callback, None):
            raise Unavailable("The library refused the audit callback.")


def _guarded(lookup: Lookup) -> Callable[[Any, bytes, bytes, int], int]:
    """`lookup` as the C callback: 1 found, 0 not found, -1 cannot answer."""

    def callback(_context: Any, question: bytes, name: bytes, reply: int) -> int:
        try:
            found = lookup(question.decode(), name.decode())
            if found is None:
                return 0
            return 1 if library.tfa_reply(reply, json_text(found)) else -1
        except BaseException:
            # ctypes would return 0, "not found", for an exception that is not caught here.
            _log.exception("libtfa: the account lookup failed")
            return -1

    return callback


def _receiving(audit: Audit) -> Callable[[Any, bytes], None]:
    """`audit` as the C callback."""

    def callback(_context: Any, entry: bytes) -> None:
        try:
            audit(json.loads(entry.decode()))
        except BaseException:
            # ctypes would print it to standard error, which a server may discard.
            _log.exception("libtfa: the audit callback failed")

    return callback


def _whm_data(envelope: Mapping[str, Any]) -> Any:
    if "metadata" not in envelope:
        return envelope  # The function "cpanel" returns the answer of UAPI without an envelope.
    metadata = envelope["metadata"]
    if metadata["result"] != 1:
        raise refusal(metadata["reason"], metadata["reason_code"], metadata["command"])
    return envelope.get("data")


def _uapi_data(command: str, result: Mapping[str, Any]) -> Any:
    if result["status"] != 1:
        raise refusal(result["errors"][0], result["metadata"]["reason_code"], command)
    return result["data"]


def open(config: Optional[Mapping[str, Any]] = None, /, **keys: Any) -> Tfa:
    """Opens the store of the server's configuration file (contract section 12).

    Keys that override the file are given as a mapping, as keywords, or both. With a store they are complete, and no file is
    read. Raises ConfigError if there is no configuration, a key is unknown, or a value cannot be used. One handle serves a whole process: open it once,
    before or after forking, and share it between threads.
    """
    merged = {**(config or {}), **keys}
    return Tfa(merged or None)
