//! The policy: whether this server asks for second factors at all. Off until root turns it on.

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::record::{self, POLICY, Policy};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::store::Durability;

impl Tfa {
    /// Whether the policy is enabled.
    pub fn policy(&self) -> Result<bool, Refusal> {
        enabled(self.store.read(&[POLICY])?.at(0))
    }

    /// Turns the policy on or off. Enrolments are kept either way.
    pub fn set_policy(&self, actor: Actor<'_>, enabled: bool) -> Result<(), Refusal> {
        let event = if enabled { Event::PolicyEnabled } else { Event::PolicyDisabled };
        let text = record::write(&Policy { enabled })?;
        self.transact(&[POLICY], Durability::Power, |_| {
            Ok(Effects::new(()).change(POLICY, Some(text.clone())).entry(Entry::new(actor, event, None)))
        })
    }
}

/// What the policy's record says. There has been one since the first opening (module `boot`), so that one that is gone is
/// never taken for a policy that is off.
pub(super) fn enabled(text: Option<&str>) -> Result<bool, Refusal> {
    let policy: Option<Policy> = record::read(POLICY.name, text)?;
    policy.map(|policy| policy.enabled).ok_or_else(|| {
        Refusal::Unavailable(
            "the policy's record is gone. Restore the database from a backup, or set the policy again".to_owned(),
        )
    })
}
