//! The rules of the contract, each put to the test with a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use super::audit::Actor;
use super::config::Config;
use super::login::{Method, Verdict};
use super::reason::Refusal;
use super::*;
use crate::accounts::Subject;
use crate::clock::ManualClock;
use crate::otp::code::Parameters;
use crate::otp::secret::Secret;
use crate::store::{Change, Decision, Durability};

/// Who calls in these tests.
const ROOT: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };
/// A time in the middle of a step.
const NOW: u64 = 1_800_000_015;

struct House {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
    settings: String,
}

impl House {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let tfa = open(&folder, settings, clock.clone()).unwrap();
        tfa.set_policy(ROOT, true).unwrap();
        House { tfa, clock, folder, settings: settings.to_owned() }
    }

    fn reopened(&self) -> Tfa {
        open(&self.folder, &self.settings, self.clock.clone()).unwrap()
    }

    fn code_at(&self, secret: &Secret, time: u64) -> String {
        format!("{:06}", Parameters::default().code(secret.bytes(), time / 30))
    }

    fn code(&self, secret: &Secret) -> String {
        self.code_at(secret, self.clock.now().as_secs())
    }

    /// A code that is right nowhere near now.
    fn wrong_code(&self, secret: &Secret) -> String {
        let near: Vec<_> =
            (0..9).map(|step| self.code_at(secret, self.clock.now().as_secs() - 120 + 30 * step)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }

    /// Enrols a subject and steps past the code that it took.
    fn enrolled(&self, name: &str) -> (Subject, Secret) {
        let (subject, secret) = (account(name), Secret::generate(16).unwrap());
        self.tfa.enrol(ROOT, &subject, &secret, &self.code(&secret)).unwrap();
        self.clock.advance(Duration::from_secs(30));
        (subject, secret)
    }

    fn login(&self, subject: &Subject, token: &str) -> Verdict {
        self.tfa.login(ROOT, subject, token).unwrap()
    }
}

fn open(folder: &tempfile::TempDir, settings: &str, clock: Arc<ManualClock>) -> Result<Tfa, String> {
    let path = folder.path().join("tfa.db");
    let text = format!(r#"{{"store": "sqlite:{}", "hostname": "server.example.com"{settings}}}"#, path.display());
    Tfa::open_with_clock(Config::parse(Some(&text))?, clock)
}

fn account(name: &str) -> Subject {
    Subject::Account { name: name.to_owned() }
}

const VERIFIED: Verdict = Verdict::Verified(Method::Totp);

fn reason(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Denied(refusal, _) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_stored_before_it_is_verified() {
    let house = House::new("");
    let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
    for token in ["", "12345", "abcdef", &house.wrong_code(&secret)] {
        assert_eq!(house.tfa.enrol(ROOT, &subject, &secret, token), Err(Refusal::WrongCode));
    }
    assert!(!house.tfa.is_enrolled(&subject).unwrap());
    house.tfa.enrol(ROOT, &subject, &secret, &house.code(&secret)).unwrap();
    assert!(house.tfa.is_enrolled(&subject).unwrap());
}

#[test]
fn one_code_one_login() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let code = house.code(&secret);
    assert_eq!(house.login(&subject, &code), VERIFIED);
    assert_eq!(reason(house.login(&subject, &code)), Refusal::UsedCode);
    // An older code of the window is as used as the one that came after it.
    let older = house.code_at(&secret, house.clock.now().as_secs() - 30);
    assert_eq!(reason(house.login(&subject, &older)), Refusal::UsedCode);
    assert_eq!(house.login(&subject, &house.code_at(&secret, house.clock.now().as_secs() + 30)), VERIFIED);
    assert_eq!(reason(house.reopened().login(ROOT, &subject, &code).unwrap()), Refusal::UsedCode);
}

#[test]
fn enrolment_uses_up_its_step() {
    let house = House::new("");
    let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
    let code = house.code(&secret);
    house.tfa.enrol(ROOT, &subject, &secret, &code).unwrap();
    assert_eq!(reason(house.login(&subject, &code)), Refusal::UsedCode);
    assert_eq!(house.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
    // Another secret has steps of its own.
    let other = Secret::generate(16).unwrap();
    house.tfa.enrol(ROOT, &subject, &other, &house.code(&other)).unwrap();
}

#[test]
fn a_secret_that_comes_back_remembers_its_last_step() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let code = house.code(&secret);
    assert_eq!(house.login(&subject, &code), VERIFIED);
    house.tfa.remove(ROOT, std::slice::from_ref(&subject)).unwrap();
    assert_eq!(house.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
    house.tfa.set_secrets(ROOT, &[(subject.clone(), secret.clone())]).unwrap();
    assert_eq!(reason(house.login(&subject, &code)), Refusal::UsedCode);
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(house.login(&subject, &house.code(&secret)), VERIFIED);
}

#[test]
fn a_secret_that_was_replaced_and_comes_back_remembers_its_last_step() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let code = house.code(&secret);
    assert_eq!(house.login(&subject, &code), VERIFIED);
    let others = [(); 2].map(|()| Secret::generate(16).unwrap());
    for other in &others {
        house.tfa.enrol(ROOT, &subject, other, &house.code(other)).unwrap();
    }
    for used in [&secret, &others[0], &others[1]] {
        assert_eq!(house.tfa.enrol(ROOT, &subject, used, &house.code(used)), Err(Refusal::UsedCode));
    }
    house.clock.advance(Duration::from_secs(30));
    house.tfa.enrol(ROOT, &subject, &secret, &house.code(&secret)).unwrap();
}

#[test]
fn who_changes_secrets_without_end_has_to_wait() {
    let house = House::new("");
    let (subject, _) = house.enrolled("example");
    let enrol = || {
        let secret = Secret::generate(16).unwrap();
        house.tfa.enrol(ROOT, &subject, &secret, &house.code(&secret))
    };
    let refused = std::iter::repeat_with(enrol).take(70).filter(Result::is_err).count();
    assert!((1..10).contains(&refused), "{refused}");
    house.clock.advance(Duration::from_secs(90));
    enrol().unwrap();
}

#[test]
fn a_new_secret_begins_anew() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    house.tfa.make_recovery_codes(ROOT, &subject).unwrap();
    for _ in 0..5 {
        house.login(&subject, &house.wrong_code(&secret));
    }
    let other = Secret::generate(16).unwrap();
    house.tfa.set_secrets(ROOT, &[(subject.clone(), other.clone())]).unwrap();
    let status = house.tfa.status(&subject).unwrap();
    assert_eq!((status.failures, status.lock.is_locked(), status.recovery_codes_left), (0, false, 0));
    assert_eq!(house.login(&subject, &house.code(&other)), VERIFIED);
}

