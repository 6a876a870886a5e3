//! Login: may this subject in with this code?
//!
//! Promises (contract section 4, RFC 6238 section 5.2): a code opens one login, across threads, processes, forks and
//! machines that share the store; a wrong code is counted before it is reported; while a subject is locked no code is
//! looked at; whatever cannot be answered keeps out.

use std::time::Duration;

use super::audit::{Actor, Entry, Event};
use super::enrolment::enrolment_in;
use super::guess::{Guesses, Lock};
use super::record::{self, Enrolment, POLICY, enrolment_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use super::{Tfa, policy};
use crate::accounts::Subject;
use crate::otp::code;
use crate::otp::recovery::{self, RecoveryCode};
use crate::store::{Durability, Key, Texts};

/// Which kind of code let somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A one-time code.
    Totp,
    /// A recovery code.
    Recovery,
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep out: why, and how the subject is locked now.
    Denied(Refusal, Lock),
    /// Let in: the code was right, and is used up.
    Verified(Method),
    /// Let in on the password: the policy is off, or the subject is not enrolled.
    NotRequired,
}

/// How a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// A code is asked for.
    pub required: bool,
    /// The subject is enrolled.
    pub is_enabled: bool,
    /// The lock.
    pub lock: Lock,
    /// Wrong codes in a row.
    pub failures: u32,
    /// Recovery codes that have not been used.
    pub recovery_codes_left: usize,
}

/// What a code turned out to be.
enum Finding {
    Step(u64),
    Recovery(usize),
    Used,
    Wrong,
}

/// The policy and a subject's enrolment, at one moment.
struct Situation {
    policy: bool,
    enrolment: Option<Enrolment>,
}

impl Situation {
    /// What it is read from, for the subject whose records are kept under `name`.
    fn keys(name: &str) -> [Key<'_>; 2] {
        [POLICY, enrolment_key(name)]
    }

    fn read(subject: &Subject, texts: &Texts) -> Result<Self, Refusal> {
        Ok(Situation { policy: policy::enabled(texts.at(0))?, enrolment: enrolment_in(subject, texts.at(1))? })
    }
}

impl Tfa {
    /// How `subject` stands.
    pub fn status(&self, subject: &Subject) -> Result<Status, Refusal> {
        let name = record::subject_name(subject.name());
        let situation = Situation::read(subject, &self.store.read(&Situation::keys(&name))?)?;
        let guesses = situation.enrolment.as_ref().map(|enrolment| enrolment.guesses).unwrap_or_default();
        Ok(Status {
            required: situation.policy && situation.enrolment.is_some(),
            is_enabled: situation.enrolment.is_some(),
            lock: self.config.lockout.lock(guesses, self.clock.now()),
            failures: guesses.failures,
            recovery_codes_left: situation.enrolment.map_or(0, |enrolment| enrolment.recovery.len()),
        })
    }

    /// Judges a login of `subject` with `token`. What is let in is committed before it is told.
    pub fn login(&self, actor: Actor<'_>, subject: &Subject, token: &str) -> Result<Verdict, Refusal> {
        let name = record::subject_name(subject.name());
        let keys = Situation::keys(&name);
        // A recovery code is gone for good; a step is closed after a power cut as well (module `boot`).
        let recovery = RecoveryCode::parse(token);
        let durability = if recovery.is_some() { Durability::Power } else { Durability::Process };
        self.transact(&keys, durability, |texts| {
            let situation = Situation::read(subject, &texts)?;
            let Some(enrolment) = situation.enrolment.filter(|_| situation.policy) else {
                return Ok(Effects::new(Verdict::NotRequired));
            };
            let (verdict, event, enrolment) = self.judge(subject, enrolment, token, recovery.as_ref())?;
            let text = enrolment.as_ref().map(record::write).transpose()?;
            let effects = Effects::new(verdict).entry(Entry::new(actor, event, Some(subject.name())));
            Ok(match text {
                Some(text) => effects.change(enrolment_key(&name), Some(text)),
                None => effects,
            })
        })
    }

