//! The configuration (contract section 10): its keys, their defaults and their limits.
//!
//! Promise: an unknown key, a wrong type or a value out of range is an error that names the key; nothing is guessed.

pub mod file;
pub mod keys;

use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::audit::Settings;
use super::guess::Limits;
use super::issuer;
use crate::otp::code::{Algorithm, CodeFormat, DIGITS, PERIODS, SKEWS};
use crate::otp::secret::{MAX_CHARACTERS, MIN_CHARACTERS};

/// The longest configuration that is read.
pub const MAX_TEXT: usize = 1 << 20;
/// The scheme of the embedded store.
const SQLITE: &str = "sqlite:";

/// A configuration that has been checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The SQLite database.
    pub database: PathBuf,
    /// Whether the store is created if neither the database nor the key file exists.
    pub create: bool,
    /// The file with the keys that secrets are sealed under; beside the database unless it is named.
    pub key_file: PathBuf,
    /// The system-wide issuer, as long as none is set.
    pub hostname: String,
    /// Where accounts are looked up.
    pub accounts: Option<Value>,
    /// Base32 characters of a generated secret.
    pub secret_length: usize,
    /// How codes are made from new secrets.
    pub code_format: CodeFormat,
    /// Steps either side of the present one that are accepted.
    pub skew: u32,
    /// The limits on guessing.
    pub lockout: Limits,
    /// The audit trail.
    pub audit: Settings,
    /// Whether a function that changes something is refused when it is called by GET.
    pub require_post: bool,
    /// Whether a subject that changes its own enrolment gives a current code of it.
    pub change_requires_code: bool,
    /// Whether accounts can enrol while the policy is disabled.
    pub enrol_while_disabled: bool,
}

/// The object as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    store: String,
    #[serde(deserialize_with = "switch")]
    create: bool,
    key_file: Option<PathBuf>,
    hostname: Option<String>,
    accounts: Option<Value>,
    secret_length: usize,
    algorithm: Algorithm,
    digits: u32,
    period: u32,
    skew: u32,
    lockout: Limits,
    audit: Settings,
    #[serde(deserialize_with = "switch")]
    require_post: bool,
    #[serde(deserialize_with = "switch")]
    change_requires_code: bool,
    #[serde(deserialize_with = "switch")]
    enrol_while_disabled: bool,
}

impl Default for Written {
    fn default() -> Self {
        let CodeFormat { algorithm, digits, period } = CodeFormat::default();
        Written {
            store: "sqlite:/var/lib/tfa/tfa.db".to_owned(),
            create: false,
            key_file: None,
            hostname: None,
            accounts: None,
            secret_length: MIN_CHARACTERS,
            algorithm,
            digits,
            period,
            skew: 1,
            lockout: Limits::default(),
            audit: Settings::default(),
            require_post: false,
            change_requires_code: false,
            enrol_while_disabled: false,
        }
    }
}

impl Config {
    /// Reads a JSON object; `None` means the defaults. The error is a sentence about what is wrong.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        Self::from_object(parse_object(text.unwrap_or("{}"))?)
    }

    fn from_object(object: Map<String, Value>) -> Result<Self, String> {
        let written: Written = serde_path_to_error::deserialize(Value::Object(object)).map_err(|error| {
            let path = error.path().to_string();
            let key = if path == "." { String::new() } else { format!(", \"{path}\"") };
            format!("The configuration is not valid{key}: {}", error.inner())
        })?;
        written.check()
    }
}

/// Reads a switch: true or false, or 1 or 0, as languages without booleans have it.
pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected true, false, 1 or 0")]
    enum Switch {
        Boolean(bool),
        Number(u8),
    }
    match Switch::deserialize(deserializer)? {
        Switch::Boolean(is_on) => Ok(is_on),
        Switch::Number(number @ 0..=1) => Ok(number == 1),
        Switch::Number(_) => Err(D::Error::custom("expected true, false, 1 or 0")),
    }
}

/// The JSON object in `text`.
fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("The configuration has more than {MAX_TEXT} bytes"));
    }
    match serde_json::from_str(text).map_err(|error| format!("The configuration is not JSON: {error}"))? {
        Value::Object(object) => Ok(object),
        _ => Err("The configuration is not a JSON object".to_owned()),
    }
}

