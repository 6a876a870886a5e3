//! A panel's files with hundreds of accounts.

use std::fmt::Write;
use std::fs;

use tempfile::TempDir;

use super::*;

/// A panel's folder: `count` accounts, every tenth a reseller that owns the nine after it; each account has a primary
/// domain and two others. Full of what such files collect over the years.
fn panel(count: usize) -> TempDir {
    let (mut owners, mut primary, mut domains) = (String::new(), String::new(), String::new());
    let mut resellers = String::from("\u{feff}# resellers\r\n");
    owners.push_str("\u{feff}#userowners v1\r\n\r\n");
    domains.push_str("*: nobody\n");
    let mut reseller = 0;
    for at in 0..count {
        reseller = if at % 10 == 0 { at } else { reseller };
        let end = ["\n", "\r\n", "\n\n", " # moved\n", "\n# comment: line\n", "\nnonsense\n"][at % 6];
        write!(owners, "user{at}: user{reseller}{end}").unwrap();
        write!(primary, "site{at}.example: user{at}{end}").unwrap();
        write!(domains, "site{at}.example: user{at}{end}Addon{at}.example: user{at}{end}").unwrap();
        write!(domains, "sub.site{at}.example:user{at}{end}gone{at}.example: gone{at}{end}").unwrap();
    }
    write!(resellers, "root:all\nuser1:list-accts,create-acct\r\nlonely:\nbad name:all\n").unwrap();
    let folder = TempDir::new().unwrap();
    for (name, text) in
        [("trueuserowners", owners), ("trueuserdomains", primary), ("userdomains", domains), ("resellers", resellers)]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn of_files(folder: &TempDir) -> Directory {
    configured(json!({"files": folder.path().to_str().unwrap()}))
}

#[test]
fn a_panel_with_hundreds_of_accounts() {
    let folder = panel(700);
    let directory = of_files(&folder);
    assert_eq!(names(&directory, None).len(), 702, "700, lonely and root");
    assert!(names(&directory, None).is_sorted());
    for at in 0..700 {
        let (name, reseller) = (format!("user{at}"), at - at % 10);
        let account = directory.account(&name).unwrap().unwrap();
        assert_eq!(account.owner, format!("user{reseller}"));
        assert_eq!(account.primary_domain, format!("site{at}.example"));
        assert_eq!(account.reseller, at % 10 == 0 || at == 1, "{name}");
        for domain in ["SITE@.example", "addon@.example", "sub.site@.example"] {
            let mailbox = format!("Bob@{}", domain.replace('@', &at.to_string()));
            assert_eq!(directory.resolve(&mailbox), Ok(email(&mailbox.to_lowercase(), &name)));
        }
        assert_eq!(directory.resolve(&format!("bob@gone{at}.example")), Ok(None));
        assert_eq!(directory.resolve(&format!("Any@User{at}")), Ok(team(&format!("any@{name}"), &name)));
    }
    let owned = directory.accounts(Some("user20")).unwrap();
    let expected: Vec<_> = (20..30).map(|at| (format!("user{at}"), format!("site{at}.example"))).collect();
    let found: Vec<_> = owned.iter().map(|(name, domain)| (name.to_owned(), domain.to_owned())).collect();
    assert_eq!(found, expected);
    assert!(directory.account("lonely").unwrap().unwrap().reseller);
    assert!(!directory.account("root").unwrap().unwrap().reseller);
    assert_eq!(directory.resolve("nobody"), Ok(None));
    assert_eq!(directory.account("user3").unwrap().unwrap().created, None);
    assert_eq!(names(&directory, Some("user21")), [""; 0]);
}

#[test]
fn files_can_lie_in_different_places() {
    let folder = panel(10);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::rename(path("resellers"), path("elsewhere")).unwrap();
    let directory = configured(json!({"files": {"resellers": path("elsewhere"), "userdomains": path("absent")}}));
    assert_eq!(names(&directory, None), ["lonely", "root", "user1"]);
}

#[test]
fn a_listing_stays_as_it_is_when_the_files_change() {
    let folder = panel(20);
    let directory = of_files(&folder);
    let before = directory.accounts(None).unwrap();
    for file in ["trueuserowners", "trueuserdomains", "userdomains", "resellers"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    assert_eq!(names(&directory, None), ["root"]);
    assert_eq!(before.len(), 22);
    assert_eq!(before.clone().iter().next_back(), Some(("user9", "site9.example")));
}

#[test]
fn of_accounts_that_differ_in_case_one_has_the_team_users() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("resellers"), "Abc:\nABC:\nabc:\nX:\n").unwrap();
    let directory = of_files(&folder);
    assert_eq!(directory.resolve("u@ABC"), Ok(team("u@abc", "abc")));
    assert_eq!(directory.resolve("u@x"), Ok(team("u@x", "X")));
    fs::write(folder.path().join("resellers"), "Abc:\nABC:\n").unwrap();
    assert_eq!(directory.resolve("u@ABC"), Ok(team("u@abc", "ABC")), "the first in order");
}
