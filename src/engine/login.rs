//! Login: may this subject in with this code?
//!
//! Promises (contract section 4, RFC 6238 section 5.2): a code opens one login, across threads, processes, forks and
//! machines that share the store; a wrong code is counted before it is reported; while a subject is locked no code is
//! looked at; whatever cannot be answered keeps out.

use super::audit::{Actor, Entry, Event};
use super::enrolment::Records;
use super::guess::{Guesses, Lock};
use super::reason::Refusal;
use super::record::{self, Enrolment, POLICY};
use super::{Tfa, policy};
use crate::accounts::Subject;
use crate::otp::code;
use crate::otp::recovery::{self, RecoveryCode};
use crate::store::{Durability, Key, Kind};

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
    records: Records,
    enrolment: Option<Enrolment>,
}

impl Tfa {
    /// How `subject` stands.
    pub fn status(&self, subject: &Subject) -> Result<Status, Refusal> {
        let situation = self.situation(subject)?;
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
        self.settle(|| {
            let situation = self.situation(subject)?;
            match situation.enrolment {
                Some(enrolment) if situation.policy => self.judge(actor, subject, &situation.records, enrolment, token),
                _ => Ok(Some(Verdict::NotRequired)),
            }
        })
    }

    /// Forgets the wrong codes of `subject`, and with them every lock.
    pub fn unlock(&self, actor: Actor<'_>, subject: &Subject) -> Result<(), Refusal> {
        let entry = Entry::new(actor, Event::Unlocked, Some(subject.name()));
        self.settle(|| {
            let situation = self.situation(subject)?;
            match situation.enrolment {
                Some(enrolment) if enrolment.guesses != Guesses::default() => {
                    let enrolment = Enrolment { guesses: Guesses::default(), ..enrolment };
                    self.replace(&situation.records, &enrolment, &entry, Durability::Power)
                }
                _ => Ok(Some(())),
            }
        })
    }

    /// The verdict on one moment's enrolment, committed. `None`: the moment has passed.
    fn judge(
        &self,
        actor: Actor<'_>,
        subject: &Subject,
        records: &Records,
        mut enrolment: Enrolment,
        token: &str,
    ) -> Result<Option<Verdict>, Refusal> {
        let (now, limits) = (self.clock.now(), self.config.lockout);
        let lock = limits.lock(enrolment.guesses, now);
        let code = code::parse(token, enrolment.digits);
        let entry = |event| Entry::new(actor, event, Some(subject.name()));
        let denied = |event, refusal| {
            self.note(&entry(event))?;
            Ok(Some(Verdict::Denied(refusal, lock)))
        };
        if lock.retry_after > 0 {
            return denied(Event::Locked, Refusal::Locked(lock.retry_after));
        }
        if lock.hard && code.is_some() {
            return denied(Event::Locked, Refusal::HardLocked);
        }
        let (verdict, event, durability) = match self.find(subject, &enrolment, code, token)? {
            Finding::Step(step) => {
                enrolment.last_step = step;
                enrolment.guesses = Guesses::default();
                (Verdict::Verified(Method::Totp), Event::Verified, Durability::Process)
            }
            Finding::Recovery(place) => {
                enrolment.recovery.remove(place);
                enrolment.guesses = Guesses::default();
                (Verdict::Verified(Method::Recovery), Event::VerifiedByRecoveryCode, Durability::Power)
            }
            Finding::Used => return denied(Event::Replayed, Refusal::UsedCode),
            Finding::Wrong => {
                enrolment.guesses = limits.after_failure(enrolment.guesses, now);
                let lock = limits.lock(enrolment.guesses, now);
                (Verdict::Denied(Refusal::WrongCode, lock), Event::Wrong, Durability::Process)
            }
        };
        Ok(self.replace(records, &enrolment, &entry(event), durability)?.map(|()| verdict))
    }

    /// What `token` is: as a one-time code when it is `code`, as a recovery code otherwise.
    fn find(
        &self,
        subject: &Subject,
        enrolment: &Enrolment,
        code: Option<u64>,
        token: &str,
    ) -> Result<Finding, Refusal> {
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        if let Some(code) = code {
            let parameters = enrolment.parameters();
            let window = code::window(parameters.step(self.clock.now().as_secs()), self.config.skew);
            return Ok(match parameters.newest_match(secret.bytes(), window, code) {
                Some(step) if step > self.last_used_step(enrolment) => Finding::Step(step),
                Some(_) => Finding::Used,
                None => Finding::Wrong,
            });
        }
        let place = RecoveryCode::parse(token)
            .and_then(|code| recovery::position(&code.mac(subject.name(), &secret), &enrolment.recovery));
        Ok(place.map_or(Finding::Wrong, Finding::Recovery))
    }

    /// The step that a code must be later than: the last one accepted, or the last that may have been before a power
    /// cut undid it.
    fn last_used_step(&self, enrolment: &Enrolment) -> u64 {
        let floor = match self.floor {
            0 => 0,
            seconds => *code::window(enrolment.parameters().step(seconds), self.config.skew).end(),
        };
        enrolment.last_step.max(floor)
    }

    fn situation(&self, subject: &Subject) -> Result<Situation, Refusal> {
        let name = record::subject_name(subject.name());
        let keys = [POLICY, Key { kind: Kind::Subject, name: &name }];
        let mut texts = self.store.read(&keys)?.into_iter();
        let policy = policy::enabled(texts.next().flatten().as_deref())?;
        let records = Records { enrolment: texts.next().flatten(), removed: None, name };
        let enrolment = self.enrolment_in(subject, &records)?;
        Ok(Situation { policy, records, enrolment })
    }
}
