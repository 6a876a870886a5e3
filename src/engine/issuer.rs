//! Issuers: whom an enrolment says it is from. Root's holds for the whole server and is the host name by default; a
//! reseller's holds for the accounts that it owns and is root's by default.

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::reason::Refusal;
use super::record::{self, Issuer};
use super::settle::Ruling;
use crate::accounts::{ROOT, Subject};
use crate::store::{Durability, Key, Kind};

/// The most characters of an issuer.
const MAX_CHARACTERS: usize = 128;

/// Says what is wrong with an issuer's name.
pub fn check(issuer: &str) -> Result<(), &'static str> {
    // Bytes first: a text of megabytes is not worth counting.
    if issuer.len() > 4 * MAX_CHARACTERS || issuer.chars().count() > MAX_CHARACTERS {
        return Err("it has more than 128 characters.");
    }
    if issuer.chars().any(char::is_control) {
        return Err("it has control characters.");
    }
    Ok(())
}

impl Tfa {
    /// The system-wide issuer.
    pub fn system_issuer(&self) -> Result<String, Refusal> {
        Ok(self.stored_issuer(ROOT)?.unwrap_or_else(|| self.config.hostname.clone()))
    }

    /// The issuer of `account`'s own: the one it set, else the system-wide one.
    pub fn own_issuer(&self, account: &str) -> Result<String, Refusal> {
        match self.stored_issuer(account)? {
            Some(issuer) => Ok(issuer),
            None => self.system_issuer(),
        }
    }

    /// The issuer that `subject` sees: what its account set itself, as a reseller may, else what its owner did.
    pub fn issuer_for(&self, subject: &Subject) -> Result<String, Refusal> {
        if let Some(own) = self.stored_issuer(subject.account())? {
            return Ok(own);
        }
        match self.directory()?.account(subject.account())? {
            Some(account) => self.own_issuer(&account.owner),
            None => self.system_issuer(),
        }
    }

    /// Sets the issuer of `account`'s own; an empty one restores the default.
    pub fn set_issuer(&self, actor: Actor<'_>, account: &str, issuer: &str) -> Result<(), Refusal> {
        let (event, text) = match issuer {
            "" => (Event::IssuerReset, None),
            issuer => (Event::IssuerSet, Some(record::write(&Issuer { issuer: issuer.to_owned() })?)),
        };
        let key = Key { kind: Kind::Issuer, name: account };
        self.settle(&[key], Durability::Power, |_| {
            Ok(Ruling::new(()).change(key, text.clone()).line(Entry::new(actor, event, Some(account))))
        })
    }

    fn stored_issuer(&self, account: &str) -> Result<Option<String>, Refusal> {
        let texts = self.store.read(&[Key { kind: Kind::Issuer, name: account }])?;
        let record: Option<Issuer> = record::read(account, texts.at(0))?;
        Ok(record.map(|record| record.issuer))
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
