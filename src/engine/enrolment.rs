//! Enrolment: proposing a secret, verifying a code before it is stored, removing it, and moving enrolments in and out.
//!
//! Promises: nothing is stored before a code proved that the subject's authenticator has the secret; the step of that
//! code is used up; a secret that comes back after it was removed or replaced remembers its last step; setting for
//! others is all or nothing. A new secret begins anew: no wrong codes, no recovery codes.

use std::collections::BTreeMap;
use std::iter;

use zeroize::Zeroizing;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::guess::Guesses;
use super::keys::Sealing;
use super::record::{self, Enrolment, KEYS, Removed};
use super::refusal::Refusal;
use super::settle::Ruling;
use crate::accounts::{Subject, View};
use crate::otp::code::{self, CodeFormat};
use crate::otp::recovery::{self, RecoveryCode, RecoveryMac};
use crate::otp::secret::{GenerateError, Secret};
use crate::otp::uri::{MovingFactor, OtpauthUri};
use crate::store::{Durability, Key, Kind, Texts};

/// How many secrets that a subject had within one window are remembered.
const MAX_REMEMBERED: usize = 64;

/// A proposal: nothing of it is stored.
pub struct Proposal {
    /// The secret in Base32.
    pub secret: Zeroizing<String>,
    /// The URI for the authenticator.
    pub otpauth: Zeroizing<String>,
}

/// The secrets of an account and of the subjects that belong to it.
pub struct AccountSecrets {
    /// The account's own, if it is enrolled.
    pub account: Option<Secret>,
    /// Those of its mailboxes, by name.
    pub mailboxes: Vec<(String, Secret)>,
    /// Those of its team users, by name.
    pub team: Vec<(String, Secret)>,
}

/// What the store has on a subject.
struct Past {
    enrolment: Option<Enrolment>,
    removed: Option<Removed>,
}

impl Past {
    /// What it is read from, for the subject whose records are kept under `name`.
    fn keys(name: &str) -> [Key<'_>; 2] {
        [enrolment_key(name), Key { kind: Kind::Removed, name }]
    }

    /// Reads it from the texts at `place` and the next.
    fn read(subject: &Subject, texts: &Texts, place: usize) -> Result<Self, Refusal> {
        Ok(Past {
            enrolment: enrolment_in(subject, texts.at(place))?,
            removed: record::read(subject.name(), texts.at(place.saturating_add(1)))?,
        })
    }
}

/// Where the enrolment is of the subject whose records are kept under `name`.
pub(super) fn enrolment_key(name: &str) -> Key<'_> {
    Key { kind: Kind::Subject, name }
}

/// Reads an enrolment.
pub(super) fn enrolment_in(subject: &Subject, text: Option<&str>) -> Result<Option<Enrolment>, Refusal> {
    Ok(record::read(subject.name(), text)?)
}

impl Tfa {
    /// A new secret for `subject`.
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

    /// Enrols `subject` with `secret`, when `token` is a code of it that has not been used.
    pub fn enrol(&self, actor: Actor<'_>, subject: &Subject, secret: &Secret, token: &str) -> Result<(), Refusal> {
        let code_format = self.config.code_format;
        let code = code::parse(token, code_format.digits).ok_or(Refusal::InvalidCode)?;
        let window = code::window(code_format.step(self.clock.now().as_secs()), self.config.skew);
        let step = code_format.newest_match(secret.bytes(), window, code).ok_or(Refusal::InvalidCode)?;
        let name = record::subject_name(subject.name());
        let [enrolment, removed] = Past::keys(&name);
        self.settle(&[KEYS, enrolment, removed], Durability::Power, |texts| {
            let past = Past::read(subject, &texts, 1)?;
            if step <= self.last_step(subject, secret, &past)? {
                return Err(Refusal::UsedCode);
            }
            let new = self.new_enrolment(&self.sealing(texts.at(0))?, subject, secret, step)?;
            Ok(Ruling::new(())
                .change(enrolment, Some(new))
                .change(removed, self.memory(subject, past, Some(secret))?)
                .line(Entry::new(actor, Event::Enrolled, Some(subject.name()))))
        })
    }

