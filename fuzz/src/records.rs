//! Damaged records of the store.
//!
//! Promises: every request gets an answer, which reports the damage; no login is accepted because of it. A damaged policy
//! or enrolment denies every login; damage to any other record denies none.
//!
//! The first byte of an input selects a record, the rest is its contents. All other records are valid: the seeds.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tfa::api::answer::Answer;
use tfa::api::args::Args;
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Entry;
use tfa::engine::config::Config;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

use crate::server::{SECRET, folder};

/// The time, in Unix seconds.
const NOW: u64 = 1_800_000_015;
/// The key file that seals the valid enrolment's secret.
const KEYS: &str =
    r#"{"format":1,"current":"key-fuzz","keys":{"key-fuzz":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}"#;
/// Stands in the seeds for the boot id of this machine.
const BOOT_ID: &str = "BOOT-ID";
/// More than the audit trail ever holds here.
const EVERYTHING: usize = 1000;

/// The record that an input replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Policy,
    Boot,
    Keys,
    Issuer,
    Subject,
    Removed,
    /// An entry of the audit trail: milliseconds, a space, the text.
    Line,
    /// The name of a further enrolment.
    Name,
}

/// By the first digit of an input: kind, name and, after that digit, the valid text of the record.
const PLACES: [(Place, u8, &str, &str); 8] = [
    (Place::Policy, 0, "policy", include_str!("../seeds/records/policy")),
    (Place::Boot, 0, "boot", include_str!("../seeds/records/boot")),
    (Place::Keys, 0, "keys", include_str!("../seeds/records/keys")),
    (Place::Issuer, 1, "root", include_str!("../seeds/records/issuer")),
    (Place::Subject, 2, "example", include_str!("../seeds/records/subject")),
    (Place::Removed, 3, "example", include_str!("../seeds/records/removed")),
    (Place::Line, 0, "", include_str!("../seeds/records/line")),
    (Place::Name, 2, "", include_str!("../seeds/records/name")),
];

/// The library, and a second connection to its database.
struct Site {
    tfa: Tfa,
    database: Connection,
    config: Config,
    clock: Arc<ManualClock>,
    boot_id: String,
    /// The code of [`SECRET`] at [`NOW`].
    code: String,
}

/// The answer to a login.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Login {
    is_required: bool,
    is_verified: bool,
}

/// Entry point: damages one record.
pub fn records(bytes: &[u8]) {
    let Some((digit, bytes)) = bytes.split_first() else {
        return;
    };
    let (place, ..) = PLACES[usize::from(digit.wrapping_sub(b'0')) % PLACES.len()];
    // A connection stays with its thread, and libFuzzer has one.
    thread_local!(static SITE: Site = Site::new());
    SITE.with(|site| site.run(place, bytes));
}

impl Site {
    fn new() -> Site {
        let folder = folder();
        let (database, keys) = (folder.join("tfa.db"), folder.join("fuzz.key"));
        let config =
            json!({"create": true, "store": format!("sqlite:{}", database.display()), "key_file": keys}).to_string();
        let config = Config::parse(Some(&config)).unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        // The store is created with a random key; then it gets the key of the seeds, and the next opening adds the id.
        drop(Tfa::open_with_clock(config.clone(), clock.clone()).unwrap());
        std::fs::write(&keys, KEYS).unwrap();
        let code = CodeFormat::default().code(Secret::from_base32(SECRET).unwrap().bytes(), NOW / 30);
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned();
        Site {
            tfa: Tfa::open_with_clock(config.clone(), clock.clone()).unwrap(),
            database: Connection::open(&database).unwrap(),
            config,
            clock,
            boot_id,
            code: format!("{code:06}"),
        }
    }

    fn open(&self) -> Result<Tfa, String> {
        Tfa::open_with_clock(self.config.clone(), self.clock.clone())
    }

