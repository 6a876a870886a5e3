//! Used codes: what is remembered of the secrets that a subject had before its present one.
//!
//! Promise: a code that was accepted is never accepted again while any configuration can accept a code of its time, however
//! often the subject's secret changes.

use serde::{Deserialize, Serialize};

use super::{read_mac, write_mac};
use crate::otp::recovery::RecoveryMac;

/// The codes that count as used of the secrets that a subject had before its present one, so that a code stays used when
/// its secret is enrolled again. Kept as long as any configuration can accept a code of that time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedCodes {
    /// The secrets that are remembered one by one.
    pub secrets: Vec<UsedSecret>,
    /// No code of any secret whose time step ends at or before this is accepted, in Unix seconds. It stands for secrets
    /// that are not remembered: because there were too many, or because their record could not be read.
    pub floor: u64,
}

/// A secret that a subject had before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedSecret {
    /// Identifies the secret.
    #[serde(serialize_with = "write_mac", deserialize_with = "read_mac")]
    pub fingerprint: RecoveryMac,
    /// The end of the last time step whose code was accepted, in Unix seconds.
    pub used_until: u64,
}

impl UsedCodes {
    /// The most secrets that are remembered one by one.
    const MAX_SECRETS: usize = 64;

    /// The time up to which codes of the secret with this fingerprint count as used.
    pub fn used_until(&self, fingerprint: &RecoveryMac) -> u64 {
        let used = self.secrets.iter().filter(|secret| secret.fingerprint == *fingerprint);
        used.map(|secret| secret.used_until).fold(self.floor, u64::max)
    }

    /// Adds a secret whose codes count as used up to `used_until`. When there are too many, the floor takes the place of
    /// the one with the earliest time: at worst, a user waits for the next code.
    pub fn add(&mut self, fingerprint: RecoveryMac, used_until: u64) {
        let used_until = self.used_until(&fingerprint).max(used_until);
        self.secrets.retain(|secret| secret.fingerprint != fingerprint);
        self.secrets.push(UsedSecret { fingerprint, used_until });
        if self.secrets.len() > Self::MAX_SECRETS
            && let Some((place, used_until)) = self
                .secrets
                .iter()
                .map(|secret| secret.used_until)
                .enumerate()
                .min_by_key(|(_, used_until)| *used_until)
        {
            self.secrets.remove(place);
            self.floor = self.floor.max(used_until);
        }
    }

    /// The same for another name of the subject, under which fingerprints differ: the floor takes the place of all secrets.
    pub fn as_floor(&self) -> UsedCodes {
        let latest = self.secrets.iter().map(|secret| secret.used_until).fold(self.floor, u64::max);
        UsedCodes { secrets: Vec::new(), floor: latest }
    }

    /// Drops what ended at or before `time`.
    pub fn drop_before(&mut self, time: u64) {
        self.secrets.retain(|secret| secret.used_until > time);
        if self.floor <= time {
            self.floor = 0;
        }
    }

    /// Whether no code counts as used.
    pub fn is_empty(&self) -> bool {
        *self == UsedCodes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::recovery::MAC_BYTES;

    fn used(last: u8) -> UsedCodes {
        let mut used = UsedCodes::default();
        (1..=last).for_each(|number| used.add([number; MAC_BYTES], u64::from(number)));
        used
    }

    #[test]
    fn secrets_beyond_the_limit_are_covered_by_the_floor() {
        let full = used(64);
        assert_eq!((full.floor, full.used_until(&[1; MAC_BYTES]), full.used_until(&[99; MAC_BYTES])), (0, 1, 0));
        let over = used(66);
        assert_eq!((over.secrets.len(), over.floor), (64, 2));
        assert_eq!((over.used_until(&[1; MAC_BYTES]), over.used_until(&[66; MAC_BYTES])), (2, 66));
    }

    #[test]
    fn a_secret_that_is_added_again_keeps_the_later_time() {
        let mut used = used(3);
        used.add([3; MAC_BYTES], 2);
        assert_eq!((used.secrets.len(), used.used_until(&[3; MAC_BYTES])), (3, 3));
    }

    #[test]
    fn what_has_ended_is_dropped() {
        let mut used = used(66);
        used.drop_before(65);
        assert_eq!((used.secrets.len(), used.floor), (1, 0));
        used.drop_before(66);
        assert!(used.is_empty());
    }
}
