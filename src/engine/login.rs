//! Login verification.
//!
//! [`Tfa::login`] verifies a one-time or recovery code and, in the same transaction, records that it was used.
//!
//! Promises (contract sections 4 and 14, RFC 6238 section 5.2): a code is accepted at most once across threads, processes,
//! forks and servers that share the store; an invalid code is counted before it is reported; while codes of a kind are
//! locked, none of that kind is examined; one-time codes do not lock recovery codes; every error denies access.

use super::audit::{Actor, Entry, Event};
use super::guess::{Guesses, Lock};
use super::record::{self, Enrolment, POLICY, enrolment_in, enrolment_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use super::{Tfa, policy};
use crate::accounts::Subject;
use crate::clock::milliseconds;
use crate::otp::code::{self, CodeFormat};
use crate::otp::recovery::{self, RecoveryCode};
use crate::store::{Durability, Key, Texts};

/// The kind of code that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A one-time code.
    Totp,
    /// A recovery code.
    Recovery,
}

/// The result of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The login is denied: the reason, and how codes of this kind are locked now.
    Denied(Refusal, Lock),
    /// The login is accepted: the code is valid, and is used now.
    Verified(Method),
    /// The password alone is enough: the policy is disabled, or the subject is not enrolled.
    NotRequired,
}

/// The state of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether a login needs a code.
    pub required: bool,
    /// Whether the subject is enrolled.
    pub is_enabled: bool,
    /// How one-time codes are locked.
    pub lock: Lock,
    /// Invalid one-time codes in a row.
    pub failures: u32,
    /// Recovery codes that have not been used.
    pub recovery_codes_left: usize,
    /// Denied attempts that the audit trail does not have yet: its next entry for the subject carries their number.
    pub denials_without_entry: u64,
}

/// The policy and a subject's enrolment at one moment.
struct LoginState {
    policy: bool,
    enrolment: Option<Enrolment>,
}

impl LoginState {
    /// The keys of the state of the subject whose records have this name.
    fn keys(name: &str) -> [Key<'_>; 2] {
        [POLICY, enrolment_key(name)]
    }

    fn read(subject: &Subject, texts: &Texts) -> Result<Self, Refusal> {
        Ok(LoginState { policy: policy::enabled(texts.at(0))?, enrolment: enrolment_in(subject, texts.at(1))? })
    }
}

impl Tfa {
    /// Returns the state of `subject`.
    pub fn status(&self, subject: &Subject) -> Result<Status, Refusal> {
        let name = record::subject_name(subject.name());
        let state = LoginState::read(subject, &self.store.read(&LoginState::keys(&name))?)?;
        let enrolment = state.enrolment.as_ref();
        let guesses = enrolment.map(|enrolment| enrolment.guesses).unwrap_or_default();
        Ok(Status {
            required: state.policy && enrolment.is_some(),
            is_enabled: enrolment.is_some(),
            lock: self.config.lockout.lock(guesses, self.clock.now()),
            failures: guesses.failures,
            recovery_codes_left: enrolment.map_or(0, |enrolment| enrolment.recovery.len()),
            denials_without_entry: enrolment.map_or(0, |enrolment| enrolment.denials.without_entry()),
        })
    }

    /// Verifies a login of `subject` with `token`. The verdict is committed before it is returned.
    pub fn login(&self, actor: Actor<'_>, subject: &Subject, token: &str) -> Result<Verdict, Refusal> {
        let name = record::subject_name(subject.name());
        // A recovery code is used for good; the step of a one-time code is closed after a power cut as well (`boot`).
        let is_recovery = RecoveryCode::parse(token).is_some();
        let durability = if is_recovery { Durability::Power } else { Durability::Process };
        self.transact(&LoginState::keys(&name), durability, |texts| {
            let state = LoginState::read(subject, &texts)?;
            let Some(mut enrolment) = state.enrolment.filter(|_| state.policy) else {
                return Ok(Effects::new(Verdict::NotRequired));
            };
            let (verdict, entries) = self.attempt(actor, subject, &mut enrolment, token)?;
            let text = record::write(&enrolment)?;
            Ok(Effects::new(verdict).change(enrolment_key(&name), Some(text)).entries(entries))
        })
    }

    /// Resets the failed attempts of `subject` and lifts every lock.
    pub fn unlock(&self, actor: Actor<'_>, subject: &Subject) -> Result<(), Refusal> {
        let name = record::subject_name(subject.name());
        let key = enrolment_key(&name);
        self.transact(&[key], Durability::Power, |texts| {
            let Some(mut enrolment) = enrolment_in(subject, texts.at(0))? else { return Ok(Effects::new(())) };
            if enrolment.guesses == Guesses::default() && enrolment.recovery_guesses.is_empty() {
                return Ok(Effects::new(()));
            }
            let denied = enrolment.denials.report(actor, subject.name());
            (enrolment.guesses, enrolment.recovery_guesses) = Default::default();
            Ok(Effects::new(()).change(key, Some(record::write(&enrolment)?)).entries(denied).entry(Entry::new(
                actor,
                Event::Unlocked,
                Some(subject.name()),
            )))
        })
    }