    /// Gives each subject the secret beside it, in place of all it had: all of them, or none. Nobody is named twice.
    pub fn set_secrets(&self, actor: Actor<'_>, subjects: &[(Subject, Secret)]) -> Result<(), Refusal> {
        let names: Vec<_> = subjects.iter().map(|(subject, _)| record::subject_name(subject.name())).collect();
        let keys: Vec<_> = iter::once(KEYS).chain(names.iter().flat_map(|name| Past::keys(name))).collect();
        self.settle(&keys, Durability::Power, |texts| {
            let sealing = self.sealing(texts.at(0))?;
            let mut ruling = Ruling::new(());
            for (((subject, secret), name), place) in subjects.iter().zip(&names).zip((1..).step_by(2)) {
                let past = Past::read(subject, &texts, place)?;
                let last_step = self.last_step(subject, secret, &past)?;
                let [enrolment, removed] = Past::keys(name);
                ruling = ruling
                    .change(enrolment, Some(self.new_enrolment(&sealing, subject, secret, last_step)?))
                    .change(removed, self.memory(subject, past, Some(secret))?)
                    .line(Entry::new(actor, Event::SecretSet, Some(subject.name())));
            }
            Ok(ruling)
        })
    }

    /// Removes the enrolments of `subjects`; those that have none are left as they are. One may be named twice.
    pub fn remove(&self, actor: Actor<'_>, subjects: &[Subject]) -> Result<(), Refusal> {
        let subjects: BTreeMap<_, _> =
            subjects.iter().map(|subject| (record::subject_name(subject.name()), subject)).collect();
        let keys: Vec<_> = subjects.keys().flat_map(|name| Past::keys(name)).collect();
        self.settle(&keys, Durability::Power, |texts| {
            let mut ruling = Ruling::new(());
            for ((name, subject), place) in subjects.iter().zip((0..).step_by(2)) {
                let past = Past::read(subject, &texts, place)?;
                if past.enrolment.is_some() {
                    let [enrolment, removed] = Past::keys(name);
                    ruling = ruling
                        .change(enrolment, None)
                        .change(removed, self.memory(subject, past, None)?)
                        .line(Entry::new(actor, Event::Removed, Some(subject.name())));
                }
            }
            Ok(ruling)
        })
    }

    /// Generates ten recovery codes for `subject`. Earlier codes are revoked.
    pub fn generate_recovery_codes(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
    ) -> Result<Vec<Zeroizing<String>>, Refusal> {
        let codes = (0..recovery::SET).map(|_| RecoveryCode::generate()).collect::<Result<Vec<_>, _>>()?;
        let name = record::subject_name(subject.name());
        let key = enrolment_key(&name);
        self.settle(&[key], Durability::Power, |texts| {
            let enrolment = enrolment_in(subject, texts.at(0))?;
            let mut enrolment = enrolment.ok_or_else(|| Refusal::NotConfigured(subject.name().to_owned()))?;
            let secret = self.open_secret(subject.name(), &enrolment.secret)?;
            enrolment.recovery = codes.iter().map(|code| code.mac(subject.name(), &secret)).collect();
            Ok(Ruling::new(()).change(key, Some(record::write(&enrolment)?)).line(Entry::new(
                actor,
                Event::RecoveryCodesMade,
                Some(subject.name()),
            )))
        })?;
        Ok(codes.iter().map(RecoveryCode::text).collect())
    }

    /// Whether `subject` is enrolled.
    pub fn is_enrolled(&self, subject: &Subject) -> Result<bool, Refusal> {
        let name = record::subject_name(subject.name());
        Ok(self.store.read(&[enrolment_key(&name)])?.at(0).is_some())
    }

    /// The secrets of an account, its mailboxes and its team users.
    pub fn secrets_of(&self, view: &View, account: &Subject) -> Result<AccountSecrets, Refusal> {
        let mut mailboxes = Vec::new();
        for domain in view.domains(account.account())? {
            self.add_secrets_under(view, &domain, &mut mailboxes)?;
        }
        let mut team = Vec::new();
        self.add_secrets_under(view, account.account(), &mut team)?;
        Ok(AccountSecrets { account: self.secret_of(account)?, mailboxes, team })
    }

