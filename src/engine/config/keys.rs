//! The keys of the configuration as its documents describe them: the manual page `tfa.toml(5)` and README's table.
//!
//! A test compares the names with those that are parsed.

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name; a key within another has the other's name and a dot before its own.
    pub name: &'static str,
    /// Its default as JSON, or in words.
    pub default: &'static str,
    /// What it sets, with its range, in whole sentences.
    pub about: &'static str,
}

const fn key(name: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, default, about }
}

/// All keys.
pub const KEYS: &[Key] = &[
    key(
        "store",
        r#""sqlite:/var/lib/tfa/tfa.db""#,
        "The database: sqlite: and an absolute path. Its folder has mode 0700.",
    ),
    key(
        "create",
        "false",
        "Whether the store is created if neither the database nor the key file exists. tfa init creates a server's store.",
    ),
    key(
        "key_file",
        "the path of the database with the extension .key",
        "The keys that seal secrets. Back it up, in a different place from the database.",
    ),
    key("hostname", "the kernel's host name", "The system-wide issuer until one is set."),
    key(
        "accounts",
        "none",
        r#"The account directory: {"files": "/etc"}, {"files": {"trueuserowners": "PATH"}}, {"inline": {}} or {"system": true}, the accounts of the operating system; or a callback, tfa_set_lookup. Without one, every well-formed name is an account owned by root."#,
    ),
    key(
        "secret_length",
        "16",
        "Base32 characters of a new secret: 16 to 128, a multiple of 8. New installations use 32: 160 bits (RFC 4226 section 4).",
    ),
    key(
        "algorithm",
        r#""SHA1""#,
        "The hash for new enrolments: SHA1, SHA256 or SHA512. Existing enrolments keep theirs, also their digits and period. Many authenticators support the defaults only.",
    ),
    key("digits", "6", "The digits of a code for new enrolments: 6 to 8."),
    key("period", "30", "The seconds of a time step for new enrolments: 1 to 3600."),
    key("skew", "1", "The time steps that are accepted before and after the present one: 0 to 10."),
    key("lockout.failures", "5", "The invalid codes before the first lock: 1 to 1000."),
    key(
        "lockout.seconds",
        "30",
        "The seconds of the first lock, which double with each further invalid code: 1 to 86,400.",
    ),
    key("lockout.max_seconds", "3600", "The longest lock in seconds: lockout.seconds to 86,400."),
    key(
        "lockout.hard_limit",
        "100",
        "The invalid codes after which one-time codes are refused until the user is unlocked: lockout.failures to 1,000,000.",
    ),
    key("audit.days", "400", "The days that an entry of the audit trail is kept: 0 (none is written) to 36,500."),
    key("audit.syslog", "false", "Whether entries are also sent to syslog. tfa_set_audit sends them to a callback."),
    key("require_post", "false", "Whether functions that change something are refused when they are called by GET."),
    key(
        "change_requires_code",
        "false",
        "Whether users who replace or remove their enrolment, or generate recovery codes, give a current one-time or recovery code as current_token. New installations use true.",
    ),
    key("enrol_while_disabled", "false", "Whether accounts can enrol while two-factor authentication is disabled."),
];

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use std::collections::BTreeSet;

    /// The names that an error of the parser lists.
    fn parsed(text: &str) -> BTreeSet<String> {
        let error = Config::parse(Some(text)).unwrap_err();
        let listed = error.split_once("expected one of").or_else(|| error.split_once("expected")).unwrap().1;
        listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let mut expected = parsed(r#"{"absent": 1}"#);
        for outer in ["lockout", "audit"] {
            assert!(expected.remove(outer));
            expected.extend(
                parsed(&format!(r#"{{"{outer}": {{"absent": 1}}}}"#)).iter().map(|inner| format!("{outer}.{inner}")),
            );
        }
        let documented: BTreeSet<_> = KEYS.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(documented, expected);
        assert_eq!(documented.len(), KEYS.len(), "no key is documented twice");
    }
}
