//! Names: which ones are well formed, and how they are compared.
//!
//! Promises: a name that passes [`well_formed`] is safe to log, to store and to put into a URI. Names are compared in
//! Unicode normalization form C (NFC); account names and local parts without ASCII case, domains with full case folding
//! (contract section 11). A folded name is its own folded form.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The account that always exists. It has no owner but itself.
pub const ROOT: &str = "root";

/// The longest name, in bytes (contract section 10).
pub const MAX_NAME: usize = 254;

/// Whether `name` is a well-formed name (contract section 10): 1 to 254 bytes of UTF-8 without control characters,
/// whitespace, `/`, `:` or quotes, with at most one `@`, which is neither first nor last.
pub fn well_formed(name: &str) -> bool {
    let at_is_valid = match name.split_once('@') {
        Some((local, place)) => !local.is_empty() && !place.is_empty() && !place.contains('@'),
        None => !name.is_empty(),
    };
    at_is_valid && name.len() <= MAX_NAME && !name.chars().any(refused)
}

/// Whether no name may contain `c`.
fn refused(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '/' | ':' | '"' | '\'' | '`')
}

/// A well-formed name without `@`: of an account, of a domain, or the local part of a team user's name.
pub(super) fn plain(name: &str) -> bool {
    // Nearly all names consist of these bytes, and a directory has hundreds of thousands of them: this is the quick way.
    let common = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let fits = !name.is_empty() && name.len() <= MAX_NAME;
    fits && (name.bytes().all(common) || !name.contains('@') && normalized(name).is_some())
}

/// `name` in normalization form C, or `None` if it is not well formed in either form: a few characters normalize to
/// ones that no name may contain.
pub(super) fn normalized(name: &str) -> Option<Cow<'_, str>> {
    let name = if well_formed(name) { nfc(name) } else { return None };
    well_formed(&name).then_some(name)
}

fn nfc(name: &str) -> Cow<'_, str> {
    if name.is_ascii() || is_nfc(name) { name.into() } else { Cow::Owned(name.nfc().collect()) }
}

/// The form in which account names and local parts are compared.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    let name = nfc(name);
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return name;
    }
    // A lower-case letter can combine with the mark after it where its capital cannot.
    let lower = name.to_ascii_lowercase();
    Cow::Owned(nfc(&lower).into_owned())
}

/// The form in which domains are compared.
pub(super) fn folded_domain(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        return folded(domain);
    }
    // Folding is defined for decomposed text (Unicode Standard, definition D145).
    let decomposed: String = domain.nfd().collect();
    Cow::Owned(UniCase::unicode(decomposed).to_folded_case().nfc().collect())
}

/// The form of a name about which no directory decides: the part after an `@` is folded as a domain.
pub fn folded_name(name: &str) -> Cow<'_, str> {
    match name.split_once('@') {
        Some(_) if name.is_ascii() => folded(name),
        Some((local, place)) => Cow::Owned(format!("{}@{}", folded(local), folded_domain(place))),
        None => folded(name),
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

/// A name from outside as error messages repeat it: in quotes, escaped, and cut when it is long.
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
    fn well_formed_names_are_accepted() {
        for name in ["root", "example", "user@example.com", "a", "team_user@example", "żółw", "a+b@c", "*", "-x"] {
            assert!(well_formed(name), "{name}");
        }
        assert!(well_formed(&"a".repeat(254)));
    }

    #[test]
    fn ill_formed_names_are_refused() {
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
    fn a_name_that_normalizes_to_an_ill_formed_one_is_refused() {
        assert_eq!(normalized("cafe\u{301}").as_deref(), Some("café"));
        assert_eq!(normalized("a\u{1fef}b"), None, "it normalizes to a grave accent");
        assert_eq!(normalized(&"\u{958}".repeat(84)), None, "it grows beyond the longest name");
    }

    #[test]
    fn plain_names_have_no_at() {
        assert!(plain("example.com"));
        assert!(!plain("user@example.com"));
    }

    #[test]
    fn accounts_and_local_parts_fold_ascii_case_only() {
        for (name, expected) in
            [("RooT", "root"), ("Ä", "Ä"), ("a\u{308}B", "äb"), ("H\u{331}", "ẖ"), ("\u{212a}", "k")]
        {
            assert_eq!(folded(name), expected, "{name}");
        }
    }

    #[test]
    fn domains_fold_all_case() {
        for (name, expected) in [
            ("Bob@EXAMPLE.com", "bob@example.com"),
            ("Ä@BÜCHER.example", "Ä@bücher.example"),
            ("x@BU\u{308}cher.example", "x@bücher.example"),
            ("x@STRASSE.example", "x@strasse.example"),
            ("x@straße.example", "x@strasse.example"),
            ("x@ΣΊΣΥΦΟΣ.example", "x@σίσυφοσ.example"),
        ] {
            assert_eq!(folded_name(name), expected, "{name}");
        }
    }

    #[test]
    fn folding_every_character_twice_changes_nothing_more() {
        for c in '\0'..=char::MAX {
            let name = c.to_string();
            let (account, domain) = (folded(&name), folded_domain(&name));
            assert_eq!(folded(&account), account, "{c:?}");
            assert_eq!(folded_domain(&domain), domain, "{c:?}");
        }
    }

    #[test]
    fn quoted_names_are_escaped_and_cut() {
        assert_eq!(quoted("a\n\"b"), r#""a\n\"b""#);
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 67);
    }

    proptest! {
        #[test]
        fn folding_is_idempotent_and_indifferent_to_normalization(name in "\\PC{0,40}") {
            let once = folded_name(&name);
            prop_assert!(folded_name(&once) == once);
            for other in [name.nfd().collect::<String>(), name.nfc().collect()] {
                prop_assert!(folded_name(&other) == once);
            }
        }
    }
}
