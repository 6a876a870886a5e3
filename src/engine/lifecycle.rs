//! The life of an account (contract section 15): it is renamed, it is removed, it is gone from the directory.
//!
//! Promises: a rename moves the enrolments of the account and its team users, with their failed attempts, used steps and
//! recovery codes, and its issuer, all or nothing; it is refused when the new name has any data. Removing an account removes
//! everything of it, its mailboxes and its team users, all or nothing, so that a later account of the same name inherits
//! nothing; enrolments that cannot be read are removed as well. Enrolments that are made while a call runs are not covered.

use std::collections::BTreeSet;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::enrolment::{SubjectRecords, Unreadable, used_text};
use super::issuer::issuer_key;
use super::keys::Sealing;
use super::record::{self, Enrolment, KEYS};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::{ROOT, Subject, View, folded_name};
use crate::store::{Durability, Kind, Texts};

/// Records before those of the subjects in a rename: the keys, the issuer of the old and of the new name.
const BEFORE_SUBJECTS: usize = 3;
/// Records of each subject in a rename: enrolment and used codes, under the old and the new name.
const PER_SUBJECT: usize = 4;

/// A subject of a renamed account: the names of its records.
struct Move {
    from: String,
    to: String,
}

impl Tfa {
    /// Moves everything of the account `old` to the name `new`. An account without any data can be renamed as well.
    pub fn rename_user(&self, actor: Actor<'_>, old: &str, new: &str) -> Result<(), Refusal> {
        let in_use = || Refusal::NameInUse(new.to_owned());
        if !self.names_under(Kind::Subject, &folded_name(new))?.is_empty() {
            return Err(in_use());
        }
        let moves = self.moves(old, new)?;
        self.note_spellings([&Subject::Account { name: new.to_owned() }])?;
        let subjects = moves.iter().flat_map(|Move { from, to }| [from, to]);
        let keys: Vec<_> = [KEYS, issuer_key(old), issuer_key(new)]
            .into_iter()
            .chain(subjects.flat_map(|name| SubjectRecords::keys(name)))
            .collect();
        self.transact(&keys, Durability::Power, |texts| {
            let sealing = self.sealing(texts.at(0))?;
            let issuer = texts.at(1).map(str::to_owned);
            if texts.at(2).is_some() {
                return Err(in_use());
            }
            let mut effects = Effects::new(());
            if issuer.is_some() {
                effects = effects.change(issuer_key(old), None).change(issuer_key(new), issuer);
            }
            for (subject, place) in moves.iter().zip((BEFORE_SUBJECTS..).step_by(PER_SUBJECT)) {
                let moved = self.move_subject(&sealing, subject, &texts, place)?;
                effects = effects.and(moved.ok_or_else(in_use)?);
            }
            if effects.is_empty() {
                return Ok(effects);
            }
            Ok(effects.entry(Entry::new(actor, Event::Renamed, Some(old)).with_new_name(new)))
        })
    }

    /// The subjects to move: the account and its team users, those included that were enrolled before.
    fn moves(&self, old: &str, new: &str) -> Result<Vec<Move>, Refusal> {
        let mut team = BTreeSet::new();
        for kind in [Kind::Subject, Kind::Removed] {
            team.extend(self.names_under(kind, &folded_name(old))?);
        }
        let account = Move { from: old.to_owned(), to: new.to_owned() };
        let team = team.into_iter().map(|from| {
            let user = from.split_once('/').map(|(_, user)| user).unwrap_or_default();
            let to = format!("{}/{user}", folded_name(new));
            Move { from, to }
        });
        Ok(std::iter::once(account).chain(team).collect())
    }

