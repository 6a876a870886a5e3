//! Records in format 1, which remembered the last accepted time step by its number, and how they are read as format 2.
//!
//! Promise: a code that counts as used in format 1 counts as used in format 2.

use serde::Deserialize;

use super::UsedCodes;
use super::{Denials, Guesses, RecoveryGuesses, read_digits, read_macs, read_period};
use crate::otp::code::{Algorithm, CodeFormat};
use crate::otp::recovery::RecoveryMac;
use crate::store::seal::Sealed;

/// The state of an enrolled subject.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    algorithm: Algorithm,
    #[serde(deserialize_with = "read_digits")]
    digits: u32,
    #[serde(deserialize_with = "read_period")]
    period: u32,
    secret: Sealed,
    last_step: u64,
    guesses: Guesses,
    #[serde(deserialize_with = "read_macs")]
    recovery: Vec<RecoveryMac>,
}

/// The secrets of removed enrolments, with the last step of any of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    #[serde(deserialize_with = "read_macs")]
    fingerprint: Vec<RecoveryMac>,
    period: u32,
    last_step: u64,
}

impl From<Enrolment> for super::Enrolment {
    fn from(first: Enrolment) -> Self {
        let Enrolment { algorithm, digits, period, secret, last_step, guesses, recovery } = first;
        super::Enrolment {
            algorithm,
            digits,
            period,
            secret,
            used_until: used_until(period, last_step),
            guesses,
            recovery,
            used_recovery: Vec::new(),
            recovery_guesses: RecoveryGuesses::default(),
            enrolled_at: 0,
            recovery_name: None,
            denials: Denials::default(),
        }
    }
}

impl From<Removed> for UsedCodes {
    fn from(first: Removed) -> Self {
        let used_until = used_until(first.period, first.last_step);
        let mut used = UsedCodes::default();
        first.fingerprint.into_iter().for_each(|fingerprint| used.add(fingerprint, used_until));
        used
    }
}

/// The end of the last accepted step; 0 when none was accepted.
fn used_until(period: u32, last_step: u64) -> u64 {
    if last_step == 0 { 0 } else { CodeFormat { period, ..CodeFormat::default() }.step_end(last_step) }
}
