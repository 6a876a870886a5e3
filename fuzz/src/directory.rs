//! The panel's four directory files, with arbitrary contents.
//!
//! Promises: the directory is consistent; line ends and comments make no difference; a lasting handle shows the files as
//! they are now.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tfa::accounts::{Directory, ROOT, Subject, View, well_formed};

/// The files, in the order in which an input has them.
const FILES: [&str; 4] = ["trueuserowners", "trueuserdomains", "userdomains", "resellers"];
/// Separates two files in an input. In a name it is a character like any other.
const SEPARATOR: u8 = b'%';
/// How many accounts are checked in detail.
const SAMPLE: usize = 2;

/// Entry point: the input holds the files one after the other.
pub fn directory(bytes: &[u8]) {
    static PLACE: OnceLock<(PathBuf, Arc<Directory>)> = OnceLock::new();
    let (folder, lasting) = PLACE.get_or_init(|| {
        let folder = crate::server::folder();
        let directory = open(&folder);
        (folder, directory)
    });
    let files: Vec<&[u8]> = bytes.splitn(FILES.len(), |&byte| byte == SEPARATOR).collect();
    write(folder, &files);
    let before = accounts(&open(folder).view());
    assert_eq!(accounts(&lasting.view()), before, "a view shows the files as they are");
    check(&lasting.view(), &before);
    write(folder, &files.iter().map(|file| spelled_otherwise(file)).collect::<Vec<_>>());
    assert_eq!(accounts(&lasting.view()), before, "line ends and comments make no difference");
}

fn open(folder: &Path) -> Arc<Directory> {
    Arc::new(Directory::from_config(Some(&serde_json::json!({ "files": folder }))).unwrap())
}

fn write(folder: &Path, files: &[impl AsRef<[u8]>]) {
    let absent: &[u8] = &[];
    let files = files.iter().map(AsRef::as_ref).chain(std::iter::repeat(absent));
    for (name, file) in FILES.iter().zip(files) {
        fs::write(folder.join(name), file).unwrap();
    }
}

/// The same file with other line ends and a comment.
fn spelled_otherwise(file: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = file.split(|&byte| byte == b'\n').collect();
    [&lines.join(&b"\r\n"[..]), &b"\r\n\t# ghost: root"[..]].concat()
}

/// All accounts with their primary domains.
fn accounts(view: &View) -> Vec<(String, String)> {
    let listing = view.accounts(None).expect("files of this size can be read");
    assert_eq!(listing.iter().count(), listing.len());
    listing.iter().map(|(name, domain)| (name.to_owned(), domain.to_owned())).collect()
}

fn check(view: &View, accounts: &[(String, String)]) {
    assert!(accounts.iter().any(|(name, _)| name == ROOT), "root always exists");
    assert!(accounts.is_sorted_by(|one, next| one.0 < next.0), "in order, each once");
    assert!(accounts.iter().all(|(name, _)| well_formed(name) && !name.contains('@')));
    for place in 0..SAMPLE {
        if let Some((name, domain)) = accounts.get(accounts.len() * place / SAMPLE) {
            check_account(view, name, domain);
        }
    }
}

fn check_account(view: &View, name: &str, primary_domain: &str) {
    let account = view.account(name).unwrap().expect("a listed account exists");
    assert_eq!((account.name.as_str(), account.primary_domain.as_str()), (name, primary_domain));
    assert_eq!(view.resolve(name).unwrap(), Some(Subject::Account { name: name.to_owned() }));
    let owner = view.account(&account.owner).unwrap().expect("an owner exists");
    assert!(view.accounts(Some(&owner.name)).unwrap().iter().any(|(owned, _)| owned == name));
    if name == ROOT {
        assert_eq!((account.owner.as_str(), account.reseller), (ROOT, false), "root has no owner but itself");
    } else if owner.name != ROOT && owner.name != name {
        assert!(owner.reseller, "the owner of another account is a reseller");
    }
    let domains = view.domains(name).unwrap();
    // A name without a dot is no mail domain, nor is the name of an account.
    let is_mail_domain = domains.iter().any(|domain| domain == primary_domain);
    assert!(!primary_domain.contains('.') || is_mail_domain || view.resolve(primary_domain).unwrap().is_some());
    for domain in domains.iter().take(SAMPLE) {
        let mailbox = format!("x@{domain}");
        if well_formed(&mailbox) {
            let subject = Subject::Email { account: name.to_owned(), name: mailbox.clone() };
            assert_eq!(view.resolve(&mailbox).unwrap(), Some(subject));
        }
    }
}
