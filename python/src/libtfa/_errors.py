"""The exceptions of the package.

Promise: a message tells the caller what to do and never contains a secret or a code.
"""


class TfaError(Exception):
    """The base of every failure.

    `reason` is the library's sentence, `reason_code` its stable code (docs/api.md, "Reason codes"; "" where the package
    itself refuses), and `command` the function that was called, or "" where there is none.
    """

    def __init__(self, reason: str, command: str = "", reason_code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.reason_code = reason_code


class Refused(TfaError):
    """The request was understood and refused: change the request."""


class Unavailable(TfaError):
    """The library cannot answer, because the store is not available for example: deny the login."""


class ConfigError(TfaError):
    """The configuration is not valid, or what it names cannot be used."""


def refusal(reason: str, reason_code: str, command: str = "") -> TfaError:
    """The exception for a failure of the library."""
    kind = Unavailable if reason_code == "unavailable" else Refused
    return kind(reason, command, reason_code)
