//! One-time codes: HOTP (RFC 4226) and TOTP (RFC 6238).
//!
//! Promises: a code is compared as a number, in constant time; the whole window is examined whatever matches, and the
//! newest match is returned. The HMAC key is prepared once per verification and shared by its steps. The remaining time
//! is almost all SHA-1: two compressions for the key and two for each step.

use std::ops::RangeInclusive;

use hmac::EagerHash;
use hmac::block_api::HmacCore;
use hmac::digest::Output;
use hmac::digest::block_api::{Buffer, FixedOutputCore};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::keyed;

/// The hash under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// HMAC-SHA-1: what every authenticator computes.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name that `otpauth` URIs use.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        }
    }

    /// The algorithm of that name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// Digits that an enrolment's codes may have.
pub const DIGITS: RangeInclusive<u32> = 6..=8;
/// Seconds that an enrolment's steps may have.
pub const PERIODS: RangeInclusive<u32> = 1..=3600;
/// Time steps that a login may accept on either side of the present one.
pub const SKEWS: RangeInclusive<u32> = 0..=10;

/// How codes are made from a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeFormat {
    /// The hash.
    pub algorithm: Algorithm,
    /// Digits of a code.
    pub digits: u32,
    /// Seconds of a time step.
    pub period: u32,
}

impl Default for CodeFormat {
    /// The format that every authenticator assumes: SHA-1, 6 digits, 30 seconds.
    fn default() -> Self {
        CodeFormat { algorithm: Algorithm::Sha1, digits: 6, period: 30 }
    }
}

impl CodeFormat {
    /// The time step that `time` (Unix seconds) falls into; RFC 6238 section 4.2 with T0 = 0.
    pub fn step(&self, time: u64) -> u64 {
        time.checked_div(u64::from(self.period)).unwrap_or_default()
    }

    /// The time (Unix seconds) at which `step` has ended: the first second of the next one.
    pub fn step_end(&self, step: u64) -> u64 {
        step.saturating_add(1).saturating_mul(u64::from(self.period))
    }

    /// The steps whose codes can be accepted at `time` (Unix seconds): `skew` either side of the present one.
    pub fn window(&self, time: u64, skew: u32) -> RangeInclusive<u64> {
        window(self.step(time), skew)
    }

    /// The time (Unix seconds) at which the last of these steps has ended.
    pub fn window_end(&self, time: u64, skew: u32) -> u64 {
        self.step_end(*self.window(time, skew).end())
    }

    /// The code for `counter`: the dynamic truncation of RFC 4226 section 5.3, then decimal digits (1 to 10).
    pub fn code(&self, secret: &[u8], counter: u64) -> u64 {
        match self.algorithm {
            Algorithm::Sha1 => code::<Sha1>(&keyed(secret), counter, self.digits),
            Algorithm::Sha256 => code::<Sha256>(&keyed(secret), counter, self.digits),
            Algorithm::Sha512 => code::<Sha512>(&keyed(secret), counter, self.digits),
        }
    }

    /// The newest of `steps` whose code is `code`. Takes the same time wherever the match is, and when there is none.
    pub fn newest_match(&self, secret: &[u8], steps: RangeInclusive<u64>, code: u64) -> Option<u64> {
        match self.algorithm {
            Algorithm::Sha1 => newest_match::<Sha1>(keyed(secret), steps, self.digits, code),
            Algorithm::Sha256 => newest_match::<Sha256>(keyed(secret), steps, self.digits, code),
            Algorithm::Sha512 => newest_match::<Sha512>(keyed(secret), steps, self.digits, code),
        }
    }
}

fn newest_match<D: EagerHash>(mac: HmacCore<D>, steps: RangeInclusive<u64>, digits: u32, wanted: u64) -> Option<u64> {
    newest_of(steps, |step| code(&mac, step, digits), wanted)
}

/// The newest of `steps` whose code is `wanted`. Computes the code of every step, whether an earlier one matched or not.
fn newest_of(steps: RangeInclusive<u64>, mut code: impl FnMut(u64) -> u64, wanted: u64) -> Option<u64> {
    let mut found = Choice::from(0);
    let mut newest = 0u64;
    for step in steps {
        let equal = code(step).ct_eq(&wanted);
        newest.conditional_assign(&step, equal);
        found |= equal;
    }
    bool::from(found).then_some(newest)
}

/// The counter fits into one block, so the block-level HMAC will do. Inlined wherever it is called, because the compiler
/// then knows where the block's padding goes: that saves a twentieth of a check.
#[inline(always)]
fn code<D: EagerHash>(mac: &HmacCore<D>, counter: u64, digits: u32) -> u64 {
    let mut message = Buffer::<HmacCore<D>>::new(&counter.to_be_bytes());
    let mut signature = Output::<HmacCore<D>>::default();
    mac.clone().finalize_fixed_core(&mut message, &mut signature);
    u64::from(last_digits(truncate(&signature), digits))
}

pub(super) fn truncate(signature: &[u8]) -> u32 {
    let offset = usize::from(signature.last().copied().unwrap_or_default() & 0x0f);
    let word = signature.get(offset..).and_then(|tail| tail.first_chunk::<4>()).copied().unwrap_or_default();
    u32::from_be_bytes(word) & 0x7fff_ffff
}

/// The last `digits` decimal digits. With ten of them nothing is cut off: a truncated value has 31 bits.
#[inline]
fn last_digits(value: u32, digits: u32) -> u32 {
    match digits {
        // The usual number, where a constant divisor spares the division.
        6 => value % 1_000_000,
        _ => value.checked_rem(10u32.checked_pow(digits).unwrap_or(u32::MAX)).unwrap_or_default(),
    }
}

