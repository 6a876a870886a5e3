//! The content of the panel's files: `trueuserowners`, `trueuserdomains`, `userdomains` and `resellers`.
//!
//! Promises: any content is read; lines and names that are not well formed are skipped. Of two lines that contradict each
//! other, the first holds.

use super::draft::Draft;
use super::name::plain;
use super::snapshot::Snapshot;

/// The directory in the contents of the four files. Fails only when there is too much to index.
pub(super) fn parse(owners: &[u8], primary: &[u8], domains: &[u8], resellers: &[u8]) -> Result<Snapshot, String> {
    let mut draft = Draft::new();
    draft.expect(lines(owners), lines(primary).saturating_add(lines(domains)));
    for (account, owner) in pairs(owners) {
        if plain(account) && plain(owner) {
            draft.owner(account, owner);
        }
    }
    for (account, _) in pairs(resellers) {
        if plain(account) {
            draft.reseller(account);
        }
    }
    for (domain, account) in pairs(primary) {
        if is_domain(domain) && plain(account) {
            draft.primary_domain(domain, account);
        }
    }
    // Last, when all accounts are known: only domains of accounts count.
    for (domain, account) in pairs(domains) {
        if is_domain(domain) {
            draft.domain(domain, account);
        }
    }
    draft.finish()
}

/// The approximate number of lines of a file, up to a limit: room is made for so many names.
fn lines(text: &[u8]) -> usize {
    const MOST: usize = 1 << 20;
    (text.len() / 32).min(MOST)
}

/// Whether this is a domain. `*: nobody` stands for the domains that no account has.
fn is_domain(domain: &str) -> bool {
    plain(domain) && domain != "*"
}

/// The `key: value` lines of a file.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter_map(|line| without_comment(line).split_once(':'))
        .map(|(key, value)| (key.trim(), value.trim()))
}

/// A `#` opens a comment at the start of a line and after white space.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find_map(|(at, _)| {
        let before = line.get(..at)?;
        (before.is_empty() || before.ends_with(char::is_whitespace)).then_some(before)
    });
    comment.unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::accounts::Listing;

    fn read_pairs(text: &[u8]) -> Vec<(&str, &str)> {
        pairs(text).collect()
    }

    #[test]
    fn white_space_comments_and_line_ends_do_not_matter() {
        let text = b"\xef\xbb\xbf# head: line\r\n\r\n  a :  b \r\nc:d\ne\n\xff: x\n\t# f: g\nh: i # note\n#\nj#k: l#m";
        let expected = [("a", "b"), ("c", "d"), ("h", "i"), ("j#k", "l#m")];
        assert_eq!(read_pairs(text), expected);
        assert_eq!(read_pairs(b""), []);
        assert_eq!(read_pairs(b"\xef\xbb\xbf"), []);
    }

    #[test]
    fn ill_formed_names_are_skipped() {
        let owners = b"a b: root\nok: root\nx@y: root\n: root\nz:\nw: a/b\n";
        let domains = b"*: nobody\nnobody.example: nobody\nd.example: ghost\nD.example: ok\n";
        let snapshot = parse(owners, b"", domains, b"nobody:all\nbad name:all\n").unwrap();
        let listing = Listing::new(Arc::new(snapshot), None);
        let names: Vec<_> = listing.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["nobody", "ok", "root"]);
    }

    #[test]
    fn the_first_of_two_contradicting_lines_holds() {
        let primary = b"one.example: a\ntwo.example: a\none.example: b\n";
        let domains = b"TWO.example: b\nghost.example: ghost\nghost.example: b\n";
        let snapshot = parse(b"a: r1\na: r2\n", primary, domains, b"").unwrap();
        assert_eq!(snapshot.account("a").unwrap().owner, "r1");
        assert_eq!(snapshot.account("a").unwrap().primary_domain, "one.example");
        for (name, account) in [("x@one.example", "a"), ("x@two.example", "a"), ("x@ghost.example", "b")] {
            assert_eq!(snapshot.resolve(name).unwrap().account(), account, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            texts in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..300)),
            name in "[a-z@.]{1,9}",
        ) {
            let snapshot = parse(&texts[0], &texts[1], &texts[2], &texts[3]).unwrap();
            prop_assert!(snapshot.account("root").is_some());
            snapshot.resolve(&name);
        }

        #[test]
        fn any_text_is_read(
            texts in prop::array::uniform4("([a-cA-C@#*.: \t\r]{0,9}\n){0,20}"),
            name in "[a-cA-C@.]{1,9}",
        ) {
            let [owners, primary, domains, resellers] = &texts;
            let snapshot = parse(owners.as_bytes(), primary.as_bytes(), domains.as_bytes(), resellers.as_bytes());
            let snapshot = snapshot.unwrap();
            if let Some(subject) = snapshot.resolve(&name) {
                prop_assert!(snapshot.account(subject.account()).is_some(), "{subject:?}");
                prop_assert_eq!(snapshot.resolve(subject.name()), Some(subject), "a canonical name resolves to itself");
            }
        }

        #[test]
        fn entries_are_read_back_as_written(
            written in prop::collection::btree_map("[a-zA-Z0-9_+#.-]{1,20}", "[a-z0-9_-]{1,20}", 0..40),
            end in prop::sample::select(vec!["\n", "\r\n", " # comment\n", "\n\n", "\n# a: b\n"]),
            colon in prop::sample::select(vec![":", ": ", " : ", ":\t"]),
        ) {
            let written: BTreeMap<_, _> =
                written.into_iter().filter(|(key, _)| !key.starts_with('#')).collect();
            let text: String = written.iter().map(|(key, value)| format!("{key}{colon}{value}{end}")).collect();
            let read: BTreeMap<String, String> =
                pairs(text.as_bytes()).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(read, written);
        }
    }
}
