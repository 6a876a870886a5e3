"""The handle: `libtfa.open`, the functions of both doors by name, login, HTTP, the account lookup, the audit trail.

Promises: one handle serves any number of threads, and goes on working in parent and children after
a fork. The lock of the interpreter (GIL) is released during every call. A handle that one thread
closes while others are inside a call is freed when the last of them comes back.
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

#: A host's ear for the audit trail: it is given a line (README). What it returns is ignored.
Audit = Callable[[Dict[str, str]], Any]


class Login(enum.Enum):
    """What `Tfa.login` found. True lets the subject in, false keeps it out."""

    VERIFIED = 1
    NOT_REQUIRED = 2
    DENIED = 0
    LOCKED = -1
    UNANSWERED = -2

    def __bool__(self) -> bool:
        return bool(self.value > 0)

    @classmethod
    def _missing_(cls, value: object) -> "Login":
        """An answer that this package does not know keeps the subject out."""
        return cls.UNANSWERED


class HttpAnswer(NamedTuple):
    """What to send back for a request that was given to `Tfa.http`."""

    status: int
    content_type: str
    body: str


class _Handle(ctypes.c_void_p):
    """Owns the C handle. Every call in progress holds a reference, so that it ends with the last.

    When a cycle is collected, other objects in it may still call after this one's end: they find no address any more.
    """

    def __init__(self, address: int) -> None:
        super().__init__(address)
        #: Every callback that C was given: one that was replaced may still be running in another thread.
        self.callbacks: List[Any] = []

    def __del__(self, close: Callable[[Optional[int]], None] = _close) -> None:
        address, self.value = self.value, None
        close(address)


_registry: List[Dict[str, Any]] = []


def functions() -> List[Dict[str, Any]]:
    """The library's registry: name, door ("whm" or "uapi"), parameters and description of each function."""
    if not _registry:
        _registry.extend(answer(library.tfa_functions()))
    return list(_registry)


class Function:
    """One function of the library. Call it with its parameters as keywords.

    Returns the decoded `data` (None where the function has none). Raises Refused with the
    library's reason, or Unavailable when the store is away.
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
        """A mapping may come first, for names that are no keywords: {"user-0": "example"}."""
        given = {**(parameters or {}), **keywords}
        if self._row["door"] == "whm":
            return _whm_data(self._tfa.whmapi1(caller, self.__name__, given))
        return _uapi_data(self.__name__, self._tfa.execute(caller, self._row["module"], self.__name__, given))

    def __repr__(self) -> str:
        return f"<libtfa function {self._row['door']}.{self.__name__}>"


class Functions:
    """The functions of one door as attributes, as the library lists them."""

    def __init__(self, tfa: "Tfa", door: str) -> None:
        self._tfa = tfa
        self._rows = {row["name"]: row for row in functions() if row["door"] == door}

    def __getattr__(self, name: str) -> Function:
        try:
            return Function(self._tfa, self.__dict__["_rows"][name])
        except KeyError:
            raise AttributeError(f"libtfa has no function {name!r} here; dir() lists them") from None

    def __dir__(self) -> List[str]:
        return sorted(self._rows)


class Tfa:
    """An open libtfa. Make it with `libtfa.open`; it is a context manager."""

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
        """Gives the handle up; calls that other threads have under way end in peace. May be repeated."""
        self._handle = None

    def _open(self) -> _Handle:
        handle = self._handle
        if not handle:
            raise Unavailable("This libtfa handle is closed: open another.")
        return handle

    def login(self, subject: str, code: Optional[str] = None) -> Login:
        """Checks a code or recovery code of `subject`, after its password was right.

        Without a code it asks whether one is required. Never raises for what the person typed: the
        result is false unless it lets in.
        """
        raw = None if code is None else typed(code)
        found: int = library.tfa_login(self._open(), text("subject", subject), raw)
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
        """Calls any UAPI function and returns its whole envelope, as `/execute/` answers it."""
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
        """Asks `lookup` about accounts from now on, in place of the configured directory, from any thread.

        An exception in it is logged and counts as "could not be answered", which keeps people out.
        """
        handle = self._open()
        callback = LOOKUP(_guarded(lookup))
        handle.callbacks.append(callback)
        if not library.tfa_set_lookup(handle, callback, None):
            raise Unavailable("The library did not take the lookup.")

    def set_audit(self, audit: Audit) -> None:
        """Tells `audit` of every line of the audit trail that this handle writes from now on, from any thread.

        It is called inside the call that wrote the line, once the line is on record, and that call waits for it. An
        exception in it is logged; the change is made and the verdict stands.
        """
        handle = self._open()
        callback = AUDIT(_hearing(audit))
        handle.callbacks.append(callback)
        if not library.tfa_set_audit(handle, callback, None):
            raise Unavailable("The library did not take the audit callback.")


def _guarded(lookup: Lookup) -> Callable[[Any, bytes, bytes, int], int]:
    """`lookup` as the C callback: 1 found, 0 no such thing, -1 could not be answered."""

    def callback(_context: Any, question: bytes, name: bytes, reply: int) -> int:
        try:
            found = lookup(question.decode(), name.decode())
            if found is None:
                return 0
            return 1 if library.tfa_reply(reply, json_text(found)) else -1
        except BaseException:
            # ctypes would answer 0, "no such thing", for whatever gets past here.
            _log.exception("libtfa: the account lookup failed")
            return -1

    return callback


def _hearing(audit: Audit) -> Callable[[Any, bytes], None]:
    """`audit` as the C callback."""

    def callback(_context: Any, line: bytes) -> None:
        try:
            audit(json.loads(line.decode()))
        except BaseException:
            # ctypes would write it to standard error, where nobody may look.
            _log.exception("libtfa: the audit callback failed")

    return callback


def _whm_data(envelope: Mapping[str, Any]) -> Any:
    if "metadata" not in envelope:
        return envelope  # The function "cpanel" answers with what UAPI answered, and nothing around it.
    metadata = envelope["metadata"]
    if metadata["result"] != 1:
        raise refusal(metadata["reason"], metadata["command"])
    return envelope.get("data")


def _uapi_data(command: str, result: Mapping[str, Any]) -> Any:
    if result["status"] != 1:
        raise refusal(result["errors"][0], command)
    return result["data"]


def open(config: Optional[Mapping[str, Any]] = None, /, **keys: Any) -> Tfa:
    """Opens libtfa with the keys of the configuration table, as a mapping, as keywords or both.

    Raises ConfigError when a key is unknown or a value cannot be used. One handle for a whole
    process is meant: open it once, before forking or after, and share it between threads.
    """
    merged = {**(config or {}), **keys}
    return Tfa(merged or None)
