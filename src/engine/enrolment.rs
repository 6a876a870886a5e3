//! Enrolment: proposes a secret, stores it after its code is verified, sets it for others, and removes it.
//!
//! Promises: nothing is stored before a code has shown that the subject's authenticator has the secret, and the time step
//! of that code is used; a secret that is enrolled again after it was removed or replaced keeps its used steps, whatever
//! format its codes have then; setting secrets for others is all or nothing. A new secret starts without failed attempts
//! and without recovery codes.

use std::collections::BTreeMap;
use std::iter;

use zeroize::Zeroizing;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::denials::Denials;
use super::guess::{Guesses, RecoveryGuesses};
use super::keys::Sealing;
use super::presence::Presence;
use super::record::{self, Enrolment, KEYS, UsedCodes, enrolment_in, enrolment_key, used_codes_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::{Subject, View};
use crate::otp::code::{self, CodeFormat, PERIODS, SKEWS};
use crate::otp::credential::Credential;
use crate::otp::recovery;
use crate::otp::secret::{GenerateError, Secret};
use crate::otp::uri::{MovingFactor, OtpauthUri};
use crate::store::{Durability, Key, Texts};

/// A proposed secret, which is not stored.
pub struct Proposal {
    /// The secret in Base32.
    pub secret: Zeroizing<String>,
    /// The URI for the authenticator.
    pub otpauth: Zeroizing<String>,
}

/// What happens to an enrolment that is to be removed and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its removal fails.
    Keep,
    /// It is removed, and the subject's next code is one of a later time step than any that this server can have accepted.
    Remove,
}

/// A subject whose enrolment was not removed, and why.
pub type FailedRemoval = (Subject, Refusal);

/// The records of a subject.
pub(super) struct SubjectRecords {
    pub(super) enrolment: Option<Enrolment>,
    pub(super) used: UsedCodes,
}

impl SubjectRecords {
    /// The keys of the records with this name.
    pub(super) fn keys(name: &str) -> [Key<'_>; 2] {
        [enrolment_key(name), used_codes_key(name)]
    }

    /// Reads the records from the texts at `place` and the next.
    pub(super) fn read(subject: &Subject, texts: &Texts, place: usize) -> Result<Self, Refusal> {
        Ok(SubjectRecords {
            enrolment: enrolment_in(subject, texts.at(place))?,
            used: used_codes_in(subject, texts.at(place.saturating_add(1)))?,
        })
    }

    /// The audit entry for denied attempts that have none, before their record is replaced or removed.
    fn report_denials<'a>(&mut self, actor: Actor<'a>, subject: &'a Subject) -> Option<Entry<'a>> {
        self.enrolment.as_mut()?.denials.report(actor, subject.name())
    }
}

fn used_codes_in(subject: &Subject, text: Option<&str>) -> Result<UsedCodes, Refusal> {
    Ok(record::read(subject.name(), text)?.unwrap_or_default())
}

impl Tfa {
    /// Generates a secret for `subject`.
    pub fn propose(&self, view: &View, subject: &Subject) -> Result<Proposal, Refusal> {
        let secret = Secret::generate(self.config.secret_length).map_err(|error| match error {
            GenerateError::NoEntropy(error) => error.into(),
            GenerateError::Length => Refusal::Unavailable(error.to_string()),
        })?;
        let uri = OtpauthUri {
            moving_factor: MovingFactor::Totp,
            issuer: self.issuer_for(view, subject)?,
            account: subject.name().to_owned(),
            secret: secret.clone(),
            code_format: self.config.code_format,
        };
        Ok(Proposal { secret: secret.to_base32(), otpauth: uri.write() })
    }

    /// Enrols `subject` with `secret`, if `token` is a code of it that has not been used.
    pub fn enrol(&self, actor: Actor<'_>, subject: &Subject, secret: &Secret, token: &str) -> Result<(), Refusal> {
        self.enrol_with(actor, subject, secret, token, Presence::NotRequired)
    }

