//! One view of the account directory for one request: the place where a name is resolved to its canonical subject
//! (contract section 11).
//!
//! Promises: all answers of a view are of one moment: files are examined at the first question, and not again. A callback
//! and the operating system are queried each time. Every spelling of a subject resolves to the same subject, and a
//! subject's canonical name to itself.

use std::sync::Arc;

use once_cell::unsync::OnceCell;

use super::draft::Draft;
use super::name::{ROOT, folded, folded_name, normalized, well_formed};
use super::snapshot::{Listing, Snapshot};
use super::{Account, Directory, LookupError, Subject, callback, system};

/// The directory as one request sees it.
pub struct View {
    directory: Arc<Directory>,
    files: OnceCell<Arc<Snapshot>>,
}

impl View {
    /// A view of `directory`, which is not read yet.
    pub fn new(directory: Arc<Directory>) -> Self {
        View { directory, files: OnceCell::new() }
    }

    /// Whether no directory is configured.
    pub fn is_open(&self) -> bool {
        matches!(*self.directory, Directory::Open)
    }

    /// Whether [`accounts`](Self::accounts) lists every account. Without a directory, and for the accounts of the
    /// operating system, it lists root alone.
    pub fn lists_accounts(&self) -> bool {
        !matches!(*self.directory, Directory::Open | Directory::System)
    }

    /// The subject called `name`: `account`, `user@domain` or `team_user@account`; a part after the `@` that is both an
    /// account and a domain is the account. `None` if there is no such subject, or the name is ill formed. `root` is
    /// found even when the directory is not available.
    ///
    /// This is how the name of a **caller** is resolved. For other names see [`candidates`](Self::candidates).
    pub fn resolve(&self, name: &str) -> Result<Option<Subject>, LookupError> {
        let Some(name) = normalized(name) else {
            return Ok(None);
        };
        let account = |name: String| Subject::Account { name };
        if name == ROOT {
            return Ok(Some(account(ROOT.to_owned())));
        }
        let found = match &*self.directory {
            Directory::Open => Some(account(folded_name(&name).into_owned())),
            Directory::System => system::find(&name)?.map(account),
            Directory::Callback(lookup) => callback::resolve(&**lookup, &name)?,
            Directory::Files(_) | Directory::Inline(_) => self.snapshot()?.resolve(&name),
        };
        // Root exists although a host does not list it, under every spelling.
        let found = found.or_else(|| (folded(&name) == ROOT).then(|| account(ROOT.to_owned())));
        Ok(found.filter(|subject| well_formed(subject.name())))
    }

    /// All subjects that may log in under `name`: the one that it resolves to and, if that is the mailbox
    /// `user@example.com` under a domain of account `example`, the team user `user@example`, which may exist beside it.
    pub fn candidates(&self, name: &str) -> Result<Vec<Subject>, LookupError> {
        let mut candidates: Vec<_> = self.resolve(name)?.into_iter().collect();
        if let [Subject::Email { name, account }] = candidates.as_slice()
            && let Some((local, _)) = name.split_once('@')
        {
            let team_user = match &*self.directory {
                Directory::Open | Directory::System => None,
                Directory::Callback(lookup) => callback::team_user(&**lookup, local, account)?,
                Directory::Files(_) | Directory::Inline(_) => self.snapshot()?.team_user(local, account),
            };
            candidates.extend(team_user.filter(|subject| well_formed(subject.name())));
        }
        Ok(candidates)
    }

    /// The account called `name`; `None` if there is no such account.
    pub fn account(&self, name: &str) -> Result<Option<Account>, LookupError> {
        let Some(name) = normalized(name) else {
            return Ok(None);
        };
        match &*self.directory {
            Directory::Open => Ok(Some(Account::of_root(&folded_name(&name)))),
            Directory::System => Ok(system::find(&name)?.map(|name| Account::of_root(&name))),
            Directory::Callback(lookup) => callback::account(&**lookup, &name),
            Directory::Files(_) | Directory::Inline(_) => Ok(self.snapshot()?.account(&name)),
        }
    }

    /// The domains under which the account called `name` has mailboxes, in order.
    pub fn domains(&self, name: &str) -> Result<Vec<String>, LookupError> {
        let Some(name) = normalized(name) else {
            return Ok(Vec::new());
        };
        match &*self.directory {
            Directory::Open | Directory::System => Ok(Vec::new()),
            Directory::Callback(lookup) => callback::domains(&**lookup, &name),
            Directory::Files(_) | Directory::Inline(_) => Ok(self.snapshot()?.domains(&name)),
        }
    }

    /// What follows the `@` in the names of the team users of the account called `name`.
    pub fn team_part(&self, name: &str) -> String {
        folded(name).into_owned()
    }

    /// All accounts, root among them, or those that `owner` owns; see [`lists_accounts`](Self::lists_accounts).
    pub fn accounts(&self, owner: Option<&str>) -> Result<Listing, LookupError> {
        let snapshot = match &*self.directory {
            Directory::Callback(lookup) => return callback::accounts(&**lookup, owner),
            Directory::Open | Directory::System => Arc::new(Draft::new().finish().map_err(LookupError::Unavailable)?),
            Directory::Files(_) | Directory::Inline(_) => self.snapshot()?.clone(),
        };
        Ok(Listing::new(snapshot, owner))
    }

    /// The accounts of files or of the inline map, read at the first question.
    fn snapshot(&self) -> Result<&Arc<Snapshot>, LookupError> {
        self.files.get_or_try_init(|| match &*self.directory {
            Directory::Files(files) => files.snapshot(),
            Directory::Inline(snapshot) => Ok(snapshot.clone()),
            Directory::Open | Directory::System | Directory::Callback(_) => {
                Draft::new().finish().map(Arc::new).map_err(LookupError::Unavailable)
            }
        })
    }
}
