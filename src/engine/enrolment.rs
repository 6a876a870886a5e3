//! Enrolment: proposing a secret, verifying a code before it is stored, removing it, and moving enrolments in and out.
//!
//! Promises: nothing is stored before a code proved that the subject's authenticator has the secret; the step of that
//! code is used up; a secret that comes back after it was removed or replaced remembers its last step; setting for
//! others is all or nothing. A new secret begins anew: no wrong codes, no recovery codes.

use std::collections::BTreeMap;
use std::iter;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::guess::Guesses;
use super::keys::Sealing;
use super::reason::Refusal;
use super::record::{self, Enrolment, KEYS, Removed};
use super::settle::Ruling;
use crate::accounts::Subject;
use crate::otp::code::{self, Parameters};
use crate::otp::recovery::{self, RecoveryCode, RecoveryMac};
use crate::otp::secret::{GenerateError, Secret};
use crate::otp::uri::{Moving, OtpauthUri};
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

    /// Makes ten recovery codes for `subject`; the ones before die.
    pub fn make_recovery_codes(&self, actor: Actor<'_>, subject: &Subject) -> Result<Vec<Zeroizing<String>>, Refusal> {
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
        let name = record::subject_name(subject.name());
        let Some(enrolment) = enrolment_in(subject, self.store.read(&[enrolment_key(&name)])?.at(0))? else {
            return Ok(None);
        };
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        Ok(Some(json!({ "secret": secret.to_base32().as_str() })))
    }

    /// The last step that was accepted of this very secret; 0 when none was.
    fn last_step(&self, subject: &Subject, secret: &Secret, past: &Past) -> Result<u64, Refusal> {
        let period = self.config.parameters.period;
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
        let now = Parameters { period, ..self.config.parameters }.step(self.clock.now().as_secs());
        step >= *code::window(now, self.config.skew).start()
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