    /// The same, where replacing an enrolment can need a current code of it.
    pub fn enrol_with(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
        secret: &Secret,
        token: &str,
        presence: Presence<'_>,
    ) -> Result<(), Refusal> {
        refuse_uniform(secret)?;
        let code_format = self.config.code_format;
        let code = code::parse(token, code_format.digits).ok_or(Refusal::InvalidCode)?;
        let window = code_format.window(self.clock.now().as_secs(), self.config.skew);
        let step = code_format.newest_match(secret.bytes(), window, code).ok_or(Refusal::InvalidCode)?;
        let step_end = code_format.step_end(step);
        let name = record::subject_name(subject.name());
        let [enrolment, used] = SubjectRecords::keys(&name);
        self.note_spellings([subject])?;
        self.transact(&[KEYS, enrolment, used], Durability::Power, |texts| {
            let mut records = SubjectRecords::read(subject, &texts, 1)?;
            let proof = match &mut records.enrolment {
                Some(current) => self.verify_presence(actor, subject, enrolment, current, presence)?,
                None => Ok(Vec::new()),
            };
            let entries = match proof {
                Ok(entries) => entries,
                Err(refused) => return Ok(refused),
            };
            if step_end <= self.used_until(subject, secret, &records)? {
                return Err(Refusal::UsedCode);
            }
            let new = self.new_enrolment(&self.sealing(texts.at(0))?, subject, secret, code_format, step_end)?;
            Ok(Effects::new(Ok(()))
                .entries(entries)
                .entries(records.report_denials(actor, subject))
                .change(enrolment, Some(new))
                .change(used, used_text(self.used_codes(subject, records, Some(secret))?)?)
                .entry(Entry::new(actor, Event::Enrolled, Some(subject.name()))))
        })?
    }

    /// Gives each subject the secret beside it, in place of its enrolment: all of them, or none. No subject occurs twice.
    pub fn set_secrets(&self, actor: Actor<'_>, subjects: &[(Subject, Secret)]) -> Result<(), Refusal> {
        let code_format = self.config.code_format;
        let with_format = |(subject, secret): &(Subject, Secret)| {
            (subject.clone(), Credential { secret: secret.clone(), code_format })
        };
        self.set_credentials(actor, &subjects.iter().map(with_format).collect::<Vec<_>>())
    }

    /// Sets secrets as [`Tfa::set_secrets`] does, each with a code format of its own.
    pub fn set_credentials(&self, actor: Actor<'_>, subjects: &[(Subject, Credential)]) -> Result<(), Refusal> {
        subjects.iter().try_for_each(|(_, credential)| refuse_uniform(&credential.secret))?;
        let names: Vec<_> = subjects.iter().map(|(subject, _)| record::subject_name(subject.name())).collect();
        let keys: Vec<_> = iter::once(KEYS).chain(names.iter().flat_map(|name| SubjectRecords::keys(name))).collect();
        self.note_spellings(subjects.iter().map(|(subject, _)| subject))?;
        self.transact(&keys, Durability::Power, |texts| {
            let sealing = self.sealing(texts.at(0))?;
            let mut effects = Effects::new(());
            for (((subject, Credential { secret, code_format }), name), place) in
                subjects.iter().zip(&names).zip((1..).step_by(2))
            {
                let mut records = SubjectRecords::read(subject, &texts, place)?;
                let used_until = self.used_until(subject, secret, &records)?;
                let [enrolment, used] = SubjectRecords::keys(name);
                effects = effects
                    .entries(records.report_denials(actor, subject))
                    .change(enrolment, Some(self.new_enrolment(&sealing, subject, secret, *code_format, used_until)?))
                    .change(used, used_text(self.used_codes(subject, records, Some(secret))?)?)
                    .entry(Entry::new(actor, Event::SecretSet, Some(subject.name())));
            }
            Ok(effects)
        })
    }

