//! The time of day. Tests inside Rust use a clock of their own; no parameter from outside sets the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Time since the Unix epoch.
    fn now(&self) -> Duration;
}

/// A time in whole milliseconds.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The operating system's clock. Before 1970 it is 1970.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// A clock that stands where it is put, in milliseconds.
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `seconds`.
    pub fn at(seconds: u64) -> Self {
        ManualClock(AtomicU64::new(seconds.saturating_mul(1000)))
    }

    /// Moves on by `time`.
    pub fn advance(&self, time: Duration) {
        self.0.fetch_add(milliseconds(time), Ordering::SeqCst);
    }

    /// Moves to `seconds`, forward or back.
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
