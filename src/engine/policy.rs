//! The policy: whether this server asks for second factors at all. Off until root turns it on.

use super::audit::{Actor, Entry, Event};
use super::reason::Refusal;
use super::record::{self, POLICY, Policy};
use super::{Tfa, settled};
use crate::store::{Change, Durability};

impl Tfa {
    /// Whether the policy is enabled.
    pub fn policy(&self) -> Result<bool, Refusal> {
        let text = self.store.read(&[POLICY])?.into_iter().next().flatten();
        enabled(text.as_deref())
    }

    /// Turns the policy on or off. Enrolments are kept either way.
    pub fn set_policy(&self, actor: Actor<'_>, enabled: bool) -> Result<(), Refusal> {
        let event = if enabled { Event::PolicyEnabled } else { Event::PolicyDisabled };
        let new = record::write(&Policy { enabled })?;
        self.settle(|| {
            let old = self.store.read(&[POLICY])?.into_iter().next().flatten();
            let change = Change { key: POLICY, old: old.as_deref(), new: Some(&new) };
            Ok(settled(self.commit(&[change], &[Entry::new(actor, event, None)], Durability::Power)?, ()))
        })
    }
}

/// What the policy's record says.
pub(super) fn enabled(text: Option<&str>) -> Result<bool, Refusal> {
    let policy: Option<Policy> = record::read(POLICY.name, text)?;
    Ok(policy.is_some_and(|policy| policy.enabled))
}
