//! The panel's four directory files, of whatever bytes: the directory that comes of them agrees with itself, is the
//! same however its lines end and whatever is commented out, and is never that of the files before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tfa::accounts::{Directory, ROOT, Subject, well_formed};

/// The files, in the order in which an input has them.
const FILES: [&str; 4] = ["trueuserowners", "trueuserdomains", "userdomains", "resellers"];
/// What stands between two files in an input. No name is treated any differently for having one.
const SEPARATOR: u8 = b'%';
/// How many accounts are looked at closely. Each look reads all files, as they have just changed.
const SAMPLE: usize = 2;

/// The files, one after the other.
pub fn directory(bytes: &[u8]) {
    static PLACE: OnceLock<(PathBuf, Directory)> = OnceLock::new();
    let (folder, lasting) = PLACE.get_or_init(|| {
        let folder = crate::house::folder();
        let directory = open(&folder);
        (folder, directory)
    });
    let files: Vec<&[u8]> = bytes.splitn(FILES.len(), |&byte| byte == SEPARATOR).collect();
    write(folder, &files);
    let before = accounts(&open(folder));
    assert_eq!(accounts(lasting), before, "a directory tells of the files as they are");
    check(lasting, &before);
    write(folder, &files.iter().map(|file| spelled_otherwise(file)).collect::<Vec<_>>());
    assert_eq!(accounts(lasting), before, "line ends and comments say nothing");
}

fn open(folder: &Path) -> Directory {
    Directory::from_config(Some(&serde_json::json!({ "files": folder }))).unwrap()
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
fn accounts(directory: &Directory) -> Vec<(String, String)> {
    let listing = directory.accounts(None).expect("files of this size can be read");
    assert_eq!(listing.iter().count(), listing.len());
    listing.iter().map(|(name, domain)| (name.to_owned(), domain.to_owned())).collect()
}

fn check(directory: &Directory, accounts: &[(String, String)]) {
    assert!(accounts.iter().any(|(name, _)| name == ROOT), "root always exists");
    assert!(accounts.is_sorted_by(|one, next| one.0 < next.0), "in order, each once");
    assert!(accounts.iter().all(|(name, _)| well_formed(name) && !name.contains('@')));
    for place in 0..SAMPLE {
        if let Some((name, domain)) = accounts.get(accounts.len() * place / SAMPLE) {
            check_account(directory, name, domain);
        }
    }
}

fn check_account(directory: &Directory, name: &str, primary_domain: &str) {
    let account = directory.account(name).unwrap().expect("who is listed exists");
    assert_eq!((account.name.as_str(), account.primary_domain.as_str()), (name, primary_domain));
    assert_eq!(directory.resolve(name).unwrap(), Some(Subject::Account { name: name.to_owned() }));
    let owner = directory.account(&account.owner).unwrap().expect("an owner exists");
    assert!(directory.accounts(Some(&owner.name)).unwrap().iter().any(|(owned, _)| owned == name));
    if name == ROOT {
        assert_eq!((account.owner.as_str(), account.reseller), (ROOT, false), "root answers to nobody");
    } else if owner.name != ROOT && owner.name != name {
        assert!(owner.reseller, "whoever owns another account is a reseller");
    }
    let domains = directory.domains(name).unwrap();
    assert!(primary_domain.is_empty() || domains.iter().any(|domain| domain == primary_domain));
    for domain in domains.iter().take(SAMPLE) {
        let mailbox = format!("x@{domain}");
        if well_formed(&mailbox) {
            let subject = Subject::Email { account: name.to_owned(), name: mailbox.clone() };
            assert_eq!(directory.resolve(&mailbox).unwrap(), Some(subject));
        }
    }
}
