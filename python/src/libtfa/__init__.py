"""libtfa: two-factor authentication for hosting panels.

    with libtfa.open() as tfa:
        tfa.whm.twofactorauth_policy_status(caller="root")
        if tfa.login("example", "123456"):
            ...

Pure Python over the C library libtfa.so.0. It is found through the environment variable
TFA_LIBRARY, then beside this package, then by its soname; a library of another ABI fails the import.
"""

from . import _library
from ._errors import ConfigError, Refused, TfaError, Unavailable
from ._otp import Secret, base32_decode, hotp, otpauth, otpauth_parse, qr, secret, totp, verify, verify_step
from ._tfa import Audit, Function, Functions, HttpAnswer, Login, Lookup, Tfa, functions, open

#: The version of the C library, which is the version of this package too.
__version__: str = _library.library.tfa_version().decode()

__all__ = [
    "Audit",
    "ConfigError",
    "Function",
    "Functions",
    "HttpAnswer",
    "Login",
    "Lookup",
    "Refused",
    "Secret",
    "Tfa",
    "TfaError",
    "Unavailable",
    "base32_decode",
    "functions",
    "hotp",
    "open",
    "otpauth",
    "otpauth_parse",
    "qr",
    "secret",
    "totp",
    "verify",
    "verify_step",
]
