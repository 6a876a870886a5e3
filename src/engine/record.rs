//! The engine's records and their representation: small JSON objects that carry the number of their format.
//!
//! Promises: a record is read back as it was written; format 1 is read as well and is rewritten with the record's next
//! change; a record of a newer format, or a damaged one, is an error that names it, and never counts as "not enrolled";
//! a record holds a secret only sealed.

mod first;
mod used;

use std::ops::RangeInclusive;

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::denials::Denials;
use super::guess::{Guesses, RecoveryGuesses};
pub use used::UsedCodes;

use crate::accounts::Subject;
use crate::otp::code::{Algorithm, CodeFormat, DIGITS, PERIODS};
use crate::otp::recovery::{MAC_BYTES, RecoveryMac};
use crate::store::seal::Sealed;
use crate::store::{Key, Kind, Unavailable};

/// The format that is written.
const FORMAT: u32 = 2;
/// The older format that is read as well.
const FIRST_FORMAT: u32 = 1;

/// A record of the engine.
pub trait Record: Serialize + DeserializeOwned {
    /// The record in format 1.
    type First: DeserializeOwned + Into<Self>;
}

impl Record for Policy {
    type First = Self;
}

impl Record for Boot {
    type First = Self;
}

impl Record for Spellings {
    type First = Self;
}

impl Record for Keys {
    type First = Self;
}

impl Record for Backup {
    type First = Self;
}

impl Record for Issuer {
    type First = Self;
}

impl Record for Enrolment {
    type First = first::Enrolment;
}

impl Record for UsedCodes {
    type First = first::Removed;
}

/// The policy, under [`POLICY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether two-factor authentication is enabled.
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

/// The spellings of enrolled names, under [`SPELLINGS`]. It is written once the names have been examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spellings {
    /// Every enrolled name is folded. Once it is false it stays so.
    pub all_folded: bool,
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

/// The last backup, under [`BACKUP`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Its time in Unix seconds.
    pub time: u64,
}

/// An issuer, under the name of the account that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its name.
    pub issuer: String,
}

/// The state of an enrolled subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The hash.
    pub algorithm: Algorithm,
    /// Digits of a code.
    #[serde(deserialize_with = "read_digits")]
    pub digits: u32,
    /// Seconds of a time step.
    #[serde(deserialize_with = "read_period")]
    pub period: u32,
    /// The secret.
    pub secret: Sealed,
    /// The end of the last time step whose code was accepted, in Unix seconds; 0 when none was. A code is accepted only if
    /// its step ends later.
    pub used_until: u64,
    /// The invalid one-time codes in a row.
    pub guesses: Guesses,
    /// The recovery codes that have not been used.
    #[serde(serialize_with = "write_macs", deserialize_with = "read_macs")]
    pub recovery: Vec<RecoveryMac>,
    /// The recovery codes of the same set that have been used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(serialize_with = "write_macs", deserialize_with = "read_macs")]
    pub used_recovery: Vec<RecoveryMac>,
    /// The latest invalid recovery codes.
    #[serde(default, skip_serializing_if = "RecoveryGuesses::is_empty")]
    pub recovery_guesses: RecoveryGuesses,
    /// When the subject enrolled, in Unix seconds; 0 when it is not known.
    #[serde(default)]
    pub enrolled_at: u64,
    /// The name under which the recovery codes were generated, if the subject has been renamed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_name: Option<String>,
    /// The denied attempts that the audit trail does not have yet.
    #[serde(default, skip_serializing_if = "Denials::is_empty")]
    pub denials: Denials,
}

impl Enrolment {
    /// How codes are computed from the secret.
    pub fn code_format(&self) -> CodeFormat {
        CodeFormat { algorithm: self.algorithm, digits: self.digits, period: self.period }
    }
}

/// The key of the policy.
pub const POLICY: Key<'static> = Key { kind: Kind::Server, name: "policy" };
/// The key of the record about spellings.
pub const SPELLINGS: Key<'static> = Key { kind: Kind::Server, name: "spellings" };
/// The key of the record that names the sealing key.
pub const KEYS: Key<'static> = Key { kind: Kind::Server, name: "keys" };
/// The key of the last backup.
pub const BACKUP: Key<'static> = Key { kind: Kind::Server, name: "backup" };
/// The key of the boot.
pub const BOOT: Key<'static> = Key { kind: Kind::Server, name: "boot" };

/// A record with its format.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Framed<R> {
    format: u32,
    record: R,
}

/// The format of a record of any kind.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Writes a record.
pub fn write<R: Record>(record: &R) -> Result<String, Unavailable> {
    serde_json::to_string(&Framed { format: FORMAT, record })
        .map_err(|error| Unavailable(format!("A record cannot be written: {error}")))
}

/// Reads the record of `name`, if there is one.
pub fn read<R: Record>(name: &str, text: Option<&str>) -> Result<Option<R>, Unavailable> {
    let Some(text) = text else {
        return Ok(None);
    };
    match serde_json::from_str::<Framed<R>>(text) {
        Ok(framed) if framed.format == FORMAT => Ok(Some(framed.record)),
        _ => read_first(text).map(Some).ok_or_else(|| unreadable(name, text)),
    }
}

/// Reads a record of format 1.
fn read_first<R: Record>(text: &str) -> Option<R> {
    let framed: Framed<R::First> = serde_json::from_str(text).ok()?;
    (framed.format == FIRST_FORMAT).then(|| framed.record.into())
}

