//! Enrolment: proposing a secret, verifying a code before it is stored, removing it, and moving enrolments in and out.
//!
//! Promises: nothing is stored before a code proved that the subject's authenticator has the secret; the step of that
//! code is used up; a secret that comes back after it was removed remembers its last step; setting for others is all
//! or nothing. A new secret begins anew: no wrong codes, no recovery codes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::audit::{Actor, Entry, Event};
use super::guess::Guesses;
use super::keys::Sealing;
use super::reason::Refusal;
use super::record::{self, Enrolment, Removed};
use super::{Tfa, settled};
use crate::accounts::Subject;
use crate::otp::code;
use crate::otp::recovery::{self, RecoveryCode};
use crate::otp::secret::{GenerateError, Secret};
use crate::otp::uri::{Moving, OtpauthUri};
use crate::store::{Change, Commit, Durability, Key, Kind};

/// A proposal: nothing of it is stored.
pub struct Proposal {
    /// The secret in Base32.
    pub secret: Zeroizing<String>,
    /// The URI for the authenticator.
    pub otpauth: Zeroizing<String>,
}

/// The two records of a subject, as they were at one moment.
pub(super) struct Records {
    /// The name that they are under.
    pub name: String,
    /// The enrolment's text.
    pub enrolment: Option<String>,
    /// The text of what was removed.
    pub removed: Option<String>,
}

impl Records {
    /// The keys of both: [`Self::enrolment`]'s, then [`Self::removed`]'s.
    fn keys(name: &str) -> [Key<'_>; 2] {
        [Key { kind: Kind::Subject, name }, Key { kind: Kind::Removed, name }]
    }

    /// The changes that put `enrolment` and `removed` in their place.
    fn changes<'a>(&'a self, enrolment: Option<&'a str>, removed: Option<&'a str>) -> [Change<'a>; 2] {
        let [subject_key, removed_key] = Self::keys(&self.name);
        [
            Change { key: subject_key, old: self.enrolment.as_deref(), new: enrolment },
            Change { key: removed_key, old: self.removed.as_deref(), new: removed },
        ]
    }
}

impl Tfa {
    /// A new secret for `subject`.
    pub fn propose(&self, subject: &Subject) -> Result<Proposal, Refusal> {
        let secret = Secret::generate(self.config.secret_length).map_err(|error| match error {
            GenerateError::NoEntropy(error) => error.into(),
            GenerateError::Length => Refusal::Unavailable(error.to_string()),
        })?;
        let uri = OtpauthUri {
            moving: Moving::Totp,
            issuer: self.issuer_for(subject)?,
            account: subject.name().to_owned(),
            secret: secret.clone(),
            parameters: self.config.parameters,
        };
        Ok(Proposal { secret: secret.to_base32(), otpauth: uri.write() })
    }

    /// Enrols `subject` with `secret`, when `token` is a code of it that has not been used.
    pub fn enrol(&self, actor: Actor<'_>, subject: &Subject, secret: &Secret, token: &str) -> Result<(), Refusal> {
        let parameters = self.config.parameters;
        let code = code::parse(token, parameters.digits).ok_or(Refusal::WrongCode)?;
        let window = code::window(parameters.step(self.clock.now().as_secs()), self.config.skew);
        let step = parameters.newest_match(secret.bytes(), window, code).ok_or(Refusal::WrongCode)?;
        self.settle(|| {
            let (sealing, records) = (self.sealing()?, self.subject_records(subject)?);
            if step <= self.last_step(subject, secret, &records)? {
                return Err(Refusal::UsedCode);
            }
            let new = self.new_enrolment(&sealing, subject, secret, step)?;
            let [enrolment, removed] = records.changes(Some(&new), None);
            let entry = Entry::new(actor, Event::Enrolled, Some(subject.name()));
            let changes = [sealing.condition(), enrolment, removed];
            Ok(settled(self.commit(&changes, &[entry], Durability::Power)?, ()))
        })
    }