    /// One input.
    fn run(&self, place: Place, bytes: &[u8]) {
        self.restore();
        let bytes = self.damage(place, bytes);
        match (place == Place::Boot).then(|| self.open()) {
            None => self.ask(&self.tfa, place, &bytes),
            Some(Ok(tfa)) => self.ask(&tfa, place, &bytes),
            // A store that does not open accepts no login.
            Some(Err(why)) => assert!(!why.is_empty()),
        }
    }

    /// Makes every record valid, and sets the clock to [`NOW`].
    fn restore(&self) {
        self.clock.set(NOW);
        self.database
            .execute_batch("BEGIN; DELETE FROM record WHERE name <> 'store' OR kind <> 0; DELETE FROM audit")
            .unwrap();
        for (place, ..) in PLACES {
            self.damage(place, valid(place).as_bytes());
        }
        self.database.execute_batch("COMMIT").unwrap();
    }

    /// Writes `bytes` as the record `place`. Returns what was written.
    fn damage(&self, place: Place, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        let (_, kind, name, _) = PLACES[place as usize];
        let put = |name: &[u8], value: &[u8]| {
            let put = "INSERT OR REPLACE INTO record VALUES (?1, CAST(?2 AS TEXT), CAST(?3 AS TEXT))";
            self.database.prepare_cached(put).unwrap().execute(params![kind, name, value]).unwrap();
            value.to_vec()
        };
        match place {
            Place::Boot => put(name.as_bytes(), text.replace(BOOT_ID, &self.boot_id).as_bytes()),
            Place::Name => put(bytes, valid(Place::Subject).as_bytes()),
            Place::Line => {
                let (time, text) = text.split_once(' ').unwrap_or_default();
                let time: i64 = time.parse().unwrap_or_default();
                let line = "INSERT INTO audit (time, text) VALUES (?1, ?2)";
                self.database.prepare_cached(line).unwrap().execute(params![time, text]).unwrap();
                text.as_bytes().to_vec()
            }
            _ => put(name.as_bytes(), bytes),
        }
    }

    fn ask(&self, tfa: &Tfa, place: Place, bytes: &[u8]) {
        let first = login(tfa, &self.code);
        self.check_first_login(place, bytes, first);
        let is_accepted = |login: Option<Login>| login.is_some_and(|login| login.is_verified);
        assert!(!is_accepted(login(tfa, &self.code)), "a code is accepted once");
        assert!(!is_accepted(login(tfa, " ")), "no login is accepted without a code");
        self.clock.advance(Duration::from_secs(2 * 86_400));
        let enrolled = self.change_everything(tfa);
        if place == Place::Removed {
            assert!(
                !enrolled || serde_json::from_slice::<Value>(bytes).is_ok(),
                "used codes stay used when the record of the last step is unreadable"
            );
        }
        self.trail(tfa, place);
    }

    /// Checks the answer to the first login against the contents of the record. `None`: there was no answer.
    fn check_first_login(&self, place: Place, bytes: &[u8], answer: Option<Login>) {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let is_free = answer.is_some_and(|login| !login.is_required);
        let is_verified = answer.is_some_and(|login| login.is_verified);
        match place {
            Place::Policy => {
                assert!(!is_free || holds(&value, &json!(false)), "a damaged policy is not a disabled one");
                assert!(!is_verified || holds(&value, &json!(true)), "a damaged policy is not an enabled one");
            }
            Place::Subject => {
                assert!(!is_free, "a damaged enrolment is not a missing one");
                let valid: Value = serde_json::from_str(valid(place)).unwrap();
                assert!(
                    !is_verified || holds(&value, &valid["record"]["secret"]["sealed"]),
                    "another secret accepts no code of this one"
                );
            }
            Place::Boot => {
                assert!(!is_free);
                assert!(!is_verified || holds(&value, &json!(self.boot_id)), "used codes stay used after a reboot");
            }
            Place::Keys | Place::Issuer | Place::Removed | Place::Line | Place::Name => {
                assert!(is_verified, "damage to a record that a login does not read denies no login");
            }
        }
    }

