//! The engine against a model: random sequences of calls and clock changes go to the engine and to [`Model`], which states
//! the rules of contract sections 3 and 4 in a page. Every answer and every status must agree.
//!
//! A sequence that disagrees is shrunk. `TFA_MODEL_SEQUENCES` sets the number of sequences (10,000).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use tfa::accounts::Subject;
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::engine::enrolment::Unreadable;
use tfa::engine::login::{Method, Verdict};
use tfa::engine::refusal::Refusal;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

/// The caller in these tests.
const ACTOR: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };

const NOW: u64 = 1_800_000_007;
const PERIOD: u64 = 30;

/// A call that is valid in any state. A subject has two secrets, which replace each other.
#[derive(Clone, Debug)]
enum Call {
    Enrol { secret: usize, offset: i64 },
    EnrolWrong { secret: usize },
    SetSecret { secret: usize },
    Remove,
    MakeRecoveryCodes,
    Login { secret: usize, offset: i64 },
    LoginWrong,
    LoginRecovery { place: usize },
    LoginWrongRecovery,
    Unlock,
    Policy(bool),
    Wait { seconds: u64 },
    WaitOutTheLock,
    ClockBack { seconds: u64 },
    Reopen,
}

fn call() -> impl Strategy<Value = Call> {
    let offset = || prop_oneof![4 => Just(0i64), 2 => -1i64..=1, 1 => -3i64..=3];
    prop_oneof![
        3 => (0..2usize, offset()).prop_map(|(secret, offset)| Call::Enrol { secret, offset }),
        1 => (0..2usize).prop_map(|secret| Call::EnrolWrong { secret }),
        1 => (0..2usize).prop_map(|secret| Call::SetSecret { secret }),
        1 => Just(Call::Remove),
        1 => Just(Call::MakeRecoveryCodes),
        6 => (0..2usize, offset()).prop_map(|(secret, offset)| Call::Login { secret, offset }),
        8 => Just(Call::LoginWrong),
        2 => (0..12usize).prop_map(|place| Call::LoginRecovery { place }),
        3 => Just(Call::LoginWrongRecovery),
        1 => Just(Call::Unlock),
        1 => prop::bool::weighted(0.9).prop_map(Call::Policy),
        4 => (0..95u64).prop_map(|seconds| Call::Wait { seconds }),
        3 => Just(Call::WaitOutTheLock),
        1 => (1..7200u64).prop_map(|seconds| Call::ClockBack { seconds }),
        1 => Just(Call::Reopen),
    ]
}

/// The rules for one subject, with these limits: a lock after 3 invalid codes, of 30 to 120 s, and a hard lock after 8.
#[derive(Clone, Debug, Default)]
struct Model {
    policy: bool,
    enrolled: Option<usize>,
    /// The last step that was accepted of each secret; 0 when none was.
    last_steps: [u64; 2],
    failures: u32,
    locked_until: u64,
    recovery: Vec<usize>,
    /// The codes of the same set that were used.
    used_recovery: Vec<usize>,
    /// The times of invalid recovery codes.
    recovery_failures: Vec<u64>,
}

impl Model {
    fn locked(&self, now: u64) -> u64 {
        self.locked_until.saturating_sub(now).min(penalty(self.failures))
    }

    fn begin(&mut self, secret: usize) {
        *self = Model { policy: self.policy, enrolled: Some(secret), last_steps: self.last_steps, ..Model::default() };
    }

    fn remove(&mut self) {
        if self.enrolled.is_some() {
            *self = Model { policy: self.policy, last_steps: self.last_steps, ..Model::default() };
        }
    }

    fn enrol(&mut self, secret: usize, step: u64, now: u64) -> Result<(), Refusal> {
        if step.abs_diff(now / PERIOD) > 1 {
            return Err(Refusal::InvalidCode);
        }
        if step <= self.last_steps[secret] {
            return Err(Refusal::UsedCode);
        }
        self.last_steps[secret] = step;
        self.begin(secret);
        Ok(())
    }

    fn is_required(&self) -> bool {
        self.policy && self.enrolled.is_some()
    }

    fn login(&mut self, secret: usize, step: u64, now: u64) -> Answer {
        if !self.is_required() {
            return Answer::NotRequired;
        }
        match self.locked(now) {
            0 if self.failures >= 8 => return Answer::Denied(Refusal::HardLocked),
            0 => {}
            left => return Answer::Denied(Refusal::Locked(left)),
        }
        if self.enrolled != Some(secret) || step.abs_diff(now / PERIOD) > 1 {
            return self.fail(now);
        }
        if step <= self.last_steps[secret] {
            return Answer::Denied(Refusal::UsedCode);
        }
        self.last_steps[secret] = step;
        self.accept(Method::Totp)
    }

