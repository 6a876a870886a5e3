//! Transactions: a rule runs on current records, and its changes and audit entries are committed together.
//!
//! A rule receives the records that it needs, all of one moment, and returns its answer, the new texts of records, and the
//! audit entries for them.
//!
//! Promises: changes and entries are committed as one, and only while the records are still as the rule read them; the
//! answer is returned after the commit; a refusal changes nothing. A rule calls neither the host nor the store. It can run
//! more than once, when another commit was faster.

use super::Tfa;
use super::audit::Entry;
use super::refusal::Refusal;
use crate::clock::milliseconds;
use crate::store::{Change, Decision, Durability, Key, Line, Texts};

/// What a rule returns: its answer, the changes to records, and the audit entries for them.
#[derive(Default)]
pub(super) struct Effects<'a, T> {
    answer: T,
    changes: Vec<Change<'a>>,
    entries: Vec<Entry<'a>>,
}

impl<'a, T> Effects<'a, T> {
    /// An answer that changes nothing.
    pub(super) fn new(answer: T) -> Self {
        Effects { answer, changes: Vec::new(), entries: Vec::new() }
    }

    /// Adds a change: the record under `key` gets this text, or is removed.
    pub(super) fn change(mut self, key: Key<'a>, text: Option<String>) -> Self {
        self.changes.push(Change { key, text });
        self
    }

    /// Adds the effects of another rule.
    pub(super) fn and(mut self, other: Effects<'a, ()>) -> Self {
        self.changes.extend(other.changes);
        self.entries.extend(other.entries);
        self
    }

    /// Replaces the answer.
    pub(super) fn answer<U>(self, answer: U) -> Effects<'a, U> {
        Effects { answer, changes: self.changes, entries: self.entries }
    }

    /// Adds audit entries.
    pub(super) fn entries(mut self, entries: impl IntoIterator<Item = Entry<'a>>) -> Self {
        self.entries.extend(entries);
        self
    }

    /// Whether there are neither changes nor entries.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.entries.is_empty()
    }

    /// Adds an audit entry.
    pub(super) fn entry(mut self, entry: Entry<'a>) -> Self {
        self.entries.push(entry);
        self
    }
}

impl Tfa {
    /// Runs `rule` on the records under `keys`, commits its changes with their audit entries, sends the entries to the sinks,
    /// and returns the answer.
    pub(super) fn transact<'k, T>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        mut rule: impl FnMut(Texts) -> Result<Effects<'k, T>, Refusal>,
    ) -> Result<T, Refusal> {
        let time = milliseconds(self.clock.now());
        let ((answer, entries), ids) = self.store.settle_with_ids(keys, durability, |texts| {
            let Effects { answer, changes, entries } = rule(texts)?;
            let kept = if self.config.audit.days > 0 { entries.as_slice() } else { &[] };
            let lines = kept.iter().map(|entry| Ok(Line { time, text: entry.write()? }));
            let lines = lines.collect::<Result<_, Refusal>>()?;
            Ok::<_, Refusal>(((answer, entries), Decision { changes, lines }))
        })?;
        self.send(&entries, &ids, time);
        Ok(answer)
    }
}