    /// Gives each subject the secret beside it, in place of all it had: all of them, or none. Nobody is named twice.
    pub fn set_secrets(&self, actor: Actor<'_>, subjects: &[(Subject, Secret)]) -> Result<(), Refusal> {
        let entries = entries(actor, Event::SecretSet, subjects.iter().map(|(subject, _)| subject));
        self.settle(|| {
            let sealing = self.sealing()?;
            let mut replacements = Vec::with_capacity(subjects.len());
            for (subject, secret) in subjects {
                let records = self.subject_records(subject)?;
                let last_step = self.last_step(subject, secret, &records)?;
                replacements.push((records, self.new_enrolment(&sealing, subject, secret, last_step)?));
            }
            let replaced = replacements.iter().flat_map(|(records, new)| records.changes(Some(new), None));
            let changes: Vec<_> = std::iter::once(sealing.condition()).chain(replaced).collect();
            Ok(settled(self.commit(&changes, &entries, Durability::Power)?, ()))
        })
    }

    /// Removes the enrolments of `subjects`; those that have none are left as they are. One may be named twice.
    pub fn remove(&self, actor: Actor<'_>, subjects: &[Subject]) -> Result<(), Refusal> {
        let subjects: BTreeMap<_, _> = subjects.iter().map(|subject| (subject.name(), subject)).collect();
        self.settle(|| {
            let mut removals = Vec::with_capacity(subjects.len());
            for subject in subjects.values() {
                let records = self.subject_records(subject)?;
                let Some(enrolment) = self.enrolment_in(subject, &records)? else {
                    continue;
                };
                removals.push((subject, self.memory_of(subject, &enrolment)?, records));
            }
            let changes: Vec<_> = removals
                .iter()
                .flat_map(|(_, memory, records)| {
                    records.changes(None, memory.as_deref().or(records.removed.as_deref()))
                })
                .collect();
            let entries = entries(actor, Event::Removed, removals.iter().map(|(subject, ..)| **subject));
            Ok(settled(self.commit(&changes, &entries, Durability::Power)?, ()))
        })
    }

    /// Makes ten recovery codes for `subject`; the ones before die.
    pub fn make_recovery_codes(&self, actor: Actor<'_>, subject: &Subject) -> Result<Vec<Zeroizing<String>>, Refusal> {
        let entry = Entry::new(actor, Event::RecoveryCodesMade, Some(subject.name()));
        let codes = (0..recovery::SET).map(|_| RecoveryCode::generate()).collect::<Result<Vec<_>, _>>()?;
        self.settle(|| {
            let records = self.subject_records(subject)?;
            let enrolment = self.enrolment_in(subject, &records)?;
            let mut enrolment = enrolment.ok_or_else(|| Refusal::NotConfigured(subject.name().to_owned()))?;
            let secret = self.open_secret(subject.name(), &enrolment.secret)?;
            enrolment.recovery = codes.iter().map(|code| code.mac(subject.name(), &secret)).collect();
            self.replace(&records, &enrolment, &entry, Durability::Power)
        })?;
        Ok(codes.iter().map(RecoveryCode::text).collect())
    }

    /// Whether `subject` is enrolled.
    pub fn is_enrolled(&self, subject: &Subject) -> Result<bool, Refusal> {
        Ok(self.subject_records(subject)?.enrolment.is_some())
    }

    /// The secrets of an account, its mailboxes and its team users, in the shape of contract section 2.
    pub fn secrets_of(&self, account: &Subject) -> Result<Value, Refusal> {
        let mut email = Map::new();
        for domain in self.directory()?.domains(account.account())? {
            self.add_secrets_under(&domain, &mut email)?;
        }
        let mut team = Map::new();
        self.add_secrets_under(account.account(), &mut team)?;
        let primary = self.secret_of(account)?.unwrap_or_else(|| json!({}));
        Ok(json!({ "email": email, "primary_account": primary, "team": team }))
    }

    /// Adds the secrets of all subjects called something`@part`.
    fn add_secrets_under(&self, part: &str, secrets: &mut Map<String, Value>) -> Result<(), Refusal> {
        // What follows the slash is what precedes the character after it.
        let (from, before) = (format!("{part}/"), format!("{part}0"));
        for name in self.store.names(Kind::Subject, &from, Some(&before), usize::MAX)? {
            let name = record::name_subject(&name);
            if let Some(subject) = self.directory()?.resolve(&name)?
                && let Some(secret) = self.secret_of(&subject)?
            {
                secrets.insert(name, secret);
            }
        }
        Ok(())
    }

