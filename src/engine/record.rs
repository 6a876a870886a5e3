//! What the engine's records say, and how they are written: small JSON objects that carry their format.
//!
//! Promises: what is written is read back; a record of a newer format, or a damaged one, is an error that names it and
//! is never taken for "not enrolled"; a secret is only ever in a record sealed.

use std::ops::RangeInclusive;

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::guess::Guesses;
use crate::otp::code::{Algorithm, CodeFormat, DIGITS, PERIODS};
use crate::otp::recovery::{MAC_BYTES, RecoveryMac};
use crate::store::seal::Sealed;
use crate::store::{Key, Kind, Unavailable};

/// The format that this code writes; it reads this one.
const FORMAT: u32 = 1;

/// The policy, under [`POLICY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether two-factor authentication is asked for at all.
    pub enabled: bool,
}

/// The boot in which the store was last opened, under [`BOOT`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    /// The kernel's name for it.
    pub boot_id: String,
    /// Unix seconds of the first opening in it, 0 for a new store: no step up to then (plus skew) is accepted.
    pub floor: u64,
}

/// The key that seals secrets, under [`KEYS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Its id.
    pub current: String,
    /// No secret is under an older key any more.
    pub is_only: bool,
}

/// An issuer, under the name of the account that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its name.
    pub issuer: String,
}

/// An enrolled subject's whole state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The hash.
    pub algorithm: Algorithm,
    /// Digits of a code.
    #[serde(deserialize_with = "read_digits")]
    pub digits: u32,
    /// Seconds of a step.
    #[serde(deserialize_with = "read_period")]
    pub period: u32,
    /// The secret.
    pub secret: Sealed,
    /// The last step that was accepted; 0 when none was.
    pub last_step: u64,
    /// Wrong codes.
    pub guesses: Guesses,
    /// The recovery codes that are left.
    #[serde(serialize_with = "write_macs", deserialize_with = "read_macs")]
    pub recovery: Vec<RecoveryMac>,
}

impl Enrolment {
    /// How codes are made from the secret.
    pub fn code_format(&self) -> CodeFormat {
        CodeFormat { algorithm: self.algorithm, digits: self.digits, period: self.period }
    }
}

/// What is kept of an enrolment that was removed, so that its last codes stay used if the secret comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// Recognises the secret.
    #[serde(serialize_with = "write_macs", deserialize_with = "read_macs")]
    pub fingerprint: Vec<RecoveryMac>,
    /// Seconds of a step.
    pub period: u32,
    /// The last step that was accepted.
    pub last_step: u64,
}

/// Where the policy is.
pub const POLICY: Key<'static> = Key { kind: Kind::Server, name: "policy" };
/// Where the key that seals is named.
pub const KEYS: Key<'static> = Key { kind: Kind::Server, name: "keys" };
/// Where the boot is.
pub const BOOT: Key<'static> = Key { kind: Kind::Server, name: "boot" };

/// The format and then the record's own fields, in one object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Framed<R> {
    format: u32,
    record: R,
}

/// The format alone, whatever else there is.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Writes a record.
pub fn write<R: Serialize>(record: &R) -> Result<String, Unavailable> {
    serde_json::to_string(&Framed { format: FORMAT, record })
        .map_err(|error| Unavailable(format!("A record cannot be written: {error}")))
}

/// Reads the record of `name`, if there is one.
pub fn read<R: DeserializeOwned>(name: &str, text: Option<&str>) -> Result<Option<R>, Unavailable> {
    let Some(text) = text else {
        return Ok(None);
    };
    match serde_json::from_str::<Framed<R>>(text) {
        Ok(framed) if framed.format == FORMAT => Ok(Some(framed.record)),
        _ => Err(unreadable(name, text)),
    }
}

fn unreadable(name: &str, text: &str) -> Unavailable {
    Unavailable(match serde_json::from_str::<Format>(text) {
        Ok(Format { format }) if format > FORMAT => format!(
            "The record of \"{name}\" has format {format}, and this library knows formats up to {FORMAT}. Install the newer library"
        ),
        _ => format!("The record of \"{name}\" is damaged. Restore it from a backup"),
    })
}

/// The name that a subject's records are kept under. What follows the `@` comes first, so that the mailboxes of a
/// domain and the team users of an account lie together. No subject's name has a slash of its own.
pub fn subject_name(subject: &str) -> String {
    match subject.split_once('@') {
        Some((local, part)) => format!("{part}/{local}"),
        None => subject.to_owned(),
    }
}

/// The subject whose records are kept under `name`.
pub fn name_subject(name: &str) -> String {
    match name.split_once('/') {
        Some((part, local)) => format!("{local}@{part}"),
        None => name.to_owned(),
    }
}

fn read_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    read_within(deserializer, &DIGITS)
}

fn read_period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    read_within(deserializer, &PERIODS)
}

/// A number that is out of its range would be obeyed like any other: a flipped bit makes codes of two digits.
fn read_within<'de, D: Deserializer<'de>>(deserializer: D, range: &RangeInclusive<u32>) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if range.contains(&number) { Ok(number) } else { Err(serde::de::Error::custom("a number is out of its range")) }
}

fn write_macs<S: Serializer>(macs: &[RecoveryMac], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(&macs.concat()))
}

fn read_macs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RecoveryMac>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let bytes = BASE64.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
    let (macs, rest) = bytes.as_chunks::<MAC_BYTES>();
    if rest.is_empty() { Ok(macs.to_vec()) } else { Err(serde::de::Error::custom("a MAC is cut short")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_back() {
        let removed = Removed { fingerprint: vec![[7; MAC_BYTES]], period: 30, last_step: 9 };
        assert_eq!(read("x", Some(&write(&removed).unwrap())).unwrap(), Some(removed));
        assert_eq!(read::<Policy>("policy", None).unwrap(), None);
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let newer = r#"{"format":2,"record":{"enabled":true,"since":1}}"#;
        assert!(read::<Policy>("policy", Some(newer)).unwrap_err().0.contains("format 2"));
        for text in [
            "",
            "null",
            r#"{"format":1}"#,
            r#"{"format":1,"record":{"enabled":1}}"#,
            r#"{"format":0,"record":{"enabled":true}}"#,
        ] {
            assert!(read::<Policy>("policy", Some(text)).unwrap_err().0.contains("damaged"), "{text}");
        }
    }

    #[test]
    fn an_enrolment_out_of_range_is_damaged() {
        let secret = serde_json::from_str(r#"{"key": "key", "sealed": ""}"#).unwrap();
        let good = Enrolment {
            algorithm: Algorithm::Sha1,
            digits: 6,
            period: 30,
            secret,
            last_step: 0,
            guesses: Guesses::default(),
            recovery: Vec::new(),
        };
        let reads = |enrolment: &Enrolment| read::<Enrolment>("x", Some(&write(enrolment).unwrap())).is_ok();
        assert!(reads(&good));
        for digits in [0, 2, 4, 5, 9] {
            assert!(!reads(&Enrolment { digits, ..good.clone() }), "{digits} digits");
        }
        for period in [0, 3601, u32::MAX] {
            assert!(!reads(&Enrolment { period, ..good.clone() }), "steps of {period} seconds");
        }
    }

    #[test]
    fn subjects_lie_with_their_domain() {
        for (subject, name) in
            [("example", "example"), ("user@example.com", "example.com/user"), ("team@example", "example/team")]
        {
            assert_eq!(subject_name(subject), name);
            assert_eq!(name_subject(name), subject);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = read::<Enrolment>("x", Some(&text));
            let _ = read::<Removed>("x", Some(&text));
        }
    }
}
