//! Recovery codes of an enrolled subject.
//!
//! Promise: codes are returned once, when they are generated, and stored as keyed hashes.

use zeroize::Zeroizing;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::presence::Presence;
use super::record::{self, enrolment_in, enrolment_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::Subject;
use crate::otp::recovery::{self, RecoveryCode};
use crate::store::Durability;

impl Tfa {
    /// Generates ten recovery codes for `subject`, which can need a current code. Earlier codes are revoked.
    pub fn generate_recovery_codes(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
    ) -> Result<Vec<Zeroizing<String>>, Refusal> {
        self.generate_recovery_codes_with(actor, subject, Presence::NotRequired)
    }

    /// The same, where new recovery codes can need a current code.
    pub fn generate_recovery_codes_with(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
        presence: Presence<'_>,
    ) -> Result<Vec<Zeroizing<String>>, Refusal> {
        let codes = (0..recovery::SET).map(|_| RecoveryCode::generate()).collect::<Result<Vec<_>, _>>()?;
        let name = record::subject_name(subject.name());
        let key = enrolment_key(&name);
        self.transact(&[key], Durability::Power, |texts| {
            let enrolment = enrolment_in(subject, texts.at(0))?;
            let mut enrolment = enrolment.ok_or_else(|| Refusal::NotConfigured(subject.name().to_owned()))?;
            let entries = match self.verify_presence(actor, subject, key, &mut enrolment, presence)? {
                Ok(entries) => entries,
                Err(refused) => return Ok(refused),
            };
            let secret = self.open_secret(subject.name(), &enrolment.secret)?;
            enrolment.used_recovery.clear();
            enrolment.recovery_name = None;
            enrolment.recovery = codes.iter().map(|code| code.mac(subject.name(), &secret)).collect();
            Ok(Effects::new(Ok(())).entries(entries).change(key, Some(record::write(&enrolment)?)).entry(Entry::new(
                actor,
                Event::RecoveryCodesMade,
                Some(subject.name()),
            )))
        })??;
        Ok(codes.iter().map(RecoveryCode::text).collect())
    }
}
