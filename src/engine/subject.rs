//! Subjects: which subject a name means, whatever its spelling (contract section 11).
//!
//! The account directory resolves names. Two questions need the store as well: which of a mailbox and a team user that
//! log in under one name is meant, and whether a subject is enrolled under another spelling of its name: by an older
//! version of this library, or under another configuration of the accounts.
//!
//! Promise: no spelling of an enrolled subject counts as one that is not enrolled.

use std::collections::BTreeMap;

use super::Tfa;
use super::record::{self, SPELLINGS, Spellings};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::{Subject, SubjectKind, View, folded_name};
use crate::store::Durability;

/// Enrolled names that are not folded, by their folded form.
pub(super) type Unfolded = BTreeMap<String, Vec<String>>;

impl Tfa {
    /// The caller called `name`, which is no alias.
    pub fn caller(&self, view: &View, name: &str) -> Result<Option<Subject>, Refusal> {
        view.resolve(name)?.map(|subject| self.as_enrolled(view, name, subject)).transpose()
    }

    /// The subject called `name`. If that can be a mailbox or a team user, `kind` decides; without it, the enrolled one is
    /// meant, and of two enrolled ones, or none, the mailbox.
    pub fn subject(&self, view: &View, name: &str, kind: Option<SubjectKind>) -> Result<Option<Subject>, Refusal> {
        let mut candidates = view.candidates(name)?;
        // Where the directory lists no accounts, every subject is an account.
        if let Some(kind) = kind.filter(|_| view.lists_accounts()) {
            candidates.retain(|candidate| candidate.kind() == kind);
        }
        let is_only = candidates.len() == 1;
        let mut first = None;
        for candidate in candidates {
            let candidate = self.as_enrolled(view, name, candidate)?;
            if is_only || self.is_enrolled(&candidate)? {
                return Ok(Some(candidate));
            }
            first.get_or_insert(candidate);
        }
        Ok(first)
    }

    /// The enrolled subject called `name` that the directory does not have any more.
    pub fn enrolled_without_account(&self, view: &View, name: &str) -> Result<Option<Subject>, Refusal> {
        if view.resolve(name)?.is_some() {
            return Ok(None);
        }
        for name in [name, &folded_name(name)] {
            let subject = Subject::Account { name: name.to_owned() };
            if self.is_enrolled(&subject)? {
                return Ok(Some(subject));
            }
        }
        Ok(None)
    }

    /// `subject`, which was found by `name`, under the spelling by which it is enrolled: `name`, its canonical name, or
    /// another one.
    fn as_enrolled(&self, view: &View, name: &str, subject: Subject) -> Result<Subject, Refusal> {
        let folded = folded_name(subject.name()).into_owned();
        let others = self.unfolded()?.get(&folded).map(Vec::as_slice).unwrap_or_default();
        if others.is_empty() && folded == subject.name() {
            return Ok(subject);
        }
        let given = others.iter().map(String::as_str).filter(|other| *other == name);
        let spellings = given.chain([subject.name(), &folded]).chain(others.iter().map(String::as_str));
        for spelling in spellings {
            // Accounts whose names differ only in case are different subjects.
            if spelling == subject.name() || view.resolve(spelling)?.as_ref() == Some(&subject) {
                let enrolled = subject.clone().spelled(spelling.to_owned());
                if self.is_enrolled(&enrolled)? {
                    return Ok(enrolled);
                }
            }
        }
        Ok(subject)
    }

    /// The enrolled names that are not folded. All names are examined once for each store, and again for each handle only
    /// if there were such names.
    fn unfolded(&self) -> Result<&Unfolded, Refusal> {
        self.unfolded.get_or_try_init(|| {
            let mark: Option<Spellings> = self.record(SPELLINGS)?;
            if mark.as_ref().is_some_and(|mark| mark.all_folded) {
                return Ok(Box::default());
            }
            let mut unfolded = Unfolded::new();
            for name in self.enrolled()? {
                let folded = folded_name(&name);
                if folded != name {
                    unfolded.entry(folded.into_owned()).or_default().push(name);
                }
            }
            if mark.is_none() && unfolded.is_empty() {
                // A store that cannot be written to is examined again by the next handle.
                let _ = self.mark_spellings(true);
            }
            Ok(Box::new(unfolded))
        })
    }

    /// Records that names are enrolled which are not folded, before they are.
    pub(super) fn note_spellings<'a>(&self, subjects: impl IntoIterator<Item = &'a Subject>) -> Result<(), Refusal> {
        if subjects.into_iter().all(|subject| folded_name(subject.name()) == subject.name()) {
            return Ok(());
        }
        self.mark_spellings(false)
    }

    /// Writes the record about spellings, unless it says already that some names are not folded.
    fn mark_spellings(&self, all_folded: bool) -> Result<(), Refusal> {
        // Losing the mark that all names are folded only means to examine them again.
        let durability = if all_folded { Durability::Process } else { Durability::Power };
        self.transact(&[SPELLINGS], durability, |texts| {
            let mark: Option<Spellings> = record::read(SPELLINGS.name, texts.at(0))?;
            let effects = Effects::new(());
            Ok(match mark {
                Some(_) if all_folded => effects,
                Some(Spellings { all_folded: false }) => effects,
                _ => effects.change(SPELLINGS, Some(record::write(&Spellings { all_folded })?)),
            })
        })
    }
}
