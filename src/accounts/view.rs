//! One view of the account directory for one request.
//!
//! Promise: all answers of a view are of one moment: files are examined at the first question, and not again. A callback
//! is the host's affair and is asked each time.

use std::sync::Arc;

use once_cell::unsync::OnceCell;

use super::name::{ROOT, well_formed};
use super::snapshot::{Draft, Listing, Snapshot};
use super::{Account, Directory, LookupError, Subject, callback, open_name};

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

    /// The subject called `name`: `account`, `user@domain` or `team_user@account`; a part after the `@` that is both a
    /// domain and an account is a domain. `None` if there is no such subject, or the name is ill formed. `root` is found
    /// even when the directory is not available.
    pub fn resolve(&self, name: &str) -> Result<Option<Subject>, LookupError> {
        if !well_formed(name) {
            return Ok(None);
        }
        let account = |name: String| Ok(Some(Subject::Account { name }));
        if name == ROOT {
            return account(name.to_owned());
        }
        match &*self.directory {
            Directory::Open => account(open_name(name)),
            Directory::Callback(lookup) => callback::resolve(&**lookup, name),
            Directory::Files(_) | Directory::Inline(_) => Ok(self.snapshot()?.resolve(name)),
        }
    }

    /// The account called `name`; `None` if there is no such account.
    pub fn account(&self, name: &str) -> Result<Option<Account>, LookupError> {
        if !well_formed(name) {
            return Ok(None);
        }
        match &*self.directory {
            Directory::Open => Ok(Some(Account::of_root(&open_name(name)))),
            Directory::Callback(lookup) => callback::account(&**lookup, name),
            Directory::Files(_) | Directory::Inline(_) => Ok(self.snapshot()?.account(name)),
        }
    }

    /// The domains under which the account called `name` has mailboxes, in order. Without a directory there are none.
    pub fn domains(&self, name: &str) -> Result<Vec<String>, LookupError> {
        match &*self.directory {
            Directory::Open => Ok(Vec::new()),
            Directory::Callback(lookup) => callback::domains(&**lookup, name),
            Directory::Files(_) | Directory::Inline(_) => Ok(self.snapshot()?.domains(name)),
        }
    }

    /// All accounts, root among them, or those that `owner` owns. Without a directory, root alone.
    pub fn accounts(&self, owner: Option<&str>) -> Result<Listing, LookupError> {
        let snapshot = match &*self.directory {
            Directory::Callback(lookup) => return callback::accounts(&**lookup, owner),
            Directory::Open => Arc::new(Draft::new().finish().map_err(LookupError::Unavailable)?),
            Directory::Files(_) | Directory::Inline(_) => self.snapshot()?.clone(),
        };
        Ok(Listing::new(snapshot, owner))
    }

    /// The accounts of files or of the inline map, read at the first question.
    fn snapshot(&self) -> Result<&Arc<Snapshot>, LookupError> {
        self.files.get_or_try_init(|| match &*self.directory {
            Directory::Files(files) => files.snapshot(),
            Directory::Inline(snapshot) => Ok(snapshot.clone()),
            Directory::Open | Directory::Callback(_) => {
                Draft::new().finish().map(Arc::new).map_err(LookupError::Unavailable)
            }
        })
    }
}
