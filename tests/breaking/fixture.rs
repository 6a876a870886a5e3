//! Shared by the tests: a store in a folder, codes, and repeatable pseudorandom numbers.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tfa::accounts::Subject;
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::engine::login::{Method, Verdict};
use tfa::engine::refusal::Refusal;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

/// The caller in these tests.
pub const ACTOR: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };

/// The beginning of a time step.
pub const NOW: u64 = 1_800_000_000;
/// Seconds of a time step.
pub const PERIOD: u64 = 30;
/// The verdict on a valid one-time code.
pub const VERIFIED: Verdict = Verdict::Verified(Method::Totp);

/// Opens the store in `folder`. The limits on guessing are high, so that invalid codes can be counted.
pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Tfa, String> {
    let text = format!(
        r#"{{"create": true, "store": "sqlite:{}", "hostname": "server.example.com", "lockout": {{"failures": 1000, "hard_limit": 1000}}}}"#,
        folder.join("tfa.db").display()
    );
    Tfa::open_with_clock(Config::parse(Some(&text))?, clock)
}

/// Opens the store in `folder` with a clock that stands at `seconds`.
pub fn open_at(folder: &Path, seconds: u64) -> (Tfa, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(seconds));
    (open(folder, clock.clone()).unwrap(), clock)
}

pub fn account(name: &str) -> Subject {
    Subject::Account { name: name.to_owned() }
}

/// The code of `secret` for `step`.
pub fn code(secret: &Secret, step: u64) -> String {
    format!("{:06}", CodeFormat::default().code(secret.bytes(), step))
}

/// A code that is invalid at any step near `step`.
pub fn wrong_code(secret: &Secret, step: u64) -> String {
    let near: Vec<_> = (step - 4..=step + 4).map(|step| code(secret, step)).collect();
    (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
}

/// Enrols `name` with the code of `step`.
pub fn enrol(tfa: &Tfa, name: &str, step: u64) -> Secret {
    let secret = Secret::generate(16).unwrap();
    tfa.enrol(ACTOR, &account(name), &secret, &code(&secret, step)).unwrap();
    secret
}

/// Why a login was denied.
pub fn reason(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Denied(refusal, _) => refusal,
        other => panic!("accepted: {other:?}"),
    }
}

/// Checks the database with SQLite's own integrity check.
pub fn assert_sound(folder: &Path) {
    let connection = Connection::open(folder.join("tfa.db")).unwrap();
    let verdict: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

/// Pseudorandom numbers, the same for the same seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit
    }
}