    /// Forgets the wrong codes of `subject`, and with them every lock.
    pub fn unlock(&self, actor: Actor<'_>, subject: &Subject) -> Result<(), Refusal> {
        let name = record::subject_name(subject.name());
        let key = enrolment_key(&name);
        self.transact(&[key], Durability::Power, |texts| {
            let effects = Effects::new(());
            let Some(enrolment) = enrolment_in(subject, texts.at(0))? else { return Ok(effects) };
            if enrolment.guesses == Guesses::default() {
                return Ok(effects);
            }
            let text = record::write(&Enrolment { guesses: Guesses::default(), ..enrolment })?;
            Ok(effects.change(key, Some(text)).entry(Entry::new(actor, Event::Unlocked, Some(subject.name()))))
        })
    }

    /// The verdict on an enrolment, what it is called in the audit trail, and the enrolment as it is from then on if that
    /// changes it.
    fn judge(
        &self,
        subject: &Subject,
        mut enrolment: Enrolment,
        token: &str,
        recovery: Option<&RecoveryCode>,
    ) -> Result<(Verdict, Event, Option<Enrolment>), Refusal> {
        let (now, limits) = (self.clock.now(), self.config.lockout);
        let lock = limits.lock(enrolment.guesses, now);
        let code = code::parse(token, enrolment.digits);
        if lock.retry_after > 0 {
            return Ok((Verdict::Denied(Refusal::Locked(lock.retry_after), lock), Event::Locked, None));
        }
        if lock.hard && code.is_some() {
            return Ok((Verdict::Denied(Refusal::HardLocked, lock), Event::Locked, None));
        }
        let (verdict, event) = match self.find(subject, &enrolment, now, code, recovery)? {
            Finding::Step(step) => {
                enrolment.used_until = enrolment.code_format().step_end(step);
                enrolment.guesses = Guesses::default();
                (Verdict::Verified(Method::Totp), Event::Verified)
            }
            Finding::Recovery(place) => {
                enrolment.recovery.remove(place);
                enrolment.guesses = Guesses::default();
                (Verdict::Verified(Method::Recovery), Event::VerifiedByRecoveryCode)
            }
            Finding::Used => return Ok((Verdict::Denied(Refusal::UsedCode, lock), Event::Replayed, None)),
            Finding::Wrong => {
                enrolment.guesses = limits.after_failure(enrolment.guesses, now);
                (Verdict::Denied(Refusal::InvalidCode, limits.lock(enrolment.guesses, now)), Event::Wrong)
            }
        };
        Ok((verdict, event, Some(enrolment)))
    }

    /// What was typed: as a one-time code when it is `code`, as a recovery code otherwise.
    fn find(
        &self,
        subject: &Subject,
        enrolment: &Enrolment,
        now: Duration,
        code: Option<u64>,
        recovery: Option<&RecoveryCode>,
    ) -> Result<Finding, Refusal> {
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        if let Some(code) = code {
            let code_format = enrolment.code_format();
            let window = code::window(code_format.step(now.as_secs()), self.config.skew);
            return Ok(match code_format.newest_match(secret.bytes(), window, code) {
                Some(step) if code_format.step_end(step) > self.used_until_or_floor(enrolment) => Finding::Step(step),
                Some(_) => Finding::Used,
                None => Finding::Wrong,
            });
        }
        let place =
            recovery.and_then(|code| recovery::position(&code.mac(subject.name(), &secret), &enrolment.recovery));
        Ok(place.map_or(Finding::Wrong, Finding::Recovery))
    }

    /// The time after which a code's step must end: the end of the last accepted step, or of the last one that may have been
    /// accepted before a power cut.
    fn used_until_or_floor(&self, enrolment: &Enrolment) -> u64 {
        let code_format = enrolment.code_format();
        let floor = match self.floor {
            0 => 0,
            seconds => code_format.step_end(*code::window(code_format.step(seconds), self.config.skew).end()),
        };
        enrolment.used_until.max(floor)
    }
}
