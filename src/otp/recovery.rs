//! Recovery codes: what opens one login when the authenticator is lost.
//!
//! Promises: 80 random bits each, shown as `abcd-efgh-ijkl-mnop`; read back whatever the case, the dashes and the
//! spaces; kept only as a MAC under a key derived from the subject's own secret, which is itself kept sealed. So the
//! stored form says nothing without the key file, belongs to one subject, and outlives a change of that key file.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::keyed;
use super::random::{self, NoEntropy};
use super::secret::Secret;

/// How many codes a set has.
pub const SET: usize = 10;
/// Bytes of a code: 80 bits.
const BYTES: usize = 10;
/// Bytes of a stored MAC. HMAC-SHA-256 cut to 128 bits (RFC 2104 section 5) is ample against guesses at 80.
pub const MAC_BYTES: usize = 16;

/// A recovery code as bytes, wiped when dropped.
pub struct RecoveryCode(Zeroizing<[u8; BYTES]>);

/// The stored form of a recovery code.
pub type RecoveryMac = [u8; MAC_BYTES];

impl RecoveryCode {
    /// Makes a new one.
    pub fn generate() -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0u8; BYTES]);
        random::fill(bytes.as_mut())?;
        Ok(RecoveryCode(bytes))
    }

    /// Reads what a person typed; `None` when it cannot be a recovery code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
        for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-') {
            characters.push(byte.to_ascii_uppercase());
        }
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(&characters).ok()?);
        Some(RecoveryCode(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The text that the user writes down: four groups of four.
    pub fn text(&self) -> Zeroizing<String> {
        let characters = Zeroizing::new(BASE32_NOPAD.encode(self.0.as_ref()).to_ascii_lowercase());
        let mut text = Zeroizing::new(String::with_capacity(characters.len().saturating_add(3)));
        for (place, character) in characters.chars().enumerate() {
            if place != 0 && place.is_multiple_of(4) {
                text.push('-');
            }
            text.push(character);
        }
        text
    }

    /// The form that is stored for `subject`, whose secret is `secret`.
    pub fn mac(&self, subject: &str, secret: &Secret) -> RecoveryMac {
        let key = Zeroizing::new(keyed_hash(secret.bytes(), &[b"libtfa recovery codes\0", subject.as_bytes()]));
        cut(&keyed_hash(key.as_ref(), &[self.0.as_ref()]))
    }
}

/// Where `mac` stands among `macs`; all of them are compared, each in constant time.
pub fn position(mac: &RecoveryMac, macs: &[RecoveryMac]) -> Option<usize> {
    let mut found = None;
    for (place, other) in macs.iter().enumerate() {
        if bool::from(mac.ct_eq(other)) {
            found = Some(place);
        }
    }
    found
}

/// What is kept of a removed secret: enough to recognise it, nothing to compute codes with.
pub fn fingerprint(subject: &str, secret: &Secret) -> RecoveryMac {
    cut(&keyed_hash(secret.bytes(), &[b"libtfa removed secret\0", subject.as_bytes()]))
}

fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed::<Hmac<Sha256>>(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn cut(mac: &[u8; 32]) -> RecoveryMac {
    mac.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret() -> Secret {
        Secret::from_bytes(b"12345678901234567890".to_vec())
    }

    #[test]
    fn shown_in_four_groups_of_four() {
        let code = RecoveryCode(Zeroizing::new([0xff; BYTES]));
        assert_eq!(code.text().as_str(), "7777-7777-7777-7777");
    }

    #[test]
    fn one_code_however_it_is_typed() {
        let code = RecoveryCode::generate().unwrap();
        let text = code.text();
        let mac = code.mac("example", &secret());
        for typed in
            [text.to_uppercase(), text.replace('-', ""), text.replace('-', " "), format!(" {} ", text.as_str())]
        {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().mac("example", &secret()), mac);
        }
    }

    #[test]
    fn belongs_to_one_subject_and_one_secret() {
        let code = RecoveryCode::generate().unwrap();
        let mac = code.mac("example", &secret());
        assert_ne!(code.mac("other", &secret()), mac);
        assert_ne!(code.mac("example", &Secret::from_bytes(b"another secret".to_vec())), mac);
    }

    #[test]
    fn found_wherever_it_stands() {
        let macs = [[1; MAC_BYTES], [2; MAC_BYTES], [3; MAC_BYTES]];
        assert_eq!(position(&[1; MAC_BYTES], &macs), Some(0));
        assert_eq!(position(&[3; MAC_BYTES], &macs), Some(2));
        assert_eq!(position(&[4; MAC_BYTES], &macs), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = RecoveryCode::parse(&text);
        }
    }
}
