//! Denied attempts on a subject and their audit entries.
//!
//! Promises: however fast codes are guessed, denied attempts on one subject add at most one entry a second to the audit
//! trail, so that guessing does not fill the disk; each entry carries the number of attempts that it stands for, and no
//! attempt is missing: those without an entry are in the record, and are reported with the subject's next entry.

use serde::{Deserialize, Serialize};

use super::audit::{Actor, Entry, Event};

/// The shortest time between two entries, in milliseconds.
const INTERVAL: u64 = 1000;

/// The denied attempts on a subject that have no entry yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denials {
    /// When the last entry for a denied attempt was written, in milliseconds since the epoch; 0 when there was none.
    last_entry: u64,
    /// The number of denied attempts since then.
    count: u64,
    /// What the last of them was.
    event: Option<Event>,
}

impl Denials {
    /// Whether there has been no denied attempt.
    pub fn is_empty(&self) -> bool {
        *self == Denials::default()
    }

    /// The number of denied attempts that have no entry yet.
    pub(super) fn without_entry(&self) -> u64 {
        self.count
    }

    /// Adds a denied attempt at `now` (milliseconds since the epoch). Returns its entry, unless the last one is too recent.
    pub(super) fn add<'a>(&mut self, actor: Actor<'a>, event: Event, subject: &'a str, now: u64) -> Option<Entry<'a>> {
        self.count = self.count.saturating_add(1);
        // A clock that was set back does not suppress entries.
        if now.abs_diff(self.last_entry) < INTERVAL {
            self.event = Some(event);
            return None;
        }
        let entry = Entry::new(actor, event, Some(subject)).with_count(self.count);
        *self = Denials { last_entry: now, count: 0, event: None };
        Some(entry)
    }

    /// Returns an entry for the attempts that have none. It names the actor of the present call, but no address: the attempts
    /// can have come from many.
    pub(super) fn report<'a>(&mut self, actor: Actor<'a>, subject: &'a str) -> Option<Entry<'a>> {
        let event = self.event.take()?;
        let actor = Actor { remote_addr: None, ..actor };
        Some(Entry::new(actor, event, Some(subject)).with_count(std::mem::take(&mut self.count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTOR: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: Some("192.0.2.1") };

    /// The events and counts of the entries for attempts at these times.
    fn counts(denials: &mut Denials, times: &[u64]) -> Vec<(String, Option<u64>)> {
        let entries = times.iter().filter_map(|time| denials.add(ACTOR, Event::Wrong, "example", *time));
        entries.map(|entry| (entry.event.into_owned(), entry.count)).collect()
    }

    #[test]
    fn one_entry_a_second_stands_for_all_attempts() {
        let mut denials = Denials::default();
        let wrong = |count| ("wrong".to_owned(), count);
        assert_eq!(counts(&mut denials, &[5000]), [wrong(None)]);
        assert_eq!(counts(&mut denials, &[5001, 5500, 5999]), []);
        assert_eq!(counts(&mut denials, &[6000]), [wrong(Some(4))]);
        assert_eq!(counts(&mut denials, &[7000, 7000, 9000]), [wrong(None), wrong(Some(2))]);
        assert_eq!(counts(&mut denials, &[3000]), [wrong(None)], "the clock was set back");
    }

    #[test]
    fn attempts_without_an_entry_are_reported_once() {
        let mut denials = Denials::default();
        counts(&mut denials, &[5000, 5001, 5002]);
        let entry = denials.report(ACTOR, "example").unwrap();
        assert_eq!((&*entry.event, entry.count, entry.remote_addr), ("wrong", Some(2), None));
        assert_eq!(denials.report(ACTOR, "example"), None);
        assert_eq!(counts(&mut denials, &[5003]), [], "the report does not begin a new second");
    }
}
