//! The limits on guessing (contract sections 4 and 14): pure arithmetic on counts, locks and the time.
//!
//! Promises: after `failures` invalid one-time codes in a row, one-time codes are locked for `seconds`, and each further one
//! doubles that up to `max_seconds`; after `hard_limit`, no one-time code is examined until the subject is unlocked or a
//! recovery code is accepted. Recovery codes have a limit of their own, 5 a minute, which one-time codes do not touch. A clock
//! that is set back never makes a lock longer than it was meant to be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;

/// The configured limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Invalid one-time codes in a row before the first lock.
    pub failures: u32,
    /// The first lock, in seconds.
    pub seconds: u64,
    /// The longest lock, in seconds.
    pub max_seconds: u64,
    /// Invalid one-time codes in a row before one-time codes are refused altogether.
    pub hard_limit: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { failures: 5, seconds: 30, max_seconds: 3600, hard_limit: 100 }
    }
}

/// The invalid one-time codes of a subject since the last accepted code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guesses {
    /// Their number.
    pub failures: u32,
    /// When the lock ends, in milliseconds since the epoch.
    pub locked_until: u64,
}

/// The lock on codes of one kind at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Whole seconds, rounded up, until a code is examined again; 0 when one is examined now.
    pub retry_after: u64,
    /// Whether one-time codes stay locked until the subject is unlocked or a recovery code is accepted.
    pub hard: bool,
}

impl Lock {
    /// Whether no code of this kind is examined.
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

    /// The guesses after one more invalid code at `now`.
    pub fn after_failure(&self, guesses: Guesses, now: Duration) -> Guesses {
        let failures = guesses.failures.saturating_add(1);
        let penalty = self.penalty(failures).saturating_mul(1000);
        let locked_until = if penalty == 0 { 0 } else { milliseconds(now).saturating_add(penalty) };
        Guesses { failures, locked_until }
    }

    /// Seconds of lock after the last of `failures` invalid codes.
    fn penalty(&self, failures: u32) -> u64 {
        let Some(doublings) = failures.checked_sub(self.failures) else {
            return 0;
        };
        let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.seconds.saturating_mul(factor).min(self.max_seconds)
    }
}

/// Invalid recovery codes within a minute after which recovery codes are locked.
const RECOVERY_LIMIT: usize = 5;
/// That minute, in milliseconds.
const RECOVERY_WINDOW: u64 = 60_000;

/// The times of the latest invalid recovery codes of a subject, in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryGuesses(Vec<u64>);

impl RecoveryGuesses {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lock on recovery codes at `now`. It ends a minute after the first of the last five, and is never a hard one.
    pub fn lock(&self, now: Duration) -> Lock {
        let now = milliseconds(now);
        let recent = || self.0.iter().filter(|time| is_recent(**time, now));
        if recent().count() < RECOVERY_LIMIT {
            return Lock::default();
        }
        let end = recent().min().map_or(0, |first| first.saturating_add(RECOVERY_WINDOW));
        Lock { retry_after: end.saturating_sub(now).min(RECOVERY_WINDOW).div_ceil(1000), hard: false }
    }

    /// Adds an invalid code at `now`.
    pub fn add(&mut self, now: Duration) {
        let now = milliseconds(now);
        self.0.retain(|time| is_recent(*time, now));
        self.0.push(now);
    }
}

/// Whether two times are less than a minute apart. Times ahead of a clock that was set back by more do not count.
fn is_recent(time: u64, now: u64) -> bool {
    time.abs_diff(now) < RECOVERY_WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    /// The lock right after `count` invalid codes, each given when the previous lock has ended.
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
    fn a_timed_lock_and_a_hard_lock_both_lock() {
        for (retry_after, hard) in [(0, false), (1, false), (0, true), (1, true)] {
            assert_eq!(Lock { retry_after, hard }.is_locked(), retry_after > 0 || hard);
        }
    }

    #[test]
    fn the_hundredth_invalid_code_reaches_the_hard_limit() {
        assert!(!lock_after(Limits::default(), 99).hard);
        assert!(lock_after(Limits::default(), 100).hard);
        assert_eq!(lock_after(Limits::default(), 100_000).retry_after, 3600);
    }

    #[test]
    fn the_remaining_time_is_rounded_up() {
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

    #[test]
    fn recovery_codes_are_limited_to_five_a_minute() {
        let mut guesses = RecoveryGuesses::default();
        let at = |seconds| NOW + Duration::from_secs(seconds);
        for seconds in [0, 10, 20, 30, 40] {
            assert_eq!(guesses.lock(at(seconds)), Lock::default());
            guesses.add(at(seconds));
        }
        let left = |seconds| guesses.lock(at(seconds)).retry_after;
        assert_eq!([left(40), left(59), left(60)], [20, 1, 0]);
        assert_eq!(guesses.lock(NOW + Duration::from_millis(59_001)).retry_after, 1);
        guesses.add(at(60));
        assert_eq!(guesses.lock(at(60)).retry_after, 10, "the next one after a minute begins a new one");
        for hour in 1..200 {
            guesses.add(at(3600 * hour));
            assert_eq!(guesses.lock(at(3600 * hour)), Lock::default(), "there is no hard limit");
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lock_recovery_codes() {
        let mut guesses = RecoveryGuesses::default();
        (0..5).for_each(|_| guesses.add(NOW));
        assert_eq!(guesses.lock(NOW - Duration::from_secs(30)).retry_after, 60);
        assert_eq!(guesses.lock(NOW - Duration::from_secs(60)), Lock::default());
    }
}