    fn login_recovery(&mut self, place: Option<usize>, now: u64) -> Answer {
        if !self.is_required() {
            return Answer::NotRequired;
        }
        self.recovery_failures.retain(|time| time.abs_diff(now) < 60);
        if self.recovery_failures.len() == 5 {
            let first = self.recovery_failures.iter().min().unwrap();
            return Answer::Denied(Refusal::Locked((first + 60 - now).min(60)));
        }
        match place {
            Some(place) if self.recovery.contains(&place) => {
                self.recovery.retain(|left| *left != place);
                self.used_recovery.push(place);
                self.recovery_failures.clear();
                self.accept(Method::Recovery)
            }
            Some(place) if self.used_recovery.contains(&place) => Answer::Denied(Refusal::UsedCode),
            _ => {
                self.recovery_failures.push(now);
                Answer::Denied(Refusal::InvalidCode)
            }
        }
    }

    fn accept(&mut self, method: Method) -> Answer {
        (self.failures, self.locked_until) = (0, 0);
        Answer::Verified(method)
    }

    fn fail(&mut self, now: u64) -> Answer {
        self.failures += 1;
        self.locked_until = now + penalty(self.failures);
        Answer::Denied(Refusal::InvalidCode)
    }
}

/// Seconds of lock after the last of `failures` invalid codes.
fn penalty(failures: u32) -> u64 {
    if failures < 3 { 0 } else { (30u64 << (failures - 3).min(8)).min(120) }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    NotRequired,
    Verified(Method),
    Denied(Refusal),
}

/// The engine under test.
struct Server {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    text: String,
}

/// A subject, with its secrets and recovery codes.
struct User {
    subject: Subject,
    secrets: [Secret; 2],
    recovery: Vec<String>,
}

impl Server {
    fn reopen(&mut self) {
        self.tfa = Tfa::open_with_clock(Config::parse(Some(&self.text)).unwrap(), self.clock.clone()).unwrap();
    }

    fn login(&self, user: &User, token: &str) -> Answer {
        match self.tfa.login(ACTOR, &user.subject, token).unwrap() {
            Verdict::NotRequired => Answer::NotRequired,
            Verdict::Verified(method) => Answer::Verified(method),
            Verdict::Denied(refusal, _) => Answer::Denied(refusal),
        }
    }
}

impl User {
    fn new(number: u64) -> User {
        let subject = Subject::Account { name: format!("subject{number}") };
        User { subject, secrets: [0; 2].map(|_| Secret::generate(16).unwrap()), recovery: Vec::new() }
    }

    fn code(&self, secret: usize, step: u64) -> String {
        format!("{:06}", CodeFormat::default().code(self.secrets[secret].bytes(), step))
    }

    /// A code that is invalid for both secrets near `step`.
    fn wrong_code(&self, step: u64) -> String {
        let near: Vec<_> = (step - 5..=step + 5).flat_map(|step| [self.code(0, step), self.code(1, step)]).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }

    /// Whether two codes near `step` are the same, which the model does not cover.
    fn ambiguous(&self, step: u64) -> bool {
        let mut near: Vec<_> =
            (step - 5..=step + 5).flat_map(|step| [self.code(0, step), self.code(1, step)]).collect();
        near.sort_unstable();
        near.windows(2).any(|pair| pair[0] == pair[1])
    }
}

