//! Guessing: how many codes an attacker who knows the password can try, counted with the engine and a simulated clock, and
//! how long an answer takes. The numbers are those of `docs/security.md`.
//!
//! Promises: the default limits allow 34 guesses in the first day and 100 in a year, each valid with a chance of 3 in a
//! million; the time of an answer reveals nothing that its reason does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tfa::accounts::Subject;
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;
use tfa::otp::code::{CodeFormat, window};
use tfa::otp::secret::Secret;

/// The caller in these tests.
const ACTOR: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };
const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

struct Server {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    subject: Subject,
    secret: Secret,
    _folder: tempfile::TempDir,
}

impl Server {
    /// A server with the default limits, or with those of `lockout`.
    fn new(lockout: &str) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.db");
        let config = format!(
            r#"{{"create": true, "store": "sqlite:{}", "hostname": "server.example.com"{lockout}}}"#,
            path.display()
        );
        let clock = Arc::new(ManualClock::at(NOW - 60));
        let tfa = Tfa::open_with_clock(Config::parse(Some(&config)).unwrap(), clock.clone()).unwrap();
        tfa.set_policy(ACTOR, true).unwrap();
        let (subject, secret) = (Subject::Account { name: "example".to_owned() }, Secret::generate(16).unwrap());
        let server = Server { tfa, clock, subject, secret, _folder: folder };
        server.tfa.enrol(ACTOR, &server.subject, &server.secret, &server.code(0)).unwrap();
        server.clock.set(NOW);
        server
    }

    fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }

    /// The code of the step at `offset` from the present one.
    fn code(&self, offset: i64) -> String {
        let step = (self.now() / 30).checked_add_signed(offset).unwrap();
        format!("{:06}", CodeFormat::default().code(self.secret.bytes(), step))
    }

    /// A code that is invalid now, with the first `same` digits of the valid one.
    fn wrong_code(&self, same: usize) -> String {
        let near: Vec<_> = (-1..=1).map(|offset| self.code(offset)).collect();
        let (kept, rest) = near[1].split_at(same);
        let limit = 10u64.pow(u32::try_from(rest.len()).unwrap());
        let wrong = (0..limit).map(|number| format!("{kept}{number:0width$}", width = rest.len()));
        wrong.into_iter().find(|code| !near.contains(code)).unwrap()
    }

    fn login(&self, code: &str) -> Verdict {
        self.tfa.login(ACTOR, &self.subject, code).unwrap()
    }

    fn retry_after(&self) -> u64 {
        self.tfa.status(&self.subject).unwrap().lock.retry_after
    }

    /// Guesses as fast as the locks allow until `end`, or until the hard lock. Returns how many guesses were examined.
    fn attack(&self, end: u64) -> u64 {
        let mut examined = 0;
        while self.now() < end {
            match self.login(&self.wrong_code(0)) {
                Verdict::Denied(Refusal::InvalidCode, lock) => {
                    examined += 1;
                    self.clock.advance(Duration::from_secs(lock.retry_after));
                }
                Verdict::Denied(Refusal::HardLocked, _) => break,
                other => panic!("{other:?}"),
            }
        }
        examined
    }

    /// Logs the owner in, after the lock has ended and before the next guess.
    fn owner_logs_in(&self) {
        self.clock.advance(Duration::from_secs(self.retry_after() + 60));
        assert!(matches!(self.login(&self.code(0)), Verdict::Verified(_)));
    }
}

/// The chance that one of `guesses` is valid, when the codes of three steps are.
fn chance(guesses: u64) -> f64 {
    1.0 - (1.0f64 - 3.0 / 1_000_000.0).powf(guesses as f64)
}

#[test]
fn an_attacker_has_34_guesses_a_day_and_100_a_year() {
    let server = Server::new("");
    let day = server.attack(NOW + DAY);
    assert_eq!(day, 34);
    assert!((0.000_101..0.000_103).contains(&chance(day)), "1 in 9800: {}", chance(day));
    let year = day + server.attack(NOW + YEAR);
    assert_eq!(year, 100);
    assert!(server.now() < NOW + 4 * DAY, "the hard limit is reached within four days");
    assert!((0.000_299..0.000_301).contains(&chance(year)), "1 in 3300: {}", chance(year));
    assert!(
        matches!(server.login(&server.code(0)), Verdict::Denied(Refusal::HardLocked, _)),
        "the hard lock holds for the owner too"
    );
}

