//! One-time passwords as pure arithmetic: secrets, codes, `otpauth` URIs and recovery codes.
//!
//! Nothing here reads a clock, a file or a store; the one thing taken from outside is randomness, straight from the
//! operating system. Standards: RFC 4226 (HOTP), RFC 6238 (TOTP), RFC 4648 (Base32), the Key URI format.

pub mod code;
pub mod credential;
pub mod qr;
pub mod random;
pub mod recovery;
pub mod secret;
pub mod shown;
pub mod uri;

/// Keys an HMAC.
#[expect(clippy::expect_used, reason = "RFC 2104 lets a key have any length, and so does the implementation")]
fn keyed<M: hmac::KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes a key of any length")
}