    /// Verifies `token` against an enrolment, which records the attempt. Returns the verdict and its audit entries.
    pub(super) fn attempt<'a>(
        &self,
        actor: Actor<'a>,
        subject: &'a Subject,
        enrolment: &mut Enrolment,
        token: &str,
    ) -> Result<(Verdict, Vec<Entry<'a>>), Refusal> {
        let (verdict, event) = match code::parse(token, enrolment.digits) {
            Some(code) => self.verify_code(subject, enrolment, code)?,
            None => self.verify_recovery_code(subject, enrolment, token)?,
        };
        let (name, now) = (subject.name(), milliseconds(self.clock.now()));
        let entries = match verdict {
            Verdict::Denied(..) => enrolment.denials.add(actor, event, name, now).into_iter().collect(),
            _ => {
                let denied = enrolment.denials.report(actor, name);
                denied.into_iter().chain([Entry::new(actor, event, Some(name))]).collect()
            }
        };
        Ok((verdict, entries))
    }

    /// Verifies a one-time code, and uses its time step.
    fn verify_code(
        &self,
        subject: &Subject,
        enrolment: &mut Enrolment,
        code: u64,
    ) -> Result<(Verdict, Event), Refusal> {
        let (now, limits) = (self.clock.now(), self.config.lockout);
        let lock = limits.lock(enrolment.guesses, now);
        if lock.retry_after > 0 {
            return Ok((Verdict::Denied(Refusal::Locked(lock.retry_after), lock), Event::Locked));
        }
        if lock.hard {
            return Ok((Verdict::Denied(Refusal::HardLocked, lock), Event::Locked));
        }
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        let code_format = enrolment.code_format();
        let window = code_format.window(now.as_secs(), self.config.skew);
        Ok(match code_format.newest_match(secret.bytes(), window, code) {
            Some(step) if code_format.step_end(step) > self.used_until_or_floor(enrolment) => {
                enrolment.used_until = code_format.step_end(step);
                enrolment.guesses = Guesses::default();
                (Verdict::Verified(Method::Totp), Event::Verified)
            }
            Some(step) => {
                let is_used = code_format.step_end(step) <= enrolment.used_until;
                (Verdict::Denied(self.refusal_of_used(code_format, is_used), lock), Event::Replayed)
            }
            None => {
                enrolment.guesses = limits.after_failure(enrolment.guesses, now);
                (Verdict::Denied(Refusal::InvalidCode, limits.lock(enrolment.guesses, now)), Event::Wrong)
            }
        })
    }

    /// Verifies a recovery code, and revokes it. Everything that is no one-time code counts as one.
    fn verify_recovery_code(
        &self,
        subject: &Subject,
        enrolment: &mut Enrolment,
        token: &str,
    ) -> Result<(Verdict, Event), Refusal> {
        let now = self.clock.now();
        let lock = enrolment.recovery_guesses.lock(now);
        if lock.retry_after > 0 {
            return Ok((Verdict::Denied(Refusal::Locked(lock.retry_after), lock), Event::Locked));
        }
        let secret = self.open_secret(subject.name(), &enrolment.secret)?;
        let name = enrolment.recovery_name.as_deref().unwrap_or(subject.name());
        let mac = RecoveryCode::parse(token).map(|code| code.mac(name, &secret));
        let position = |macs: &[_]| mac.as_ref().and_then(|mac| recovery::position(mac, macs));
        if let Some(place) = position(&enrolment.recovery) {
            enrolment.used_recovery.push(enrolment.recovery.remove(place));
            (enrolment.guesses, enrolment.recovery_guesses) = Default::default();
            return Ok((Verdict::Verified(Method::Recovery), Event::VerifiedByRecoveryCode));
        }
        if position(&enrolment.used_recovery).is_some() {
            return Ok((Verdict::Denied(Refusal::UsedCode, lock), Event::Replayed));
        }
        enrolment.recovery_guesses.add(now);
        Ok((Verdict::Denied(Refusal::InvalidCode, enrolment.recovery_guesses.lock(now)), Event::Wrong))
    }

    /// The time after which a code's step must end: the end of the last accepted step, or of the last one that may have been
    /// accepted before a power cut.
    fn used_until_or_floor(&self, enrolment: &Enrolment) -> u64 {
        enrolment.used_until.max(self.floor_end(enrolment.code_format()))
    }

    /// The end of the last step that may have been accepted before a power cut; 0 if there is none.
    fn floor_end(&self, code_format: CodeFormat) -> u64 {
        match self.floor {
            0 => 0,
            seconds => code_format.window_end(seconds, self.config.skew),
        }
    }

    /// Why a valid code is refused: it was used, or only the floor of a clock that was ahead refuses it.
    fn refusal_of_used(&self, code_format: CodeFormat, is_used: bool) -> Refusal {
        let now = self.clock.now().as_secs();
        if is_used || self.floor <= now {
            return Refusal::UsedCode;
        }
        Refusal::ClockSetBack(self.floor_end(code_format).saturating_sub(now))
    }
}
