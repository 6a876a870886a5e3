//! Issuers: the names under which authenticators list enrolments.
//!
//! Root's issuer applies to the whole server and defaults to the host name. A reseller's issuer applies to the accounts
//! that it owns and defaults to root's.

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::record::{self, Issuer};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::{ROOT, Subject, View};
use crate::store::{Durability, Key, Kind};

/// The most characters of an issuer.
const MAX_CHARACTERS: usize = 128;

/// Checks an issuer's name. The error says what is wrong with it.
pub fn check(issuer: &str) -> Result<(), &'static str> {
    // Bytes first: counting the characters of a text of megabytes takes long.
    if issuer.len() > 4 * MAX_CHARACTERS || issuer.chars().count() > MAX_CHARACTERS {
        return Err("it has more than 128 characters.");
    }
    if issuer.chars().any(char::is_control) {
        return Err("it has control characters.");
    }
    Ok(())
}

/// The key of the issuer that `account` set.
pub(super) fn issuer_key(account: &str) -> Key<'_> {
    Key { kind: Kind::Issuer, name: account }
}

impl Tfa {
    /// The system-wide issuer.
    pub fn system_issuer(&self) -> Result<String, Refusal> {
        Ok(self.stored_issuer(ROOT)?.unwrap_or_else(|| self.config.hostname.clone()))
    }

    /// The issuer of `account` itself: the one that it set, else the system-wide one.
    pub fn own_issuer(&self, account: &str) -> Result<String, Refusal> {
        match self.stored_issuer(account)? {
            Some(issuer) => Ok(issuer),
            None => self.system_issuer(),
        }
    }

    /// The issuer for `subject`: the one that its account set, as a reseller can, else the issuer of its owner.
    pub fn issuer_for(&self, view: &View, subject: &Subject) -> Result<String, Refusal> {
        if let Some(own) = self.stored_issuer(subject.account())? {
            return Ok(own);
        }
        match view.account(subject.account())? {
            Some(account) => self.own_issuer(&account.owner),
            None => self.system_issuer(),
        }
    }

    /// Sets the issuer of `account` itself. An empty issuer restores the default.
    pub fn set_issuer(&self, actor: Actor<'_>, account: &str, issuer: &str) -> Result<(), Refusal> {
        let (event, text) = match issuer {
            "" => (Event::IssuerReset, None),
            issuer => (Event::IssuerSet, Some(record::write(&Issuer { issuer: issuer.to_owned() })?)),
        };
        let key = issuer_key(account);
        self.transact(&[key], Durability::Power, |_| {
            Ok(Effects::new(()).change(key, text.clone()).entry(Entry::new(actor, event, Some(account))))
        })
    }

    fn stored_issuer(&self, account: &str) -> Result<Option<String>, Refusal> {
        Ok(self.record(issuer_key(account))?.map(|Issuer { issuer }| issuer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_has_at_most_128_characters_and_no_control_characters() {
        for good in ["", "Example Hosting", "a:b", &"é".repeat(128)] {
            assert_eq!(check(good), Ok(()));
        }
        for bad in ["a\nb", "\u{7f}", &"é".repeat(129), &"x".repeat(2 << 20)] {
            assert!(check(bad).is_err());
        }
    }
}