/// Makes a call to the engine and to the model.
fn make(server: &mut Server, user: &mut User, model: &mut Model, call: &Call) {
    let now = server.clock.now().as_secs();
    let step = |offset: i64| (now / PERIOD).checked_add_signed(offset).unwrap();
    match *call {
        Call::Enrol { secret, offset } => {
            let token = user.code(secret, step(offset));
            let answer = server.tfa.enrol(ACTOR, &user.subject, &user.secrets[secret], &token);
            assert_eq!(answer, model.enrol(secret, step(offset), now));
        }
        Call::EnrolWrong { secret } => {
            let answer = server.tfa.enrol(ACTOR, &user.subject, &user.secrets[secret], &user.wrong_code(step(0)));
            assert_eq!(answer, Err(Refusal::InvalidCode));
        }
        Call::SetSecret { secret } => {
            server.tfa.set_secrets(ACTOR, &[(user.subject.clone(), user.secrets[secret].clone())]).unwrap();
            model.begin(secret);
        }
        Call::Remove => {
            server.tfa.remove(ACTOR, std::slice::from_ref(&user.subject), Unreadable::Keep).unwrap();
            model.remove();
        }
        Call::MakeRecoveryCodes => match server.tfa.generate_recovery_codes(ACTOR, &user.subject) {
            Ok(codes) => {
                assert!(model.enrolled.is_some());
                user.recovery = codes.iter().map(|code| code.to_string()).collect();
                (model.recovery, model.used_recovery) = ((0..10).collect(), Vec::new());
            }
            Err(refusal) => {
                assert!(model.enrolled.is_none() && matches!(refusal, Refusal::NotConfigured(_)), "{refusal}");
            }
        },
        Call::Login { .. } | Call::LoginWrong | Call::LoginRecovery { .. } | Call::LoginWrongRecovery => {
            log_in(server, user, model, call);
        }
        Call::Unlock => {
            server.tfa.unlock(ACTOR, &user.subject).unwrap();
            (model.failures, model.locked_until) = (0, 0);
            model.recovery_failures.clear();
        }
        Call::Policy(enabled) => {
            server.tfa.set_policy(ACTOR, enabled).unwrap();
            model.policy = enabled;
        }
        Call::Wait { seconds } => server.clock.advance(Duration::from_secs(seconds)),
        Call::WaitOutTheLock => server.clock.advance(Duration::from_secs(model.locked(now))),
        Call::ClockBack { seconds } => server.clock.set(now - seconds),
        Call::Reopen => server.reopen(),
    }
}

/// Makes a login to the engine and to the model.
fn log_in(server: &Server, user: &User, model: &mut Model, call: &Call) {
    let now = server.clock.now().as_secs();
    let step = |offset: i64| (now / PERIOD).checked_add_signed(offset).unwrap();
    let (token, expected) = match *call {
        Call::Login { secret, offset } => (user.code(secret, step(offset)), model.login(secret, step(offset), now)),
        Call::LoginWrong => (user.wrong_code(step(0)), model.login(usize::MAX, 0, now)),
        Call::LoginRecovery { place } => {
            let code = user.recovery.get(place);
            (
                code.map_or("aaaa-aaaa-aaaa-aaaa", String::as_str).to_owned(),
                model.login_recovery(code.map(|_| place), now),
            )
        }
        _ => ("not a code".to_owned(), model.login_recovery(None, now)),
    };
    assert_eq!(server.login(user, &token), expected);
}

fn assert_status(server: &Server, user: &User, model: &Model) {
    let status = server.tfa.status(&user.subject).unwrap();
    assert_eq!(status.is_enabled, model.enrolled.is_some());
    assert_eq!(status.required, model.policy && model.enrolled.is_some());
    assert_eq!((status.failures, status.lock.hard), (model.failures, model.failures >= 8));
    assert_eq!(status.lock.retry_after, model.locked(server.clock.now().as_secs()));
    assert_eq!(status.recovery_codes_left, model.recovery.len());
}

#[test]
fn the_engine_agrees_with_the_model() {
    // In memory if possible: nothing here depends on disks.
    let place = std::path::Path::new("/dev/shm");
    let folder = if place.is_dir() { tempfile::tempdir_in(place) } else { tempfile::tempdir() }.unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let text = format!(
        r#"{{"create": true, "store": "sqlite:{}", "hostname": "server.example.com",
            "lockout": {{"failures": 3, "seconds": 30, "max_seconds": 120, "hard_limit": 8}}}}"#,
        folder.path().join("tfa.db").display()
    );
    let tfa = Tfa::open_with_clock(Config::parse(Some(&text)).unwrap(), clock.clone()).unwrap();
    let server = std::cell::RefCell::new(Server { tfa, clock, text });
    let sequences = std::env::var("TFA_MODEL_SEQUENCES").map_or(10_000, |text| text.parse().unwrap());
    let users = AtomicU64::new(0);
    let cases = Cases { cases: sequences, failure_persistence: None, ..Cases::default() };
    let outcome = TestRunner::new(cases).run(&prop::collection::vec(call(), 1..30), |calls| {
        let mut server = server.borrow_mut();
        let mut user = User::new(users.fetch_add(1, Ordering::Relaxed));
        let mut model = Model { policy: true, ..Model::default() };
        server.clock.set(NOW);
        server.tfa.set_policy(ACTOR, true).unwrap();
        for call in &calls {
            if user.ambiguous(server.clock.now().as_secs() / PERIOD) {
                break;
            }
            make(&mut server, &mut user, &mut model, call);
            assert_status(&server, &user, &model);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
