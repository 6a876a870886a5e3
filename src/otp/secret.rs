//! The shared secret: Base32 text outside, bytes inside.
//!
//! Promises: text is normalised once, here, before it is compared or stored; bytes are wiped when dropped; `Debug` does
//! not show them. RFC 4648 section 6; lengths from contract section 2.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::random::{self, NoEntropy};

/// The fewest Base32 characters of a secret (80 bits).
pub const MIN_CHARACTERS: usize = 16;
/// The most Base32 characters of a secret (640 bits).
pub const MAX_CHARACTERS: usize = 128;
/// The longest text that is examined: the longest secret, written with a separator after each character.
const MAX_TEXT: usize = 2 * MAX_CHARACTERS;
/// The most bytes of a secret that is not stored.
pub const MAX_ANY_BYTES: usize = 1024;
/// The lengths of such a secret, in words.
pub const ANY_LENGTH: &str = "1 to 1024 bytes";
/// The longest text of such a secret that is examined: its Base32 with a separator after each character.
const MAX_ANY_TEXT: usize = MAX_ANY_BYTES.div_ceil(5) * 16;

/// The bytes that both sides of a one-time password share.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// The text is not a Base32 string of 16 to 128 characters.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Base32 string of {MIN_CHARACTERS} to {MAX_CHARACTERS} characters")]
pub struct NotBase32;

impl Secret {
    /// Takes the bytes as they are.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Secret(Zeroizing::new(bytes))
    }

    /// Reads Base32 of 16 to 128 characters. Lower case, white space, dashes and `=` padding are accepted, anything else
    /// is refused.
    pub fn from_base32(text: &str) -> Result<Self, NotBase32> {
        if text.len() > MAX_TEXT {
            return Err(NotBase32);
        }
        let characters = normalise(text);
        if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&characters.len()) {
            return Err(NotBase32);
        }
        decode(&characters).map(Secret)
    }

    /// Reads the Base32 of a secret of 1 to 1024 bytes, as forgivingly as [`Secret::from_base32`]: secrets that are not
    /// stored here can be shorter or longer than those that are.
    pub fn from_any_base32(text: &str) -> Result<Self, NotBase32> {
        if text.len() > MAX_ANY_TEXT {
            return Err(NotBase32);
        }
        Self::from_any(decode(&normalise(text))?)
    }

    /// Takes the 1 to 1024 bytes of a secret that is not stored.
    pub fn from_any_bytes(bytes: Vec<u8>) -> Result<Self, NotBase32> {
        Self::from_any(Zeroizing::new(bytes))
    }

    fn from_any(bytes: Zeroizing<Vec<u8>>) -> Result<Self, NotBase32> {
        if (1..=MAX_ANY_BYTES).contains(&bytes.len()) { Ok(Secret(bytes)) } else { Err(NotBase32) }
    }

    /// Generates a secret of `characters` Base32 characters: 16 to 128, a multiple of 8, so that they fill whole bytes.
    pub fn generate(characters: usize) -> Result<Self, GenerateError> {
        if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&characters) || !characters.is_multiple_of(8) {
            return Err(GenerateError::Length);
        }
        let mut bytes = Zeroizing::new(vec![0u8; BASE32_NOPAD.decode_len(characters).unwrap_or_default()]);
        random::fill(&mut bytes)?;
        Ok(Secret(bytes))
    }

    /// Whether all bytes are equal. Such a secret is a placeholder, not a random one.
    pub fn is_uniform(&self) -> bool {
        self.0.windows(2).all(|pair| pair.first() == pair.last())
    }

    /// The bytes, which are what the HMAC is keyed with.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The canonical text: upper case, unpadded.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }
}

/// Why no secret was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The length is out of range.
    #[error("a secret has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters, a multiple of 8")]
    Length,
    /// The operating system gave no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Decodes Base32 of any length as forgivingly as [`Secret::from_base32`].
pub fn decode_base32(text: &str) -> Result<Zeroizing<Vec<u8>>, NotBase32> {
    decode(&normalise(text))
}