/// The steps that a code may belong to at `step`: `skew` either side.
pub fn window(step: u64, skew: u32) -> RangeInclusive<u64> {
    step.saturating_sub(u64::from(skew))..=step.saturating_add(u64::from(skew))
}

/// The fewest digits of a code whose leading zeros are missing.
const FEWEST: u32 = 3;

/// Reads a code of `digits` decimal digits (at most 19); white space is ignored. A typed client drops leading zeros, so
/// the code can have fewer digits, but not fewer than three (contract section 2). Anything else is no code, bytes that
/// are not UTF-8 too.
pub fn parse(text: impl AsRef<[u8]>, digits: u32) -> Option<u64> {
    let (mut count, mut value) = (0u32, 0u64);
    for byte in text.as_ref().iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        count = count.checked_add(1).filter(|count| *count <= digits)?;
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (count >= digits.clamp(1, FEWEST)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIX: CodeFormat = CodeFormat { algorithm: Algorithm::Sha1, digits: 6, period: 30 };
    const SEED: &[u8] = b"12345678901234567890";

    /// RFC 4226 appendix D.
    #[test]
    fn hotp_vectors() {
        let codes = [755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(SIX.code(SEED, counter), code);
        }
    }

    /// RFC 6238 appendix B; the seeds are as long as the hash, which the text leaves out and the reference code has.
    #[test]
    fn totp_vectors() {
        let seeds: [(Algorithm, &[u8]); 3] = [
            (Algorithm::Sha1, b"12345678901234567890"),
            (Algorithm::Sha256, b"12345678901234567890123456789012"),
            (Algorithm::Sha512, b"1234567890123456789012345678901234567890123456789012345678901234"),
        ];
        for (time, codes) in [
            (59, [94287082, 46119246, 90693936]),
            (1111111109, [7081804, 68084774, 25091201]),
            (1111111111, [14050471, 67062674, 99943326]),
            (1234567890, [89005924, 91819424, 93441116]),
            (2000000000, [69279037, 90698825, 38618901]),
            (20000000000, [65353130, 77737706, 47863826]),
        ] {
            for ((algorithm, seed), code) in seeds.into_iter().zip(codes) {
                let code_format = CodeFormat { algorithm, digits: 8, period: 30 };
                assert_eq!(code_format.code(seed, code_format.step(time)), code);
            }
        }
    }

    #[test]
    fn ten_digits_are_the_whole_truncated_value() {
        assert_eq!(CodeFormat { digits: 10, ..SIX }.code(SEED, 0), 1284755224);
    }

    #[test]
    fn the_newest_match_wins() {
        let one = CodeFormat { digits: 1, ..SIX };
        // With one digit, several of ten steps have the same code: all but the last are shadowed.
        let steps = 0..=9;
        let last = steps.clone().rev().find(|step| one.code(SEED, *step) == 4).unwrap();
        assert_eq!(one.newest_match(SEED, steps, 4), Some(last));
        assert_eq!(SIX.newest_match(SEED, 0..=0, 755224), Some(0));
        assert_eq!(SIX.newest_match(SEED, 1..=3, 755224), None);
    }

    #[test]
    fn the_whole_window_is_computed_wherever_the_match_is() {
        for matches in [vec![], vec![3], vec![5], vec![7], vec![3, 5, 7], vec![3, 4, 5, 6, 7]] {
            let mut computed = Vec::new();
            let code = |step| {
                computed.push(step);
                u64::from(matches.contains(&step))
            };
            assert_eq!(newest_of(3..=7, code, 1), matches.last().copied(), "{matches:?}");
            computed.sort_unstable();
            assert_eq!(computed, [3, 4, 5, 6, 7], "{matches:?}");
        }
    }

    #[test]
    fn the_window_ends_at_the_epoch() {
        assert_eq!(window(0, 1), 0..=1);
        assert_eq!(window(u64::MAX, 2), u64::MAX - 2..=u64::MAX);
    }

    #[test]
    fn codes_are_read_strictly() {
        assert_eq!(parse("012345", 6), Some(12345));
        assert_eq!(parse(" 012 345\n", 6), Some(12345));
        assert_eq!(parse("12345", 6), Some(12345));
        assert_eq!(parse("123", 6), Some(123));
        assert_eq!(parse("7", 1), Some(7));
        for text in ["", "12", "1234567", "+12345", "12345a", "１２３４５６", "123-456"] {
            assert_eq!(parse(text, 6), None, "{text}");
        }
        assert_eq!(parse(b"12345\xff", 6), None);
        assert_eq!(parse("", 0), None);
    }

    proptest! {
        #[test]
        fn agrees_with_totp_rs(secret in prop::collection::vec(any::<u8>(), 1..100), time in 0u64..1 << 40, which in 0..3usize) {
            let (ours, theirs) = [
                (Algorithm::Sha1, totp_rs::Algorithm::SHA1),
                (Algorithm::Sha256, totp_rs::Algorithm::SHA256),
                (Algorithm::Sha512, totp_rs::Algorithm::SHA512),
            ][which];
            let peer = totp_rs::Builder::new().with_algorithm(theirs).with_secret(secret.clone()).build_noncompliant();
            let code = CodeFormat { algorithm: ours, ..SIX }.code(&secret, time / 30);
            prop_assert_eq!(format!("{code:06}"), peer.generate(time).to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", digits in 0u32..30) {
            let _ = parse(&text, digits);
        }
    }
}
