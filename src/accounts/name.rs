//! Names: which ones are well formed, and how they are compared.
//!
//! Promise: a name that passes [`well_formed`] is safe to log, to store and to put into a URI. Domains, mailboxes and
//! team users compare without ASCII case; names of accounts compare byte by byte.

use std::borrow::Cow;

/// The account that always exists and answers to nobody.
pub const ROOT: &str = "root";

/// The longest name, in bytes (contract section 10).
pub const MAX_NAME: usize = 254;

/// Tells whether `name` is a well-formed name (contract section 10): 1 to 254 bytes of UTF-8 without control
/// characters, whitespace, `/`, `:` or quotes, with at most one `@`, which stands neither first nor last.
pub fn well_formed(name: &str) -> bool {
    let at_is_fine = match name.split_once('@') {
        Some((before, after)) => !before.is_empty() && !after.is_empty() && !after.contains('@'),
        None => !name.is_empty(),
    };
    at_is_fine && name.len() <= MAX_NAME && !name.chars().any(refused)
}

/// Whether no name may contain `c`.
fn refused(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '/' | ':' | '"' | '\'' | '`')
}

/// A well-formed name without `@`: of an account, of a domain, or the part of a team user's name before the `@`.
pub(super) fn plain(name: &str) -> bool {
    // Nearly all names are of these bytes, and a directory has hundreds of thousands of them: this is the quick way.
    let common = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let fits = !name.is_empty() && name.len() <= MAX_NAME;
    fits && (name.bytes().all(common) || well_formed(name) && !name.contains('@'))
}

/// The spelling under which a domain, a mailbox or a team user is known.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// A name from outside as answers repeat it: cut where it is longer than a name can be.
pub fn shown(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let end = name.floor_char_boundary(MAX_NAME);
    format!("{}…", name.get(..end).unwrap_or_default()).into()
}

/// A name from outside as error messages show it: in quotes, escaped, and cut when it is long.
pub(super) fn quoted(name: &str) -> String {
    const SHOWN: usize = 64;
    let start: String = name.chars().take(SHOWN).collect();
    let cut = if start.len() < name.len() { "…" } else { "" };
    format!("{start:?}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_names() {
        for name in ["root", "example", "user@example.com", "a", "team_user@example", "żółw", "a+b@c", "*", "-x"] {
            assert!(well_formed(name), "{name}");
        }
        assert!(well_formed(&"a".repeat(254)));
    }

    #[test]
    fn bad_names() {
        for name in [
            "", " ", "a b", "a\tb", "a\nb", "a\u{a0}b", "a\u{0}", "a\u{7f}", "a\u{85}", "a/b", "a:b", "a\"b", "a'b",
            "a`b", "@", "@a", "a@", "a@b@c", "a@@b",
        ] {
            assert!(!well_formed(name), "{name:?}");
        }
        assert!(!well_formed(&"a".repeat(255)));
        assert!(!well_formed(&"é".repeat(128)), "the limit is in bytes, not in characters");
    }

    #[test]
    fn plain_names_have_no_at() {
        assert!(plain("example.com"));
        assert!(!plain("user@example.com"));
    }

    #[test]
    fn quoted_escapes_and_cuts() {
        assert_eq!(quoted("a\n\"b"), r#""a\n\"b""#);
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 67);
    }

    proptest! {
        #[test]
        fn folding_is_idempotent_and_keeps_names_well_formed(name in "\\PC{0,40}") {
            let once = folded(&name).into_owned();
            prop_assert_eq!(folded(&once), once.as_str());
            prop_assert_eq!(well_formed(&name), well_formed(&once));
        }
    }
}