    /// Removes the enrolments of `subjects`; those that have none stay as they are. A subject can occur twice. Returns the
    /// subjects whose enrolment cannot be read and was kept.
    pub fn remove(
        &self,
        actor: Actor<'_>,
        subjects: &[Subject],
        unreadable: Unreadable,
    ) -> Result<Vec<FailedRemoval>, Refusal> {
        let subjects: BTreeMap<_, _> =
            subjects.iter().map(|subject| (record::subject_name(subject.name()), subject)).collect();
        let keys: Vec<_> = subjects.keys().flat_map(|name| SubjectRecords::keys(name)).collect();
        self.transact(&keys, Durability::Power, |texts| {
            let (mut effects, mut failed) = (Effects::new(()), Vec::new());
            for ((name, subject), place) in subjects.iter().zip((0..).step_by(2)) {
                match self.removal(actor, subject, name, &texts, place, unreadable) {
                    Ok(removal) => effects = effects.and(removal.unwrap_or_default()),
                    Err(refusal) => failed.push(((*subject).clone(), refusal)),
                }
            }
            Ok(effects.answer(failed))
        })
    }

    /// The effects of removing the enrolment of `subject`, whose records have the name `name` and are at `place`; `None` when
    /// there is none.
    pub(super) fn removal<'k>(
        &self,
        actor: Actor<'k>,
        subject: &'k Subject,
        name: &'k str,
        texts: &Texts,
        place: usize,
        unreadable: Unreadable,
    ) -> Result<Option<Effects<'k, ()>>, Refusal> {
        let removal = SubjectRecords::read(subject, texts, place)
            .and_then(|records| self.readable_removal(actor, subject, name, records));
        if removal.is_ok() || unreadable == Unreadable::Keep {
            return removal;
        }
        let records = SubjectRecords::read(subject, texts, place).ok();
        let denials = records.and_then(|mut records| records.report_denials(actor, subject));
        removed(actor, subject, name, denials, self.used_after_unreadable(subject, texts, place)).map(Some)
    }

    /// The effects of removing the enrolment in `records`; `None` when there is none.
    fn readable_removal<'k>(
        &self,
        actor: Actor<'k>,
        subject: &'k Subject,
        name: &'k str,
        mut records: SubjectRecords,
    ) -> Result<Option<Effects<'k, ()>>, Refusal> {
        if records.enrolment.is_none() {
            return Ok(None);
        }
        let denials = records.report_denials(actor, subject);
        removed(actor, subject, name, denials, self.used_codes(subject, records, None)?).map(Some)
    }

    /// Removes the enrolment of the subject that acts itself, which can need a current code of it.
    pub fn remove_own(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
        unreadable: Unreadable,
        presence: Presence<'_>,
    ) -> Result<(), Refusal> {
        let name = record::subject_name(subject.name());
        let keys = SubjectRecords::keys(&name);
        self.transact(&keys, Durability::Power, |texts| {
            let removal = SubjectRecords::read(subject, &texts, 0).and_then(|mut records| {
                let Some(current) = &mut records.enrolment else { return Ok(Effects::new(Ok(()))) };
                let entries = match self.verify_presence(actor, subject, enrolment_key(&name), current, presence)? {
                    Ok(entries) => entries,
                    Err(refused) => return Ok(refused),
                };
                let removal = self.readable_removal(actor, subject, &name, records)?.unwrap_or_default();
                Ok(Effects::new(Ok(())).entries(entries).and(removal))
            });
            match removal {
                // No code of an enrolment that cannot be read can be verified.
                Err(Refusal::Unavailable(_)) if unreadable == Unreadable::Remove => {
                    let removal = self.removal(actor, subject, &name, &texts, 0, unreadable)?;
                    Ok(removal.unwrap_or_default().answer(Ok(())))
                }
                removal => removal,
            }
        })?
    }

    /// The enrolment of `subject`, if there is one.
    pub(super) fn enrolment_of(&self, subject: &Subject) -> Result<Option<Enrolment>, Refusal> {
        self.record(enrolment_key(&record::subject_name(subject.name())))
    }

    /// Whether `subject` is enrolled.
    pub fn is_enrolled(&self, subject: &Subject) -> Result<bool, Refusal> {
        let name = record::subject_name(subject.name());
        Ok(self.store.read(&[enrolment_key(&name)])?.at(0).is_some())
    }

    /// The time up to which codes of this very secret count as used; 0 when none was accepted.
    fn used_until(&self, subject: &Subject, secret: &Secret, records: &SubjectRecords) -> Result<u64, Refusal> {
        let before = records.used.used_until(&recovery::fingerprint(subject.name(), secret));
        let Some(enrolment) = &records.enrolment else { return Ok(before) };
        let stored = self.open_secret(subject.name(), &enrolment.secret)?;
        Ok(if stored.bytes() == secret.bytes() { before.max(enrolment.used_until) } else { before })
    }

    /// The used codes of the secrets before, once the enrolment is replaced by one with the secret `new`, or removed.
    fn used_codes(
        &self,
        subject: &Subject,
        records: SubjectRecords,
        new: Option<&Secret>,
    ) -> Result<UsedCodes, Refusal> {
        let now = self.clock.now().as_secs();
        // The longest window of any configuration: no code of a step that ended before it can be accepted.
        let longest_window = u64::from(*PERIODS.end()).saturating_mul(u64::from(*SKEWS.end()));
        let window_start = now.saturating_sub(longest_window);
        let mut used = records.used;
        if let Some(enrolment) = records.enrolment.filter(|enrolment| enrolment.used_until > window_start) {
            let stored = self.open_secret(subject.name(), &enrolment.secret)?;
            if new.is_none_or(|new| new.bytes() != stored.bytes()) {
                used.add(recovery::fingerprint(subject.name(), &stored), enrolment.used_until);
            }
        }
        used.drop_before(window_start);
        Ok(used)
    }

    /// The used codes after the records at `place`, one of which cannot be read, are removed: the floor covers every code
    /// that the window has now, because any of them may have been accepted.
    fn used_after_unreadable(&self, subject: &Subject, texts: &Texts, place: usize) -> UsedCodes {
        let enrolment = enrolment_in(subject, texts.at(place)).ok().flatten();
        let mut used = used_codes_in(subject, texts.at(place.saturating_add(1))).unwrap_or_default();
        let code_format = enrolment.as_ref().map_or(self.config.code_format, Enrolment::code_format);
        let window_end = code_format.window_end(self.clock.now().as_secs(), self.config.skew);
        let last_used = enrolment.map_or(0, |enrolment| enrolment.used_until);
        used.floor = used.floor.max(last_used).max(window_end);
        used
    }

    fn new_enrolment(
        &self,
        sealing: &Sealing,
        subject: &Subject,
        secret: &Secret,
        code_format: CodeFormat,
        used_until: u64,
    ) -> Result<String, Refusal> {
        let CodeFormat { algorithm, digits, period } = code_format;
        Ok(record::write(&Enrolment {
            algorithm,
            digits,
            period,
            secret: sealing.seal(subject.name(), secret)?,
            used_until,
            guesses: Guesses::default(),
            recovery: Vec::new(),
            used_recovery: Vec::new(),
            recovery_guesses: RecoveryGuesses::default(),
            enrolled_at: self.clock.now().as_secs(),
            recovery_name: None,
            denials: Denials::default(),
        })?)
    }
}

/// Refuses a secret whose bytes are all equal.
fn refuse_uniform(secret: &Secret) -> Result<(), Refusal> {
    if secret.is_uniform() { Err(Refusal::UniformSecret) } else { Ok(()) }
}

/// The effects of removing the enrolment of `subject`, whose records have the name `name`: `denials` is the entry for the
/// denied attempts that have none, and `used` the codes that stay used.
fn removed<'k>(
    actor: Actor<'k>,
    subject: &'k Subject,
    name: &'k str,
    denials: Option<Entry<'k>>,
    used: UsedCodes,
) -> Result<Effects<'k, ()>, Refusal> {
    let [enrolment_key, used_key] = SubjectRecords::keys(name);
    Ok(Effects::new(())
        .entries(denials)
        .change(enrolment_key, None)
        .change(used_key, used_text(used)?)
        .entry(Entry::new(actor, Event::Removed, Some(subject.name()))))
}

/// The text of the record of used codes, if there are any.
pub(super) fn used_text(used: UsedCodes) -> Result<Option<String>, Refusal> {
    Ok((!used.is_empty()).then(|| record::write(&used)).transpose()?)
}