fn decode(characters: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotBase32> {
    let mut characters = Zeroizing::new(characters.to_vec());
    clear_trailing_bits(&mut characters);
    BASE32_NOPAD.decode(&characters).map(Zeroizing::new).map_err(|_| NotBase32)
}

/// Clears the bits after the last whole byte, which authenticators ignore (RFC 4648 section 3.5 lets a decoder choose).
fn clear_trailing_bits(characters: &mut [u8]) {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mask = match characters.len() % 8 {
        2 => 0b11100,
        4 => 0b10000,
        5 => 0b11110,
        7 => 0b11000,
        _ => return,
    };
    if let Some(last) = characters.last_mut()
        && let Some(value) = ALPHABET.iter().position(|character| character == last)
        && let Some(cleared) = ALPHABET.get(value & mask)
    {
        *last = *cleared;
    }
}

/// Upper case, without white space, dashes and trailing padding. What is not ASCII stays, to be refused by the decoder.
fn normalise(text: &str) -> Zeroizing<Vec<u8>> {
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(
        text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-').map(|byte| byte.to_ascii_uppercase()),
    );
    while characters.last() == Some(&b'=') {
        characters.pop();
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4648 section 10.
    #[test]
    fn base32_vectors() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            assert_eq!(decode_base32(text).unwrap().as_slice(), bytes.as_bytes());
            let secret = Secret::from_bytes(bytes.as_bytes().to_vec());
            assert_eq!(secret.to_base32().as_str(), text.trim_end_matches('='));
        }
    }

    #[test]
    fn one_secret_however_it_is_typed() {
        let canonical = Secret::from_base32("CAOXW75HKYJJ6E5Y").unwrap();
        for text in ["caoxw75hkyjj6e5y", "CAOX W75H KYJJ 6E5Y", "caox-w75h-kyjj-6e5y", " CAOXW75HKYJJ6E5Y==\n"] {
            assert_eq!(Secret::from_base32(text).unwrap().bytes(), canonical.bytes(), "{text}");
        }
        assert_eq!(canonical.to_base32().as_str(), "CAOXW75HKYJJ6E5Y");
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "A".repeat(136);
        for text in ["", "AAAA", "CAOXW75HKYJJ6E5", "CAOXW75HKYJJ6E51", "CAOXW75H=KYJJ6E5Y", "ÀAOXW75HKYJJ6E5Y", &long]
        {
            assert_eq!(Secret::from_base32(text).err(), Some(NotBase32), "{text}");
        }
    }

    #[test]
    fn bits_after_the_last_whole_byte_are_ignored() {
        for (given, canonical) in
            [("MZ", "MY"), ("MZXR", "MZXQ"), ("MZXW7", "MZXW6"), ("MZXW6YR", "MZXW6YQ"), ("MZXW6YT7", "MZXW6YT7")]
        {
            let text = |text: &str| BASE32_NOPAD.encode(&decode_base32(text).unwrap());
            assert_eq!(text(given), canonical);
        }
        for cut in ["M", "MZX", "MZXW6Y", "1", "M1", "MZ=="] {
            assert_eq!(decode_base32(cut).is_ok(), cut == "MZ==", "{cut}");
        }
        let secret = Secret::from_base32("CAOXW75HKYJJ6E5YC7").unwrap();
        assert_eq!(secret.to_base32().as_str(), "CAOXW75HKYJJ6E5YC4");
    }

    #[test]
    fn a_secret_of_equal_bytes_is_uniform() {
        for (bytes, is_uniform) in
            [(vec![0; 10], true), (vec![7; 20], true), (vec![1, 2], false), (vec![0, 0, 1], false)]
        {
            assert_eq!(Secret::from_bytes(bytes).is_uniform(), is_uniform);
        }
    }

    #[test]
    fn generated_secrets_have_the_length_asked_for() {
        for characters in [16, 24, 32, 128] {
            assert_eq!(Secret::generate(characters).unwrap().to_base32().len(), characters);
        }
        for characters in [0, 8, 15, 20, 136] {
            assert!(matches!(Secret::generate(characters), Err(GenerateError::Length)));
        }
    }

    #[test]
    fn debug_keeps_it_to_itself() {
        assert_eq!(format!("{:?}", Secret::from_bytes(b"hidden".to_vec())), "Secret(…)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in prop::collection::vec(any::<u8>(), 10..=80)) {
            let secret = Secret::from_bytes(bytes.clone());
            let read = Secret::from_base32(&secret.to_base32()).unwrap();
            prop_assert_eq!(read.bytes(), bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            let _ = Secret::from_base32(&text);
        }
    }
}
