//! The store: where records live, and what is promised about them.
//!
//! A record is a text under a kind and a name; the engine decides what it says. A record's version is its content:
//! a change names the text that it replaces, and is refused when the record has moved on. As every decision is a
//! function of the texts it read, such a commit is as good as having held a lock, on one machine and on many.
//!
//! What every backend promises (the suite in `conformance` puts each to the test):
//! * [`Store::read`] sees one moment: no commit is seen in part.
//! * [`Store::commit`] makes all changes and writes all lines of the audit trail, or none of either, and says which.
//! * Lines are numbered in the order of their commits, and a number is never given twice.
//! * A commit that was reported survives the death of every process; one of [`Durability::Power`] also a power cut.
//! * A failure says why in words that hold no record. It changed nothing, or, when the disk failed in the middle of a
//!   commit, perhaps everything: never a part.
//! * Everything may be called from any thread, and in parent and children after a fork.

pub mod private;
pub mod seal;
pub mod sqlite;

use crate::fork::ForkedMidway;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The whole server: the policy, the boot.
    Server = 0,
    /// An issuer, by the account that set it.
    Issuer = 1,
    /// An enrolled subject.
    Subject = 2,
    /// What must be remembered of a subject whose enrolment was removed.
    Removed = 3,
}

/// Which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// What it is about.
    pub kind: Kind,
    /// Its name among its kind.
    pub name: &'a str,
}

/// One change to one record, with the text that it expects to find.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The record.
    pub key: Key<'a>,
    /// Its text until now; `None`: there is no such record.
    pub old: Option<&'a str>,
    /// Its text from now on; `None`: it goes away.
    pub new: Option<&'a str>,
}

/// A line of the audit trail, about to be written; the engine decides what it says.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// When it happened, in milliseconds since the epoch.
    pub time: u64,
    /// What happened.
    pub text: &'a str,
}

/// A line of the audit trail, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Its number.
    pub id: u64,
    /// When it happened, in milliseconds since the epoch.
    pub time: u64,
    /// What happened.
    pub text: String,
}

/// What is done as one: all of it or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The changes to records.
    pub changes: &'a [Change<'a>],
    /// The lines that tell of them.
    pub lines: &'a [Line<'a>],
    /// What the commit survives.
    pub durability: Durability,
}

/// What a reported commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of any process.
    Process,
    /// A power cut as well.
    Power,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Commit {
    /// All changes are made.
    Done,
    /// A record was not as expected; nothing is changed. Read again and decide again.
    Outdated,
}

/// The store cannot answer, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

impl From<ForkedMidway> for Unavailable {
    fn from(error: ForkedMidway) -> Self {
        Unavailable(error.to_string())
    }
}

/// A place for records. The promises are at the top of this module.
pub trait Store: Send + Sync {
    /// The texts under `keys`, in that order, all of one moment.
    fn read(&self, keys: &[Key<'_>]) -> Result<Vec<Option<String>>, Unavailable>;

    /// Makes all changes and writes all lines, or nothing when a record is not as expected.
    fn commit(&self, transaction: &Transaction<'_>) -> Result<Commit, Unavailable>;

    /// At most `limit` names of `kind` that are not before `from` and, when given, before `before`, in the order of
    /// their bytes.
    fn names(&self, kind: Kind, from: &str, before: Option<&str>, limit: usize) -> Result<Vec<String>, Unavailable>;

    /// How many records of `kind` there are.
    fn count(&self, kind: Kind) -> Result<u64, Unavailable>;

    /// At most `limit` lines of the audit trail, those after the line with the number `after`, oldest first.
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Unavailable>;

    /// Takes away, of the `limit` oldest lines, those from before `time` (milliseconds since the epoch). The newest line
    /// of all stays, so that the next one gets a number of its own.
    fn prune(&self, time: u64, limit: usize) -> Result<(), Unavailable>;

    /// Whether a power cut can undo a commit of [`Durability::Process`]. If so, the engine closes the gap (`engine::boot`).
    fn forgets_on_power_cut(&self) -> bool;
}

#[cfg(test)]
pub mod conformance;
