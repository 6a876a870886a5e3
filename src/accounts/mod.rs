//! The account directory: who exists, who owns whom, which domain belongs to whom (contract sections 1 and 10).
//!
//! Promise: a directory that cannot be read is an error, never an empty directory, so that the caller can fail
//! closed. An answer is as fresh as its source: files are looked at on disk at every call, a callback is
//! asked every time. A directory can be used from many threads at once and goes on working in a forked child.

mod callback;
mod files;
mod inline;
mod name;
mod snapshot;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use serde_json::Value;

pub use callback::{Lookup, Question};
pub use files::Files;
pub use name::{MAX_NAME, ROOT, shown, well_formed};
pub use snapshot::{Listing, Snapshot};
pub use view::View;

/// Whoever can hold a two-factor configuration, under the one spelling that it is stored by: names of mailboxes and
/// team users are in lower case throughout, so that another spelling is not another subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An account, `root` and resellers included.
    Account {
        /// `example`
        name: String,
    },
    /// A mailbox under a domain of an account.
    Email {
        /// `user@example.com`
        name: String,
        /// The account that has the domain.
        account: String,
    },
    /// A team user of an account.
    Team {
        /// `team_user@example`
        name: String,
        /// The account that the team belongs to.
        account: String,
    },
}

impl Subject {
    /// The subject's name in its canonical spelling.
    pub fn name(&self) -> &str {
        match self {
            Subject::Account { name } | Subject::Email { name, .. } | Subject::Team { name, .. } => name,
        }
    }

    /// The name of the account that the subject belongs to: itself for an account.
    pub fn account(&self) -> &str {
        match self {
            Subject::Account { name } => name,
            Subject::Email { account, .. } | Subject::Team { account, .. } => account,
        }
    }
}

/// What the directory knows about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The name of the account that owns it; root owns itself.
    pub owner: String,
    /// Its primary domain in lower case, `""` when it has none.
    pub primary_domain: String,
    /// Whether it is listed as a reseller or owns another account. Root is not a reseller.
    pub reseller: bool,
}

impl Account {
    /// An account about which nothing is known but its name.
    fn of_root(name: &str) -> Account {
        Account { name: name.to_owned(), owner: ROOT.to_owned(), primary_domain: String::new(), reseller: false }
    }
}

/// Why the directory has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The files could not be read, or the host's callback failed or answered nonsense; the text says which and why.
    /// Whoever is asked about must be kept out.
    #[error("The account directory is not available: {0}")]
    Unavailable(String),
}

/// Where accounts are looked up.
pub enum Directory {
    /// Nowhere: every well-formed name, also one with an `@`, is an account owned by root.
    Open,
    /// In the panel's files.
    Files(Files),
    /// In the map that the configuration contains.
    Inline(Arc<Snapshot>),
    /// In the host's own directory.
    Callback(Box<dyn Lookup>),
}

impl Directory {
    /// Reads the value of `"accounts"` in the configuration (contract section 10); `None` when it is absent. Files are
    /// not touched before the first lookup. The error says which key is wrong and how.
    pub fn from_config(value: Option<&Value>) -> Result<Directory, String> {
        let Some(value) = value else {
            return Ok(Directory::Open);
        };
        let usage = || r#""accounts" must be {"files": …} or {"inline": …}"#.to_owned();
        let map = value.as_object().filter(|map| map.len() == 1);
        match map.and_then(|map| map.iter().next()) {
            Some((key, value)) if key == "files" => {
                Files::from_config(value).map(Directory::Files).map_err(|why| format!(r#""accounts": "files": {why}"#))
            }
            Some((key, value)) if key == "inline" => inline::read(value)
                .map(|snapshot| Directory::Inline(Arc::new(snapshot)))
                .map_err(|why| format!(r#""accounts": "inline": {why}"#)),
            Some((key, _)) => Err(format!("{}: unknown key {}", usage(), name::quoted(key))),
            None => Err(usage()),
        }
    }

    /// The directory that the host keeps, behind its callback.
    pub fn callback(lookup: Box<dyn Lookup>) -> Directory {
        Directory::Callback(lookup)
    }

    /// The directory as one request sees it.
    pub fn view(self: &Arc<Self>) -> View {
        View::new(self.clone())
    }
}

/// The one spelling of a name when there is no directory. One with an `@` is a mailbox or a team user, whatever else is
/// known, so it is put into lower case as a directory would.
fn open_name(name: &str) -> String {
    if name.contains('@') { name::folded(name).into_owned() } else { name.to_owned() }
}
