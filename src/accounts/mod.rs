//! The account directory: which accounts exist, who owns them, which domain belongs to which (contract sections 1, 10
//! and 11).
//!
//! A request takes one [`View`] of the [`Directory`]. The view resolves a name to its [`Subject`], whatever its spelling.
//!
//! Promises: a directory that cannot be read is an error, never an empty directory, so the caller can fail closed. A view
//! shows its source as it is at the view's first question. A directory can be used from many threads at once and keeps
//! working in a forked child.

mod callback;
mod draft;
mod files;
mod inline;
mod name;
mod names;
mod parse;
mod snapshot;
mod system;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use serde_json::Value;

pub use callback::{Lookup, Question};
pub use files::Files;
pub use name::{MAX_NAME, ROOT, folded_name, shown, well_formed};
pub use snapshot::{Listing, Snapshot};
pub use view::View;

/// The kind of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// An account, `root` and resellers included.
    Account,
    /// A mailbox.
    Mailbox,
    /// A team user.
    Team,
}

impl SubjectKind {
    /// All kinds.
    pub const ALL: [SubjectKind; 3] = [SubjectKind::Account, SubjectKind::Mailbox, SubjectKind::Team];

    /// Its name in parameters and answers: `account`, `mailbox` or `team`.
    pub fn name(self) -> &'static str {
        match self {
            SubjectKind::Account => "account",
            SubjectKind::Mailbox => "mailbox",
            SubjectKind::Team => "team",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A holder of a two-factor configuration, under its canonical name. The name of an account is spelled as in the
/// directory; names of mailboxes and team users are folded.
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
        /// The account that the team user belongs to.
        account: String,
    },
}

impl Subject {
    /// The subject's canonical name.
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

    /// The kind of the subject.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Subject::Account { .. } => SubjectKind::Account,
            Subject::Email { .. } => SubjectKind::Mailbox,
            Subject::Team { .. } => SubjectKind::Team,
        }
    }

    /// The same subject under another spelling of its name.
    pub fn spelled(self, name: String) -> Subject {
        match self {
            Subject::Account { .. } => Subject::Account { name },
            Subject::Email { account, .. } => Subject::Email { name, account },
            Subject::Team { account, .. } => Subject::Team { name, account },
        }
    }
}

/// One account.
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
    /// When it was created, in Unix seconds, if the source says so: the inline map and a callback can.
    pub created: Option<u64>,
}

impl Account {
    /// An account about which nothing is known but its name.
    fn of_root(name: &str) -> Account {
        Account {
            name: name.to_owned(),
            owner: ROOT.to_owned(),
            primary_domain: String::new(),
            reseller: false,
            created: None,
        }
    }
}

/// Why the directory cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The source could not be read or its answer is not valid; the text says why. The login must be denied.
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
    /// Among the accounts of the operating system.
    System,
    /// In the host's own directory.
    Callback(Box<dyn Lookup>),
}

impl Directory {
    /// Reads the value of `"accounts"` in the configuration (contract section 10); `None` when it is absent. Files are
    /// not read before the first question. The error names the key and says what is wrong with it.
    pub fn from_config(value: Option<&Value>) -> Result<Directory, String> {
        let Some(value) = value else {
            return Ok(Directory::Open);
        };
        let usage = || r#""accounts" must be {"files": …}, {"inline": …} or {"system": true}"#.to_owned();
        let map = value.as_object().filter(|map| map.len() == 1);
        let Some((key, value)) = map.and_then(|map| map.iter().next()) else {
            return Err(usage());
        };
        let wrong = |why: String| format!(r#""accounts": "{key}": {why}"#);
        match key.as_str() {
            "files" => Files::from_config(value).map(Directory::Files).map_err(wrong),
            "inline" => inline::read(value).map(|snapshot| Directory::Inline(Arc::new(snapshot))).map_err(wrong),
            "system" if matches!(inline::read_bool(key, value), Ok(true)) => Ok(Directory::System),
            "system" => Err(wrong("must be true".to_owned())),
            _ => Err(format!("{}: unknown key {}", usage(), name::quoted(key))),
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
