//! Codes that are shown: generated for a person, previewed, or printed by a command.
//!
//! totp-rs computes them. The verification loop in `code` has a kernel of its own, for which these codes are the oracle.
//!
//! Promise: nothing here panics. totp-rs does for ten digits or a period of zero, so ten digits are the whole truncated
//! value of its signature, and the period is always one: the caller computes the counter.

use totp_rs::{Algorithm as Hash, Builder, Totp};
use zeroize::Zeroizing;

use super::code::{Algorithm, CodeFormat, truncate};

/// Digits from which a code is the whole truncated value (RFC 4226 section 5.3).
const WHOLE: u32 = 10;

/// The code for `counter` as decimal digits.
pub fn decimal(format: CodeFormat, secret: &[u8], counter: u64) -> Zeroizing<String> {
    let hash = match format.algorithm {
        Algorithm::Sha1 => Hash::SHA1,
        Algorithm::Sha256 => Hash::SHA256,
        Algorithm::Sha512 => Hash::SHA512,
    };
    let digits = u8::try_from(format.digits.min(WHOLE)).unwrap_or_default();
    let generator = generator(hash, digits, secret);
    Zeroizing::new(if format.digits >= WHOLE {
        format!("{:010}", truncate(generator.sign(counter).as_ref()))
    } else {
        generator.generate(counter).to_string()
    })
}

/// The code for `counter` in Steam's notation: five characters of an alphabet of 26.
pub fn steam(secret: &[u8], counter: u64) -> Zeroizing<String> {
    const CHARACTERS: u8 = 5;
    Zeroizing::new(generator(Hash::Steam, CHARACTERS, secret).generate(counter).to_string())
}

/// A generator whose time is the counter. `build` would refuse secrets of less than 128 bits, which are documented ones.
fn generator(hash: Hash, digits: u8, secret: &[u8]) -> Totp {
    let builder = Builder::new().with_algorithm(hash).with_digits(digits).with_step_duration(1);
    builder.with_secret(secret.to_vec()).build_noncompliant()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4226 appendix D, and a value that is known from Steam's clients.
    #[test]
    fn published_codes_are_generated() {
        let format = CodeFormat::default();
        assert_eq!(decimal(format, b"12345678901234567890", 1).as_str(), "287082");
        assert_eq!(decimal(CodeFormat { digits: 10, ..format }, b"12345678901234567890", 0).as_str(), "1284755224");
        assert_eq!(steam(b"12345678901234567890", 0).len(), 5);
    }

    proptest! {
        #[test]
        fn shown_codes_are_those_that_are_verified(
            secret in prop::collection::vec(any::<u8>(), 1..200),
            counter in any::<u64>(),
            digits in 1u32..=10,
            hash in 0..3usize,
        ) {
            let algorithm = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512][hash];
            let format = CodeFormat { algorithm, digits, period: 30 };
            let shown = decimal(format, &secret, counter);
            prop_assert_eq!(shown.len(), digits as usize);
            prop_assert_eq!(shown.parse::<u64>().unwrap(), format.code(&secret, counter));
        }
    }
}
