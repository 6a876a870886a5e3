//! The store: where records live, and what is promised about them.
//!
//! A record is a text under a kind and a name; the engine decides what it says. A decision reads some records and returns
//! what to change; the store commits it as if no other process came between. Each backend has its own way: a lock on one
//! machine, compare-and-set with another decision on many.
//!
//! Every backend promises (the suite in `conformance` tests each promise):
//! * [`Store::transact`] reads one moment: no commit is seen in part. It makes all changes and writes all audit entries, or
//!   none of either, on records that are still as they were read.
//! * Entries are numbered in the order of their commits, and a number is never given twice.
//! * A commit that was reported survives the death of every process; one of [`Durability::Power`] also survives a power cut.
//! * A failure gives its reason in words that contain no record. It changed nothing, or, if the disk failed in the middle of
//!   a commit, possibly everything: never a part.
//! * Every function can be called from any thread, and in parent and children after a fork.

pub mod private;
pub mod seal;
pub mod sqlite;
pub mod trusted;

use std::path::Path;

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

/// The texts of some records at one moment, in the order in which their keys were given.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts(Vec<Option<String>>);

impl Texts {
    /// The text under the key at `place`, if there is one.
    pub fn at(&self, place: usize) -> Option<&str> {
        self.0.get(place)?.as_deref()
    }
}

/// What a record is to say.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The record: one of those that were read.
    pub key: Key<'a>,
    /// Its text from now on; `None`: it goes away.
    pub text: Option<String>,
}

/// A line of the audit trail, about to be written; the engine decides what it says.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it happened, in milliseconds since the epoch.
    pub time: u64,
    /// What happened.
    pub text: String,
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
#[derive(Clone, Debug, Default)]
pub struct Decision<'a> {
    /// The changes to records.
    pub changes: Vec<Change<'a>>,
    /// The lines that tell of them.
    pub lines: Vec<Line>,
}

/// What a reported commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of any process.
    Process,
    /// A power cut as well.
    Power,
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
    /// Commits what `decide` makes of the texts under `keys`, all of one moment, while they are still so. It may be asked
    /// again; its last word is what is done. Returns the numbers of the lines that were written, in their order.
    fn transact<'k>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        decide: &mut dyn FnMut(Texts) -> Decision<'k>,
    ) -> Result<Vec<u64>, Unavailable>;

    /// At most `limit` names of `kind` that are not before `from` and, when given, before `before`, in the order of
    /// their bytes.
    fn names(&self, kind: Kind, from: &str, before: Option<&str>, limit: usize) -> Result<Vec<String>, Unavailable>;

    /// How many records of `kind` there are.
    fn count(&self, kind: Kind) -> Result<u64, Unavailable>;

    /// At most `limit` lines of the audit trail, those after the line with the number `after`, oldest first.
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Unavailable>;

    /// Takes away, of the `limit` oldest lines, those from before `time` (milliseconds since the epoch). The newest line
    /// of all stays, so that the next one gets a number of its own. Also makes room for the lines to come, where a full
    /// disk could keep them out.
    fn prune(&self, time: u64, limit: usize) -> Result<(), Unavailable>;

    /// Makes the record under `key` with this text the mark of the store: a database without it, which takes the place of the
    /// one that was opened, is refused from now on.
    fn bind(&self, key: Key<'_>, text: &str);

    /// Whether a power cut can undo a commit of [`Durability::Process`]. If so, the engine closes the gap (`engine::boot`).
    fn forgets_on_power_cut(&self) -> bool;

    /// Writes a copy of the store, as of one moment, to the new file `file`, which is on disk when this returns.
    fn copy_to(&self, file: &Path) -> Result<(), Unavailable>;
}

impl dyn Store + '_ {
    /// The texts under `keys`, all of one moment.
    pub fn read(&self, keys: &[Key<'_>]) -> Result<Texts, Unavailable> {
        self.settle(keys, Durability::Process, |texts| Ok((texts, Decision::default())))
    }

    /// [`Store::transact`] for a decision that has an answer, which is given once the decision is committed, or that
    /// fails, which changes nothing.
    pub fn settle<'k, T, E: From<Unavailable>>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        decide: impl FnMut(Texts) -> Result<(T, Decision<'k>), E>,
    ) -> Result<T, E> {
        Ok(self.settle_with_ids(keys, durability, decide)?.0)
    }

    /// The same, with the numbers of the lines that were written.
    pub fn settle_with_ids<'k, T, E: From<Unavailable>>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        mut decide: impl FnMut(Texts) -> Result<(T, Decision<'k>), E>,
    ) -> Result<(T, Vec<u64>), E> {
        let mut outcome = None;
        let ids = self.transact(keys, durability, &mut |texts| match decide(texts) {
            Ok((answer, decision)) => {
                outcome = Some(Ok(answer));
                decision
            }
            Err(error) => {
                outcome = Some(Err(error));
                Decision::default()
            }
        })?;
        let answer =
            outcome.unwrap_or_else(|| Err(Unavailable("The store asked for no decision".to_owned()).into()))?;
        Ok((answer, ids))
    }
}

#[cfg(test)]
pub mod conformance;