#[test]
fn the_window_is_one_step_either_side() {
    for (skew, accepted) in [(0, vec![0]), (1, vec![-1, 0, 1]), (2, vec![-2, -1, 0, 1, 2])] {
        for offset in -3i64..=3 {
            let house = House::new(&format!(r#", "skew": {skew}"#));
            let (subject, secret) = house.enrolled("example");
            house.clock.advance(Duration::from_secs(300));
            let time = house.clock.now().as_secs().checked_add_signed(30 * offset).unwrap();
            let verdict = house.login(&subject, &house.code_at(&secret, time));
            assert_eq!(verdict == VERIFIED, accepted.contains(&offset), "skew {skew}, offset {offset}");
        }
    }
}

#[test]
fn guessing_is_counted_and_locked() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let wrong = house.wrong_code(&secret);
    for failures in 1..=5u32 {
        assert_eq!(reason(house.login(&subject, &wrong)), Refusal::WrongCode);
        assert_eq!(house.tfa.status(&subject).unwrap().failures, failures);
    }
    // During the lock no code is looked at: the right one neither opens nor is used up.
    assert_eq!(reason(house.login(&subject, &house.code(&secret))), Refusal::Locked(30));
    house.clock.advance(Duration::from_millis(29_500));
    assert_eq!(reason(house.login(&subject, &wrong)), Refusal::Locked(1));
    assert_eq!(house.tfa.status(&subject).unwrap().failures, 5);
    house.clock.advance(Duration::from_millis(500));
    assert_eq!(reason(house.login(&subject, &wrong)), Refusal::WrongCode);
    assert_eq!(house.tfa.status(&subject).unwrap().lock.retry_after, 60);
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.login(&subject, &house.code(&secret)), VERIFIED);
    assert_eq!(house.tfa.status(&subject).unwrap().failures, 0);
}

#[test]
fn a_replayed_code_neither_counts_nor_resets() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let code = house.code(&secret);
    assert_eq!(house.login(&subject, &code), VERIFIED);
    house.login(&subject, &house.wrong_code(&secret));
    assert_eq!(reason(house.login(&subject, &code)), Refusal::UsedCode);
    assert_eq!(house.tfa.status(&subject).unwrap().failures, 1);
}

