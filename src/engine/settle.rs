//! Settling: how a rule's ruling becomes so.
//!
//! A rule is asked with the records that it needs, all of one moment, and says three things: its answer, what the records
//! are to say from now on, and the lines of the audit trail that tell of it.
//!
//! Promises: changes and lines are committed as one, while the records are still as the rule saw them; the answer is given
//! after the commit; a refusal changes nothing. No rule asks the host, nor the store, while it is being settled.

use super::Tfa;
use super::audit::{Entry, milliseconds};
use super::refusal::Refusal;
use crate::store::{Change, Decision, Durability, Key, Line, Texts};

/// What a rule says: its answer, the changes that make it so, and the lines that tell of them.
pub(super) struct Ruling<'a, T> {
    answer: T,
    changes: Vec<Change<'a>>,
    entries: Vec<Entry<'a>>,
}

impl<'a, T> Ruling<'a, T> {
    /// `answer`, with nothing changed.
    pub(super) fn new(answer: T) -> Self {
        Ruling { answer, changes: Vec::new(), entries: Vec::new() }
    }

    /// The same, and the record under `key` is to say `text`; `None`: it goes away.
    pub(super) fn change(mut self, key: Key<'a>, text: Option<String>) -> Self {
        self.changes.push(Change { key, text });
        self
    }

    /// The same, with another answer.
    pub(super) fn answer<U>(self, answer: U) -> Ruling<'a, U> {
        Ruling { answer, changes: self.changes, entries: self.entries }
    }

    /// The same, told of by `entry`.
    pub(super) fn line(mut self, entry: Entry<'a>) -> Self {
        self.entries.push(entry);
        self
    }
}

impl Tfa {
    /// Settles what `rule` makes of the records under `keys`: commits its changes with the lines that tell of them, then
    /// tells the sinks, and gives its answer. It may be asked again when somebody else was faster.
    pub(super) fn settle<'k, T>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        mut rule: impl FnMut(Texts) -> Result<Ruling<'k, T>, Refusal>,
    ) -> Result<T, Refusal> {
        let time = milliseconds(self.clock.now());
        let (answer, entries) = self.store.settle(keys, durability, |texts| {
            let Ruling { answer, changes, entries } = rule(texts)?;
            let kept = if self.config.audit.days > 0 { entries.as_slice() } else { &[] };
            let lines = kept.iter().map(|entry| Ok(Line { time, text: entry.write()? }));
            let lines = lines.collect::<Result<_, Refusal>>()?;
            Ok::<_, Refusal>(((answer, entries), Decision { changes, lines }))
        })?;
        self.tell(&entries, time);
        Ok(answer)
    }
}