impl Written {
    fn check(self) -> Result<Config, String> {
        let database = match self.store.strip_prefix(SQLITE) {
            Some(path) if Path::new(path).is_absolute() => PathBuf::from(path),
            _ => return Err("The configuration's \"store\" is not \"sqlite:\" and an absolute path".to_owned()),
        };
        let within = |key: &str, value: u64, from: u64, to: u64| {
            if (from..=to).contains(&value) {
                return Ok(());
            }
            Err(format!("The configuration's \"{key}\" is {value}, and must be from {from} to {to}"))
        };
        let length = u64::try_from(self.secret_length).unwrap_or(u64::MAX);
        within("secret_length", length, MIN_CHARACTERS as u64, MAX_CHARACTERS as u64)?;
        if !self.secret_length.is_multiple_of(8) {
            return Err("The configuration's \"secret_length\" must be a multiple of 8".to_owned());
        }
        within("digits", self.digits.into(), (*DIGITS.start()).into(), (*DIGITS.end()).into())?;
        within("period", self.period.into(), (*PERIODS.start()).into(), (*PERIODS.end()).into())?;
        within("skew", self.skew.into(), (*SKEWS.start()).into(), (*SKEWS.end()).into())?;
        let Limits { failures, seconds, max_seconds, hard_limit } = self.lockout;
        within("lockout.failures", failures.into(), 1, 1000)?;
        within("lockout.seconds", seconds, 1, 86_400)?;
        within("lockout.max_seconds", max_seconds, seconds, 86_400)?;
        within("lockout.hard_limit", hard_limit.into(), failures.into(), 1_000_000)?;
        within("audit.days", self.audit.days, 0, 36_500)?;
        let hostname = self.hostname.unwrap_or_else(kernel_hostname);
        issuer::check(&hostname).map_err(|why| format!("The configuration's \"hostname\" is not valid: {why}"))?;
        Ok(Config {
            key_file: self.key_file.unwrap_or_else(|| database.with_extension("key")),
            database,
            create: self.create,
            hostname,
            accounts: self.accounts,
            secret_length: self.secret_length,
            code_format: CodeFormat { algorithm: self.algorithm, digits: self.digits, period: self.period },
            skew: self.skew,
            lockout: self.lockout,
            audit: self.audit,
            require_post: self.require_post,
            change_requires_code: self.change_requires_code,
            enrol_while_disabled: self.enrol_while_disabled,
        })
    }
}

fn kernel_hostname() -> String {
    let name = nix::sys::utsname::uname().map(|system| system.nodename().to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_optional() {
        let config = Config::parse(None).unwrap();
        assert_eq!(config.database, Path::new("/var/lib/tfa/tfa.db"));
        assert_eq!(config.key_file, Path::new("/var/lib/tfa/tfa.key"));
        assert_eq!((config.secret_length, config.skew, config.code_format), (16, 1, CodeFormat::default()));
        assert_eq!(config.audit, Settings { days: 400, syslog: false });
        assert_eq!(config.lockout, Limits { failures: 5, seconds: 30, max_seconds: 3600, hard_limit: 100 });
    }

    #[test]
    fn the_contracts_example_is_read() {
        let config = Config::parse(Some(
            r#"{"store": "sqlite:/srv/tfa.db", "key_file": "/etc/tfa.key", "hostname": "server.example.com",
                "accounts": {"files": "/etc"}, "secret_length": 32, "algorithm": "SHA256", "digits": 8, "period": 60,
                "skew": 0, "lockout": {"failures": 3}, "audit": {"days": 30}}"#,
        ))
        .unwrap();
        assert_eq!(config.key_file, Path::new("/etc/tfa.key"));
        assert_eq!(config.code_format, CodeFormat { algorithm: Algorithm::Sha256, digits: 8, period: 60 });
        assert_eq!((config.lockout.failures, config.lockout.hard_limit), (3, 100));
        assert_eq!(config.audit, Settings { days: 30, syslog: false });
    }

    #[test]
    fn a_switch_is_a_boolean_or_0_or_1() {
        for (text, is_on) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            let json = format!(r#"{{"require_post": {text}, "audit": {{"syslog": {text}}}}}"#);
            let config = Config::parse(Some(&json)).unwrap();
            assert_eq!((config.require_post, config.audit.syslog), (is_on, is_on), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "EOF"),
            ("[]", "object"),
            ("{} {}", "trailing"),
            (r#"{"stor": "sqlite:/x"}"#, "stor"),
            (r#"{"store": "mysql://x"}"#, "store"),
            (r#"{"store": "sqlite:relative.db"}"#, "absolute"),
            (r#"{"skew": "1"}"#, "skew"),
            (r#"{"skew": 11}"#, "skew"),
            (r#"{"digits": 5}"#, "digits"),
            (r#"{"period": 0}"#, "period"),
            (r#"{"algorithm": "MD5"}"#, "algorithm"),
            (r#"{"secret_length": 20}"#, "secret_length"),
            (r#"{"secret_length": 8}"#, "secret_length"),
            (r#"{"lockout": {"failures": 0}}"#, "lockout.failures"),
            (r#"{"lockout": {"tries": 5}}"#, "tries"),
            (r#"{"lockout": {"hard_limit": 1}}"#, "hard_limit"),
            (r#"{"lockout": {"seconds": -1}}"#, "lockout.seconds"),
            (r#"{"audit": {"days": 36501}}"#, "audit.days"),
            (r#"{"audit": {"syslog": 2}}"#, "audit.syslog"),
            (r#"{"audit": {"syslog": "yes"}}"#, "audit.syslog"),
            (r#"{"require_post": "1"}"#, "require_post"),
            (r#"{"audit": {"file": "/x"}}"#, "file"),
            (r#"{"hostname": "a\u0007b"}"#, "hostname"),
        ] {
            let error = Config::parse(Some(text)).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(Config::parse(Some(&" ".repeat(MAX_TEXT + 1))).unwrap_err().contains("more than"));
    }
}