    /// Adds the secrets of all subjects called something`@part`, in the order of their names.
    fn add_secrets_under(&self, view: &View, part: &str, secrets: &mut Vec<(String, Secret)>) -> Result<(), Refusal> {
        // In the order of bytes, the names with this prefix end where the character after the slash begins.
        let (from, before) = (format!("{part}/"), format!("{part}0"));
        for name in self.store.names(Kind::Subject, &from, Some(&before), usize::MAX)? {
            let name = record::name_subject(&name);
            if let Some(subject) = view.resolve(&name)?
                && let Some(secret) = self.secret_of(&subject)?
            {
                secrets.push((name, secret));
            }
        }
        Ok(())
    }

    fn secret_of(&self, subject: &Subject) -> Result<Option<Secret>, Refusal> {
        let name = record::subject_name(subject.name());
        let enrolment = enrolment_in(subject, self.store.read(&[enrolment_key(&name)])?.at(0))?;
        enrolment.map(|enrolment| self.open_secret(subject.name(), &enrolment.secret)).transpose()
    }

    /// The last step that was accepted of this very secret; 0 when none was.
    fn last_step(&self, subject: &Subject, secret: &Secret, past: &Past) -> Result<u64, Refusal> {
        let period = self.config.code_format.period;
        if let Some(enrolment) = &past.enrolment {
            let stored = self.open_secret(subject.name(), &enrolment.secret)?;
            if stored.bytes() == secret.bytes() && enrolment.period == period {
                return Ok(enrolment.last_step);
            }
        }
        let fingerprint = recovery::fingerprint(subject.name(), secret);
        let removed = past.removed.as_ref();
        let ours = removed.filter(|removed| removed.period == period && removed.fingerprint.contains(&fingerprint));
        Ok(ours.map_or(0, |removed| removed.last_step))
    }

    /// What must be remembered of the secrets that were, once `secret` or nothing is in their place.
    fn memory(&self, subject: &Subject, past: Past, secret: Option<&Secret>) -> Result<Option<String>, Refusal> {
        let mut memory = past.removed.filter(|removed| self.is_in_a_window(removed.period, removed.last_step));
        if let Some(enrolment) = past.enrolment.filter(|past| self.is_in_a_window(past.period, past.last_step)) {
            let stored = self.open_secret(subject.name(), &enrolment.secret)?;
            if secret.is_none_or(|secret| secret.bytes() != stored.bytes()) {
                let fingerprint = recovery::fingerprint(subject.name(), &stored);
                memory = Some(removed_with(memory, fingerprint, enrolment.period, enrolment.last_step)?);
            }
        }
        Ok(memory.as_ref().map(record::write).transpose()?)
    }

    /// Whether a code of that step can still be given.
    fn is_in_a_window(&self, period: u32, step: u64) -> bool {
        let now = CodeFormat { period, ..self.config.code_format }.step(self.clock.now().as_secs());
        step >= *code::window(now, self.config.skew).start()
    }

    fn new_enrolment(
        &self,
        sealing: &Sealing,
        subject: &Subject,
        secret: &Secret,
        last_step: u64,
    ) -> Result<String, Refusal> {
        let code_format = self.config.code_format;
        Ok(record::write(&Enrolment {
            algorithm: code_format.algorithm,
            digits: code_format.digits,
            period: code_format.period,
            secret: sealing.seal(subject.name(), secret)?,
            last_step,
            guesses: Guesses::default(),
            recovery: Vec::new(),
        })?)
    }
}

/// `memory` with one more secret. All in it count as used up to the same step: at worst a code has to be waited for.
fn removed_with(
    memory: Option<Removed>,
    fingerprint: RecoveryMac,
    period: u32,
    last_step: u64,
) -> Result<Removed, Refusal> {
    // Another period has other codes.
    let Some(mut memory) = memory.filter(|memory| memory.period == period) else {
        return Ok(Removed { fingerprint: vec![fingerprint], period, last_step });
    };
    if memory.fingerprint.len() >= MAX_REMEMBERED {
        return Err(Refusal::Unavailable("the secret was changed too often. Wait a minute".to_owned()));
    }
    memory.fingerprint.push(fingerprint);
    memory.last_step = memory.last_step.max(last_step);
    Ok(memory)
}