/// An accepted login resets the failures, so each login of the owner gives the attacker another day.
#[test]
fn daily_logins_of_the_owner_allow_a_days_guesses_each_day() {
    let server = Server::new("");
    let mut year = 0;
    for day in 1..=365 {
        year += server.attack(NOW + day * DAY);
        server.owner_logs_in();
    }
    println!("{year} guesses a year, chance {:.4}", chance(year));
    assert!((34 * 364..=35 * 366).contains(&year), "{year}");
    assert!((0.036..0.037).contains(&chance(year)), "1 in 27: {}", chance(year));
}

/// Checks the factor of the computation: of a million codes, those of three steps are valid at any moment.
#[test]
fn three_codes_of_a_million_are_valid() {
    let code_format = CodeFormat::default();
    let secret = Secret::from_base32("GEZDGNBVGY3TQOJQ").unwrap();
    let steps = window(NOW / 30, 1);
    let valid: Vec<_> = steps.clone().map(|step| code_format.code(secret.bytes(), step)).collect();
    assert_eq!(valid.len(), 3);
    for code in (0..1_000_000).step_by(17).chain(valid.clone()) {
        let found = code_format.newest_match(secret.bytes(), steps.clone(), code).is_some();
        assert_eq!(found, valid.contains(&code), "{code}");
    }
}

/// The fastest answer of each kind. The kinds take turns, so that the load of the machine affects all alike.
fn fastest<const KINDS: usize>(rounds: usize, mut ask: impl FnMut(usize) -> Duration) -> [Duration; KINDS] {
    let mut best = [Duration::MAX; KINDS];
    for round in 0..rounds * KINDS {
        let kind = round % KINDS;
        best[kind] = best[kind].min(ask(kind));
    }
    best
}

#[test]
fn the_time_of_an_answer_reveals_nothing_about_the_code() {
    let server = Server::new(r#", "lockout": {"failures": 1000, "hard_limit": 1000000}"#);
    let codes = [server.wrong_code(0), server.wrong_code(3), server.wrong_code(5)];
    let times: [Duration; 3] = fastest(300, |kind| {
        server.tfa.unlock(ACTOR, &server.subject).unwrap();
        let begun = Instant::now();
        assert!(matches!(server.login(&codes[kind]), Verdict::Denied(Refusal::InvalidCode, _)));
        begun.elapsed()
    });
    println!("invalid codes with 0, 3 and 5 valid digits: {times:?}");
    let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(most.as_nanos() * 10 < least.as_nanos() * 13, "{times:?}");
}

/// While a subject is locked, codes are not examined, so valid and invalid ones take the same time.
#[test]
fn a_locked_subject_gets_the_same_answer_to_valid_and_invalid_codes() {
    let server = Server::new("");
    for _ in 0..5 {
        server.login(&server.wrong_code(0));
    }
    let codes = [server.code(0), server.wrong_code(0)];
    let times: [Duration; 2] = fastest(300, |kind| {
        let begun = Instant::now();
        assert!(matches!(server.login(&codes[kind]), Verdict::Denied(Refusal::Locked(30), _)));
        begun.elapsed()
    });
    println!("locked, with a valid and an invalid code: {times:?}");
    let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(most.as_nanos() * 10 < least.as_nanos() * 13, "{times:?}");
}

/// Measures each verdict for `docs/security.md`.
#[test]
fn valid_and_invalid_codes_take_about_the_same_time() {
    let server = Server::new(r#", "lockout": {"failures": 1000, "hard_limit": 1000000}"#);
    let stranger = Subject::Account { name: "stranger".to_owned() };
    let mut valid = String::new();
    let times: [Duration; 4] = fastest(200, |kind| {
        server.tfa.unlock(ACTOR, &server.subject).unwrap();
        if kind == 0 {
            server.clock.advance(Duration::from_secs(30));
            valid = server.code(0);
        }
        let (subject, code) = match kind {
            0 | 2 => (&server.subject, valid.clone()),
            1 => (&server.subject, server.wrong_code(0)),
            _ => (&stranger, server.wrong_code(0)),
        };
        let begun = Instant::now();
        let verdict = server.tfa.login(ACTOR, subject, &code).unwrap();
        let elapsed = begun.elapsed();
        match (kind, verdict) {
            (0, Verdict::Verified(_))
            | (1, Verdict::Denied(Refusal::InvalidCode, _))
            | (2, Verdict::Denied(Refusal::UsedCode, _))
            | (3, Verdict::NotRequired) => elapsed,
            (_, verdict) => panic!("{verdict:?}"),
        }
    });
    println!("valid {:?}, invalid {:?}, replayed {:?}, not enrolled {:?}", times[0], times[1], times[2], times[3]);
    let (right, wrong) = (times[0].as_nanos(), times[1].as_nanos());
    assert!(right < wrong * 2 && wrong < right * 2, "each verifies one code and commits once: {times:?}");
}