    /// Calls other functions. Returns whether `example` could be enrolled again after its removal.
    fn change_everything(&self, tfa: &Tfa) -> bool {
        let secrets = json!({"other": {"primary_account": {"secret": SECRET}}});
        let steps = self.clock.now().as_secs() / 30;
        let code = CodeFormat::default().code(Secret::from_base32(SECRET).unwrap().bytes(), steps);
        for (function, args) in [
            ("twofactorauth_policy_status", json!({})),
            ("twofactorauth_login_status", json!({"user": "example"})),
            ("twofactorauth_get_issuer", json!({})),
            ("twofactorauth_generate_tfa_config", json!({})),
            ("twofactorauth_get_user_configs", json!({})),
            ("twofactorauth_get_tfa_config_for_user", json!({"user": "example"})),
            ("twofactorauth_get_tfa_config_for_user", json!({"user": "example.com"})),
            ("twofactorauth_set_tfa_config_for_user", secrets),
            ("twofactorauth_unlock_user", json!({"user": "example"})),
            ("twofactorauth_remove_user_config", json!({"user": "example", "user-0": "other"})),
            ("twofactorauth_set_issuer", json!({"issuer": "Another"})),
        ] {
            whm(tfa, function, args);
        }
        let _ = tfa.key_uses();
        uapi(tfa, "generate_recovery_codes", json!({}));
        let enrolled =
            uapi(tfa, "set_user_configuration", json!({"secret": SECRET, "tfa_token": format!("{code:06}")}));
        whm(tfa, "twofactorauth_disable_policy", json!({}));
        whm(tfa, "twofactorauth_enable_policy", json!({}));
        enrolled
    }

    /// Reads the audit trail: an error names the number of a damaged entry, and every other entry is returned.
    fn trail(&self, tfa: &Tfa, place: Place) {
        let lines = tfa.audit_lines(0, EVERYTHING).expect("entries are text");
        let mut damaged = 0;
        for line in &lines {
            match Entry::read(line) {
                Ok(entry) => {
                    let told = entry.to_json(Some(line.id), line.time).expect("an entry that parses is written");
                    assert!(serde_json::from_str::<Value>(&told).expect("an entry is JSON").is_object());
                }
                Err(refusal) => {
                    assert!(refusal.to_string().contains(&format!("line {}", line.id)));
                    damaged += 1;
                }
            }
        }
        assert!(damaged <= usize::from(place == Place::Line), "every entry that the library writes parses");
    }
}

/// The valid text of the record `place`, without the digit.
fn valid(place: Place) -> &'static str {
    &PLACES[place as usize].3[1..]
}

/// Logs `example` in. `None`: there was no answer, so the host denies the login.
fn login(tfa: &Tfa, code: &str) -> Option<Login> {
    let answer = whm(tfa, "twofactorauth_verify_login", json!({"user": "example", "tfa_token": code}));
    let data = answer.get("data")?;
    Some(Login { is_required: data["required"] == 1, is_verified: data["verified"] == 1 })
}

fn whm(tfa: &Tfa, function: &str, args: Value) -> Value {
    let args = Args::parse(Some(&args.to_string())).unwrap();
    let answer = Answer::from(tfa::api::whmapi1(tfa, "root", function, &args));
    let answer = serde_json::to_value(&answer).expect("an answer is JSON");
    assert!([0, 1].contains(&answer["metadata"]["result"].as_u64().expect("a result")));
    answer
}

/// Calls UAPI for `example`. Returns whether the call worked.
fn uapi(tfa: &Tfa, function: &str, args: Value) -> bool {
    let args = Args::parse(Some(&args.to_string())).unwrap();
    let answer = tfa::api::uapi(tfa, "example", "TwoFactorAuth", function, &args);
    serde_json::to_value(&answer).expect("an answer is JSON")["status"] == 1
}

/// Whether `wanted` is anywhere in `value`.
fn holds(value: &Value, wanted: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| holds(value, wanted)),
        Value::Object(map) => map.values().any(|value| holds(value, wanted)),
        _ => value == wanted,
    }
}
