//! The limits on guessing (contract section 4): pure arithmetic on a count, a lock and the time.
//!
//! Promises: after `failures` wrong codes in a row the subject is locked for `seconds`, each further one doubles that
//! up to `max_seconds`; after `hard_limit` no one-time code is looked at until the subject is unlocked or a recovery
//! code is used. A clock that is set back never makes a lock longer than it was meant to be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The configured limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wrong codes in a row before the first lock.
    pub failures: u32,
    /// The first lock, in seconds.
    pub seconds: u64,
    /// The longest lock, in seconds.
    pub max_seconds: u64,
    /// Wrong codes in a row before one-time codes are refused altogether.
    pub hard_limit: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { failures: 5, seconds: 30, max_seconds: 3600, hard_limit: 100 }
    }
}

/// What a record remembers of wrong codes. All zero: none since the last right one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guesses {
    /// Wrong codes in a row.
    pub failures: u32,
    /// When the lock ends, in milliseconds since the epoch.
    pub locked_until: u64,
}

/// How a subject is locked at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Whole seconds, rounded up, until a code is looked at again; 0 when one would be now.
    pub retry_after: u64,
    /// No one-time code is looked at, however long one waits.
    pub hard: bool,
}

impl Lock {
    /// Whether a one-time code would go unlooked at.
    pub fn is_locked(self) -> bool {
        self.hard || self.retry_after > 0
    }
}

impl Limits {
    /// The lock at `now`.
    pub fn lock(&self, guesses: Guesses, now: Duration) -> Lock {
        let left = guesses.locked_until.saturating_sub(milliseconds(now));
        let meant = self.penalty(guesses.failures).saturating_mul(1000);
        Lock { retry_after: left.min(meant).div_ceil(1000), hard: guesses.failures >= self.hard_limit }
    }

    /// What one more wrong code at `now` makes of `guesses`.
    pub fn after_failure(&self, guesses: Guesses, now: Duration) -> Guesses {
        let failures = guesses.failures.saturating_add(1);
        let penalty = self.penalty(failures).saturating_mul(1000);
        let locked_until = if penalty == 0 { 0 } else { milliseconds(now).saturating_add(penalty) };
        Guesses { failures, locked_until }
    }

    /// Seconds of lock that the last of `failures` wrong codes brought.
    fn penalty(&self, failures: u32) -> u64 {
        let Some(doublings) = failures.checked_sub(self.failures) else {
            return 0;
        };
        let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.seconds.saturating_mul(factor).min(self.max_seconds)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    /// The lock right after `count` wrong codes, each given when the lock before has ended.
    fn lock_after(limits: Limits, count: u32) -> Lock {
        let mut guesses = Guesses::default();
        for _ in 0..count {
            guesses = limits.after_failure(guesses, NOW);
        }
        limits.lock(guesses, NOW)
    }

    #[test]
    fn locks_begin_at_the_limit_and_double_up_to_the_longest() {
        let seconds: Vec<_> = (0..14).map(|count| lock_after(Limits::default(), count).retry_after).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    }

    #[test]
    fn the_hard_limit_comes_with_the_hundredth() {
        assert!(!lock_after(Limits::default(), 99).hard);
        assert!(lock_after(Limits::default(), 100).hard);
        assert_eq!(lock_after(Limits::default(), 100_000).retry_after, 3600);
    }

    #[test]
    fn what_is_left_is_rounded_up_and_ends() {
        let limits = Limits::default();
        let guesses = limits.after_failure(Guesses { failures: 4, locked_until: 0 }, NOW);
        let left = |time| limits.lock(guesses, NOW + Duration::from_millis(time)).retry_after;
        assert_eq!([left(0), left(1), left(29_000), left(29_001), left(29_999), left(30_000)], [30, 30, 1, 1, 1, 0]);
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_a_lock() {
        let limits = Limits::default();
        let guesses = limits.after_failure(Guesses { failures: 4, locked_until: 0 }, NOW);
        assert_eq!(limits.lock(guesses, NOW - Duration::from_secs(86_400)).retry_after, 30);
    }
}