    /// The effects of moving one subject, whose records begin at `place`; `None` when the new name is enrolled.
    fn move_subject<'k>(
        &self,
        sealing: &Sealing,
        Move { from, to }: &'k Move,
        texts: &Texts,
        place: usize,
    ) -> Result<Option<Effects<'k, ()>>, Refusal> {
        let [old, new] = [from, to].map(|name| Subject::Account { name: record::name_subject(name) });
        let old_records = SubjectRecords::read(&old, texts, place)?;
        let new_records = SubjectRecords::read(&new, texts, place.saturating_add(2))?;
        if new_records.enrolment.is_some() {
            return Ok(None);
        }
        let [old_enrolment, old_used] = SubjectRecords::keys(from);
        let [new_enrolment, new_used] = SubjectRecords::keys(to);
        let mut effects = Effects::new(());
        if let Some(enrolment) = old_records.enrolment {
            let renamed = self.renamed(sealing, enrolment, old.name(), new.name())?;
            effects = effects.change(old_enrolment, None).change(new_enrolment, Some(record::write(&renamed)?));
        }
        if !old_records.used.is_empty() {
            let mut used = new_records.used;
            used.floor = used.floor.max(old_records.used.as_floor().floor);
            effects = effects.change(old_used, None).change(new_used, used_text(used)?);
        }
        Ok(Some(effects))
    }

    /// An enrolment under another name. Its recovery codes stay valid.
    fn renamed(&self, sealing: &Sealing, enrolment: Enrolment, old: &str, new: &str) -> Result<Enrolment, Refusal> {
        let secret = sealing.seal(new, &self.open_secret(old, &enrolment.secret)?)?;
        let recovery_name = Some(enrolment.recovery_name.unwrap_or_else(|| old.to_owned()));
        Ok(Enrolment { secret, recovery_name: recovery_name.filter(|name| name != new), ..enrolment })
    }

    /// Removes everything of `account`, its mailboxes and its team users. Mailboxes are found by the domains that the directory
    /// has for the account. Returns the names that were enrolled.
    pub fn remove_account(&self, actor: Actor<'_>, view: &View, account: &str) -> Result<Vec<String>, Refusal> {
        let names = self.names_of_account(view, account)?;
        let subjects: Vec<_> = names.iter().map(|name| Subject::Account { name: record::name_subject(name) }).collect();
        let records = names.iter().flat_map(|name| SubjectRecords::keys(name));
        let keys: Vec<_> = [issuer_key(account)].into_iter().chain(records).collect();
        self.transact(&keys, Durability::Power, |texts| {
            let (mut effects, mut removed) = (Effects::new(()), Vec::new());
            if texts.at(0).is_some() {
                effects = effects.change(issuer_key(account), None);
            }
            for ((name, subject), place) in names.iter().zip(&subjects).zip((1..).step_by(2)) {
                if let Some(removal) = self.removal(actor, subject, name, &texts, place, Unreadable::Remove)? {
                    effects = effects.and(removal);
                    removed.push(subject.name().to_owned());
                }
            }
            if !effects.is_empty() {
                effects = effects.entry(Entry::new(actor, Event::AccountRemoved, Some(account)));
            }
            Ok(effects.answer(removed))
        })
    }

    /// The record names of an account and of the enrolled subjects that belong to it.
    fn names_of_account(&self, view: &View, account: &str) -> Result<Vec<String>, Refusal> {
        let mut names = vec![account.to_owned()];
        names.extend(self.names_under(Kind::Subject, &folded_name(account))?);
        for domain in view.domains(account)? {
            for name in self.names_under(Kind::Subject, &domain)? {
                // A domain can have the name of another account, whose team users are listed under it too.
                let subject = view.resolve(&record::name_subject(&name))?;
                if subject.is_some_and(|subject| subject.account() == account) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// Refuses an enrolment that is older than its account, if the directory knows when the account was created: it belongs to
    /// an earlier account of the same name. While the policy is disabled, nothing is refused.
    pub fn refuse_stale(&self, view: &View, subject: &Subject) -> Result<(), Refusal> {
        // Root is never created anew, and can log in while the directory is not available.
        if subject.account() == ROOT {
            return Ok(());
        }
        let Some(created) = view.account(subject.account())?.and_then(|account| account.created) else {
            return Ok(());
        };
        let enrolled_at = if self.policy()? { self.enrolled_at(subject)? } else { None };
        match enrolled_at {
            Some(enrolled_at) if enrolled_at < created => Err(Refusal::StaleEnrolment(subject.name().to_owned())),
            _ => Ok(()),
        }
    }

    /// When `subject` enrolled, in Unix seconds; `None` when it is not enrolled, or has been since before that was recorded.
    fn enrolled_at(&self, subject: &Subject) -> Result<Option<u64>, Refusal> {
        Ok(self.enrolment_of(subject)?.map(|enrolment| enrolment.enrolled_at).filter(|time| *time > 0))
    }

    /// The enrolled names that are no subjects of the directory, in the order of their records. With no directory there are
    /// none.
    pub fn orphans(&self, view: &View) -> Result<Vec<String>, Refusal> {
        let mut orphans = Vec::new();
        if view.is_open() {
            return Ok(orphans);
        }
        for name in self.enrolled()? {
            if view.resolve(&name)?.is_none() {
                orphans.push(name);
            }
        }
        Ok(orphans)
    }
}
