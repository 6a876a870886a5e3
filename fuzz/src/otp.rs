//! Secrets and `otpauth` URIs. Promise: what parses is written, and parses again to the same value.

use tfa::otp::secret::Secret;
use tfa::otp::uri::OtpauthUri;

/// An `otpauth` URI. Spaces before an account are not part of it.
pub fn otpauth(text: &str) {
    if let Ok(uri) = OtpauthUri::parse(text) {
        let again = OtpauthUri::parse(&uri.write()).expect("what was written parses");
        assert_eq!(again.secret.bytes(), uri.secret.bytes());
        assert_eq!((again.moving_factor, again.code_format), (uri.moving_factor, uri.code_format));
        assert_eq!((again.issuer, again.account.trim_start()), (uri.issuer, uri.account.trim_start()));
    }
}

/// A secret.
pub fn base32(text: &str) {
    if let Ok(secret) = Secret::from_base32(text) {
        let again = Secret::from_base32(&secret.to_base32()).expect("what was written parses");
        assert_eq!(again.bytes(), secret.bytes());
    }
}