#[test]
fn after_a_hundred_only_a_recovery_code_or_an_administrator_helps() {
    for administrator in [true, false] {
        let house = House::new("");
        let (subject, secret) = house.enrolled("example");
        let recovery = house.tfa.make_recovery_codes(ROOT, &subject).unwrap();
        for _ in 0..100 {
            assert_eq!(reason(house.login(&subject, &house.wrong_code(&secret))), Refusal::WrongCode);
            house.clock.advance(Duration::from_secs(3600));
        }
        assert_eq!(reason(house.login(&subject, &house.code(&secret))), Refusal::HardLocked);
        assert_eq!(house.tfa.status(&subject).unwrap().failures, 100);
        if administrator {
            house.tfa.unlock(ROOT, &subject).unwrap();
        } else {
            // Recovery codes are still looked at, under the timed locks.
            assert_eq!(reason(house.login(&subject, "aaaa-aaaa-aaaa-aaaa")), Refusal::WrongCode);
            assert_eq!(reason(house.login(&subject, &recovery[0])), Refusal::Locked(3600));
            house.clock.advance(Duration::from_secs(3600));
            assert_eq!(house.login(&subject, &recovery[0]), Verdict::Verified(Method::Recovery));
        }
        assert_eq!(house.login(&subject, &house.code(&secret)), VERIFIED);
    }
}

#[test]
fn each_recovery_code_opens_one_login() {
    let house = House::new("");
    let (subject, _) = house.enrolled("example");
    assert_eq!(
        house.tfa.make_recovery_codes(ROOT, &account("other")).err(),
        Some(Refusal::NotConfigured("other".into()))
    );
    let old = house.tfa.make_recovery_codes(ROOT, &subject).unwrap();
    let codes = house.tfa.make_recovery_codes(ROOT, &subject).unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(reason(house.login(&subject, &old[0])), Refusal::WrongCode, "the old ones died");
    for (used, code) in codes.iter().enumerate() {
        assert_eq!(house.login(&subject, &code.to_uppercase().replace('-', " ")), Verdict::Verified(Method::Recovery));
        assert_eq!(reason(house.login(&subject, code)), Refusal::WrongCode);
        assert_eq!(house.tfa.status(&subject).unwrap().recovery_codes_left, 9 - used);
        house.tfa.unlock(ROOT, &subject).unwrap();
    }
}

#[test]
fn nothing_is_asked_while_the_policy_is_off() {
    let house = House::new("");
    let (subject, _) = house.enrolled("example");
    assert_eq!(house.login(&account("other"), "123456"), Verdict::NotRequired);
    house.tfa.set_policy(ROOT, false).unwrap();
    assert_eq!(house.login(&subject, "123456"), Verdict::NotRequired);
    let status = house.tfa.status(&subject).unwrap();
    assert_eq!((status.required, status.is_enabled, status.failures), (false, true, 0));
}

#[test]
fn a_policy_that_was_lost_keeps_out_until_it_is_set_again() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let lose = |_| {
        let changes = vec![Change { key: record::POLICY, text: None }];
        Ok::<_, Refusal>(((), Decision { changes, lines: Vec::new() }))
    };
    house.tfa.store.settle(&[record::POLICY], Durability::Power, lose).unwrap();
    let code = house.code(&secret);
    for tfa in [&house.tfa, &house.reopened()] {
        assert!(matches!(tfa.login(ROOT, &subject, &code), Err(Refusal::Unavailable(_))));
        assert!(tfa.policy().is_err());
    }
    house.tfa.set_policy(ROOT, true).unwrap();
    assert_eq!(house.login(&subject, &code), VERIFIED);
}