fn unreadable(name: &str, text: &str) -> Unavailable {
    Unavailable(match serde_json::from_str::<Format>(text) {
        Ok(Format { format }) if format > FORMAT => format!(
            "The record of \"{name}\" has format {format}, and this library knows formats up to {FORMAT}. Install the newer library"
        ),
        _ => format!("The record of \"{name}\" is damaged. Restore it from a backup"),
    })
}

/// Reads an enrolment.
pub fn enrolment_in(subject: &Subject, text: Option<&str>) -> Result<Option<Enrolment>, Unavailable> {
    read(subject.name(), text)
}

/// The key of the enrolment of the subject whose records have this name.
pub fn enrolment_key(name: &str) -> Key<'_> {
    Key { kind: Kind::Subject, name }
}

/// The key of the [`UsedCodes`] of the subject whose records have this name.
pub fn used_codes_key(name: &str) -> Key<'_> {
    Key { kind: Kind::Removed, name }
}

/// The name of a subject's records. What follows the `@` comes first, so that the mailboxes of a domain and the team users
/// of an account are neighbours. No subject's name contains a slash.
pub fn subject_name(subject: &str) -> String {
    match subject.split_once('@') {
        Some((local, part)) => format!("{part}/{local}"),
        None => subject.to_owned(),
    }
}

/// The subject whose records have this name.
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

/// Checks the range: a flipped bit would otherwise make codes of two digits.
fn read_within<'de, D: Deserializer<'de>>(deserializer: D, range: &RangeInclusive<u32>) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if range.contains(&number) { Ok(number) } else { Err(serde::de::Error::custom("a number is out of its range")) }
}

fn write_mac<S: Serializer>(mac: &RecoveryMac, serializer: S) -> Result<S::Ok, S::Error> {
    write_macs(std::slice::from_ref(mac), serializer)
}

fn read_mac<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RecoveryMac, D::Error> {
    match read_macs(deserializer)?.as_slice() {
        [mac] => Ok(*mac),
        _ => Err(serde::de::Error::custom("it is not one MAC")),
    }
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

    fn enrolment() -> Enrolment {
        Enrolment {
            algorithm: Algorithm::Sha1,
            digits: 6,
            period: 30,
            secret: serde_json::from_str(r#"{"key": "key", "sealed": ""}"#).unwrap(),
            used_until: 1_800_000_030,
            guesses: Guesses::default(),
            recovery: vec![[7; MAC_BYTES]],
            used_recovery: Vec::new(),
            recovery_guesses: RecoveryGuesses::default(),
            enrolled_at: 0,
            recovery_name: None,
            denials: Denials::default(),
        }
    }

    #[test]
    fn records_are_read_back_as_written() {
        let mut used = UsedCodes { floor: 1, ..UsedCodes::default() };
        used.add([7; MAC_BYTES], 2);
        assert_eq!(read("x", Some(&write(&used).unwrap())).unwrap(), Some(used));
        assert_eq!(read("x", Some(&write(&enrolment()).unwrap())).unwrap(), Some(enrolment()));
        assert_eq!(read::<Policy>("policy", None).unwrap(), None);
    }

    #[test]
    fn records_of_format_1_are_read() {
        let policy = r#"{"format":1,"record":{"enabled":true}}"#;
        assert_eq!(read("policy", Some(policy)).unwrap(), Some(Policy { enabled: true }));
        let text = r#"{"format":1,"record":{"algorithm":"SHA1","digits":6,"period":30,
            "secret":{"key":"key","sealed":""},"last_step":60000000,
            "guesses":{"failures":2,"locked_until":0},"recovery":"BwcHBwcHBwcHBwcHBwcHBw=="}}"#;
        let expected = Enrolment { guesses: Guesses { failures: 2, locked_until: 0 }, ..enrolment() };
        assert_eq!(read("x", Some(text)).unwrap(), Some(expected));
        let never = text.replace("60000000", "0");
        assert_eq!(read::<Enrolment>("x", Some(&never)).unwrap().unwrap().used_until, 0, "no step was accepted");
        let removed = r#"{"format":1,"record":{"fingerprint":"BwcHBwcHBwcHBwcHBwcHBw==","period":60,"last_step":9}}"#;
        let removed: UsedCodes = read("x", Some(removed)).unwrap().unwrap();
        assert_eq!((removed.used_until(&[7; MAC_BYTES]), removed.used_until(&[8; MAC_BYTES])), (600, 0));
    }

    #[test]
    fn a_newer_format_differs_from_damage() {
        let newer = r#"{"format":3,"record":{"enabled":true,"since":1}}"#;
        assert!(read::<Policy>("policy", Some(newer)).unwrap_err().0.contains("format 3"));
        for text in [
            "",
            "null",
            r#"{"format":2}"#,
            r#"{"format":2,"record":{"enabled":1}}"#,
            r#"{"format":0,"record":{"enabled":true}}"#,
        ] {
            assert!(read::<Policy>("policy", Some(text)).unwrap_err().0.contains("damaged"), "{text}");
        }
        let mixed = write(&enrolment()).unwrap().replace("\"format\":2", "\"format\":1");
        assert!(read::<Enrolment>("x", Some(&mixed)).is_err(), "fields of format 2 in a record of format 1");
    }

    #[test]
    fn an_enrolment_out_of_range_is_damaged() {
        let good = enrolment();
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
    fn records_of_one_domain_are_neighbours() {
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
            let _ = read::<UsedCodes>("x", Some(&text));
        }
    }
}