    fn secret_of(&self, subject: &Subject) -> Result<Option<Value>, Refusal> {
        let records = self.subject_records(subject)?;
        let Some(enrolment) = self.enrolment_in(subject, &records)? else {
            return Ok(None);
        };
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        Ok(Some(json!({ "secret": secret.to_base32().as_str() })))
    }

    /// The last step that was accepted of this very secret; 0 when none was.
    fn last_step(&self, subject: &Subject, secret: &Secret, records: &Records) -> Result<u64, Refusal> {
        let period = self.config.parameters.period;
        if let Some(enrolment) = self.enrolment_in(subject, records)? {
            let stored = self.open_secret(subject.name(), &enrolment.secret)?;
            if stored.bytes() == secret.bytes() && enrolment.period == period {
                return Ok(enrolment.last_step);
            }
        }
        let removed: Option<Removed> = record::read(subject.name(), records.removed.as_deref())?;
        let ours = removed.filter(|removed| {
            removed.fingerprint.contains(&recovery::fingerprint(subject.name(), secret)) && removed.period == period
        });
        Ok(ours.map_or(0, |removed| removed.last_step))
    }

    /// What must be remembered of an enrolment that goes; nothing once its last step is out of every window.
    fn memory_of(&self, subject: &Subject, enrolment: &Enrolment) -> Result<Option<String>, Refusal> {
        let now = enrolment.parameters().step(self.clock.now().as_secs());
        if enrolment.last_step < *code::window(now, self.config.skew).start() {
            return Ok(None);
        }
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        let removed = Removed {
            fingerprint: vec![recovery::fingerprint(subject.name(), &secret)],
            period: enrolment.period,
            last_step: enrolment.last_step,
        };
        Ok(Some(record::write(&removed)?))
    }

    fn new_enrolment(
        &self,
        sealing: &Sealing,
        subject: &Subject,
        secret: &Secret,
        last_step: u64,
    ) -> Result<String, Refusal> {
        let parameters = self.config.parameters;
        Ok(record::write(&Enrolment {
            algorithm: parameters.algorithm,
            digits: parameters.digits,
            period: parameters.period,
            secret: sealing.seal(subject.name(), secret)?,
            last_step,
            guesses: Guesses::default(),
            recovery: Vec::new(),
        })?)
    }

    pub(super) fn subject_records(&self, subject: &Subject) -> Result<Records, Refusal> {
        let name = record::subject_name(subject.name());
        let mut texts = self.store.read(&Records::keys(&name))?.into_iter();
        let (enrolment, removed) = (texts.next().flatten(), texts.next().flatten());
        Ok(Records { name, enrolment, removed })
    }

    pub(super) fn enrolment_in(&self, subject: &Subject, records: &Records) -> Result<Option<Enrolment>, Refusal> {
        Ok(record::read(subject.name(), records.enrolment.as_deref())?)
    }

    /// Puts `enrolment` in the place of the one in `records`, with the line that tells of it.
    pub(super) fn replace(
        &self,
        records: &Records,
        enrolment: &Enrolment,
        entry: &Entry<'_>,
        durability: Durability,
    ) -> Result<Option<()>, Refusal> {
        let new = record::write(enrolment)?;
        let change = Change {
            key: Key { kind: Kind::Subject, name: &records.name },
            old: records.enrolment.as_deref(),
            new: Some(&new),
        };
        let commit: Commit = self.commit(&[change], std::slice::from_ref(entry), durability)?;
        Ok(settled(commit, ()))
    }
}

/// A line for each of `subjects`.
fn entries<'a>(actor: Actor<'a>, event: Event, subjects: impl Iterator<Item = &'a Subject>) -> Vec<Entry<'a>> {
    subjects.map(|subject| Entry::new(actor, event, Some(subject.name()))).collect()
}