#[test]
fn a_reboot_reopens_no_code() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let mut tfa = house.reopened();
    tfa.floor = house.clock.now().as_secs();
    for offset in [-30i64, 0, 30] {
        let time = house.clock.now().as_secs().checked_add_signed(offset).unwrap();
        assert_eq!(reason(tfa.login(ROOT, &subject, &house.code_at(&secret, time)).unwrap()), Refusal::UsedCode);
    }
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(tfa.login(ROOT, &subject, &house.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn a_stored_enrolment_keeps_its_parameters() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let tfa =
        open(&house.folder, r#", "digits": 8, "period": 60, "algorithm": "SHA256""#, house.clock.clone()).unwrap();
    assert_eq!(tfa.login(ROOT, &subject, &house.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn secrets_are_nowhere_on_disk_in_the_clear() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let codes = house.tfa.make_recovery_codes(ROOT, &subject).unwrap();
    let text = secret.to_base32();
    let needles = [secret.bytes(), text.as_bytes(), codes[0].as_bytes()];
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        let contents = std::fs::read(entry.unwrap().path()).unwrap();
        for needle in needles {
            assert!(!contents.windows(needle.len()).any(|window| window == needle));
        }
    }
}

#[test]
fn a_missing_key_file_loses_nothing() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let (key, away) = (house.folder.path().join("tfa.key"), house.folder.path().join("away.key"));
    std::fs::rename(&key, &away).unwrap();
    let error = open(&house.folder, "", house.clock.clone()).err().unwrap();
    assert!(error.contains("tfa.key is gone"), "{error}");
    assert!(!key.exists(), "no new key is made beside old secrets");
    std::fs::rename(&away, &key).unwrap();
    assert_eq!(house.reopened().login(ROOT, &subject, &house.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn a_lost_database_is_not_taken_for_a_new_one() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let (database, away) = (house.folder.path().join("tfa.db"), house.folder.path().join("away.db"));
    let House { tfa, folder, clock, .. } = house;
    drop(tfa);
    std::fs::rename(&database, &away).unwrap();
    for attempt in 0..2 {
        let error = open(&folder, "", clock.clone()).err().unwrap();
        assert!(error.contains("Restore the database from a backup"), "attempt {attempt}: {error}");
    }
    std::fs::rename(&away, &database).unwrap();
    let code = format!("{:06}", Parameters::default().code(secret.bytes(), clock.now().as_secs() / 30));
    assert_eq!(open(&folder, "", clock).unwrap().login(ROOT, &subject, &code).unwrap(), VERIFIED);
}

#[test]
fn a_key_file_can_be_shared_by_databases() {
    let house = House::new("");
    let path = |name: &str| house.folder.path().join(name).display().to_string();
    let text = format!(r#"{{"store": "sqlite:{}", "key_file": "{}"}}"#, path("other.db"), path("tfa.key"));
    Tfa::open_with_clock(Config::parse(Some(&text)).unwrap(), house.clock.clone()).unwrap();
}

#[test]
fn setting_secrets_is_seen_whole() {
    let house = House::new(
        r#", "accounts": {"inline": {"example": {"domain": "example.com", "domains": ["addon.example"], "team": ["dev"]}}}"#,
    );
    let directory = house.tfa.directory().unwrap();
    let names = ["example", "user@example.com", "sales@addon.example", "dev@example"];
    let given: Vec<_> =
        names.iter().map(|name| (directory.resolve(name).unwrap().unwrap(), Secret::generate(32).unwrap())).collect();
    house.tfa.set_secrets(ROOT, &given).unwrap();
    let base32 = |place: usize| given[place].1.to_base32().to_string();
    assert_eq!(
        house.tfa.secrets_of(&given[0].0).unwrap(),
        serde_json::json!({
            "email": {"user@example.com": {"secret": base32(1)}, "sales@addon.example": {"secret": base32(2)}},
            "primary_account": {"secret": base32(0)},
            "team": {"dev@example": {"secret": base32(3)}},
        })
    );
}

#[test]
fn eight_threads_race_for_one_code_and_one_wins() {
    let house = House::new("");
    let (subject, secret) = house.enrolled("example");
    let code = house.code(&secret);
    let verdicts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| house.login(&subject, &code))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == VERIFIED).count(), 1, "{verdicts:?}");
}

#[test]
fn users_are_listed_with_and_without_enrolment() {
    let house = House::new(
        r#", "accounts": {"inline": {"a": {"owner": "m", "domain": "a.example"}, "m": {"reseller": 1}, "z": {"owner": "m"}, "x": {}}}"#,
    );
    house.enrolled("a");
    house.enrolled("m");
    let rows = |users: Users, range| -> Vec<(String, bool)> {
        let configs = house.tfa.user_configs(users, range).unwrap();
        configs.iter().map(|row| (row.user.to_owned(), row.is_enabled)).collect()
    };
    let named = |rows: &[(&str, bool)]| -> Vec<_> { rows.iter().map(|row| (row.0.to_owned(), row.1)).collect() };
    let all = [("a", true), ("m", true), ("root", false), ("x", false), ("z", false)];
    assert_eq!(rows(house.tfa.all_users().unwrap(), 0..usize::MAX), named(&all));
    assert_eq!(rows(house.tfa.all_users().unwrap(), 1..3), named(&all[1..3]));
    assert_eq!(rows(house.tfa.all_users().unwrap(), 9..12), []);
    assert_eq!(rows(house.tfa.users_of("m").unwrap(), 0..9), named(&[("a", true), ("m", true), ("z", false)]));
    let one = house.tfa.user_configs(house.tfa.one_user(&account("a")).unwrap(), 0..1).unwrap();
    assert_eq!(one.iter().next().unwrap().primary_domain, "a.example");
}

#[test]
fn without_a_directory_root_and_the_enrolled_are_listed() {
    let house = House::new("");
    for name in ["zoe", "user@example.com", "anna"] {
        house.enrolled(name);
    }
    let configs = house.tfa.user_configs(house.tfa.all_users().unwrap(), 0..9).unwrap();
    let names: Vec<_> = configs.iter().map(|row| row.user.to_owned()).collect();
    assert_eq!(names, ["anna", "root", "user@example.com", "zoe"]);
}

use super::users::Users;
