"""The exceptions of the package, and the one rule that picks between them.

Promise: a message tells the caller what to do and never carries a secret or a code.
"""


class TfaError(Exception):
    """Anything that libtfa could not or would not do.

    `reason` is the library's own sentence (the contract's table of reasons); `command` is the
    function that was called, or "" where there is none.
    """

    def __init__(self, reason: str, command: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command


class Refused(TfaError):
    """The question was understood and the answer is no: change the request."""


class Unavailable(TfaError):
    """The question could not be answered, because the store is away, say: keep the subject out."""


class ConfigError(TfaError):
    """The configuration given to `libtfa.open` is wrong, or what it names cannot be used."""


_STORE_AWAY = "The two-factor authentication data is not available"


def refusal(reason: str, command: str = "") -> TfaError:
    """The exception for a reason that came from the library."""
    kind = Unavailable if reason.startswith(_STORE_AWAY) else Refused
    return kind(reason, command)
