//! Benchmarks of the core. Each figure is a ratio to a peer, which is measured in turns with it in the same run.
//!
//! Each line of the output is a JSON object, {"name", "ours", "peer", "ratio", "target"}; times are medians in nanoseconds.
//! `scripts/bench` writes them to docs/benchmarks.md; run it with `make bench`. Memory is measured first, before anything else
//! uses it. Codes are valid at the real time, so a subject can log in three times in a window.

#![allow(missing_docs, clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing)]

use std::ffi::{CString, c_char};
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use tfa::accounts::Subject;
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::ffi::codes::{TFA_SHA1, tfa_verify_totp};
use tfa::ffi::handle::{tfa_close, tfa_open};
use tfa::ffi::login::tfa_login;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

#[link(name = "oath")]
unsafe extern "C" {
    /// liboath: the distance of the matching code from `now`, or less than 0.
    fn oath_totp_validate(
        secret: *const u8,
        length: usize,
        now: i64,
        step: u32,
        start: i64,
        window: usize,
        otp: *const c_char,
    ) -> i32;
}

/// Who prepares the houses.
const ACTOR: Actor<'static> = Actor { caller: "root", function: "bench", remote_addr: None };

fn main() {
    // `cargo test` and `cargo bench` pass arguments of their own; one without a dash is a filter.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, bench) in [("size", size as fn()), ("check", check), ("login", login), ("process", process)] {
        if name.contains(&only) {
            bench();
        }
    }
}

fn report(name: &str, ours: f64, peer: f64, target: f64) {
    println!(
        "{}",
        serde_json::json!({
            "name": name, "ours": ours.round(), "peer": peer.round(), "target": target,
            "ratio": (ours / peer * 100.0).round() / 100.0,
        })
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn nanoseconds(time: Duration, calls: usize) -> f64 {
    time.as_nanos() as f64 / calls as f64
}

/// Invalid codes, with a window of one step on either side and without a store, against liboath.
fn check() {
    const CALLS: usize = 20_000;
    let secret = b"1234567890";
    let code = c"000000";
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for round in 0..40u64 {
        let first = 1_700_000_000 + round * 30 * CALLS as u64;
        let times = move || (0..CALLS as u64).map(move |call| first + 30 * call);
        let begin = Instant::now();
        for time in times() {
            // SAFETY: ten bytes, a C string, and NULL where it is allowed.
            black_box(unsafe {
                tfa_verify_totp(secret.as_ptr(), 10, TFA_SHA1, 6, 30, 1, time, code.as_ptr(), std::ptr::null_mut())
            });
        }
        ours.push(nanoseconds(begin.elapsed(), CALLS));
        let begin = Instant::now();
        for time in times() {
            // SAFETY: ten bytes and a C string.
            black_box(unsafe { oath_totp_validate(secret.as_ptr(), 10, time as i64, 30, 0, 1, code.as_ptr()) });
        }
        peer.push(nanoseconds(begin.elapsed(), CALLS));
    }
    report("an invalid code, window of one step on either side (peer: liboath)", median(ours), median(peer), 0.6);
}

/// A server with `count` enrolled subjects.
struct Server {
    tfa: Handle,
    folder: tempfile::TempDir,
    secrets: Vec<Secret>,
}

/// A handle of the C ABI.
struct Handle(*mut Tfa);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it was opened by tfa_open, and is closed once.
        unsafe { tfa_close(self.0) };
    }
}

impl Server {
    /// A server with `count` subjects, and an audit trail that keeps entries for so many days.
    fn with(count: usize, days: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = CString::new(config(folder.path(), days)).expect("a configuration");
        // SAFETY: a C string, and NULL where it is allowed.
        let handle = unsafe { tfa_open(config.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: a handle lives until it is closed.
        let tfa = unsafe { handle.as_ref() }.expect("a store");
        tfa.set_policy(ACTOR, true).expect("policy");
        // Subjects at the same place in their blocks of 1000 share a secret.
        let secrets: Vec<_> = (0..1000).map(|_| Secret::generate(16).expect("a secret")).collect();
        for first in (0..count).step_by(10_000) {
            let block: Vec<_> = (first..count.min(first + 10_000))
                .map(|number| (Subject::Account { name: name(number) }, secrets[number % 1000].clone()))
                .collect();
            tfa.set_secrets(ACTOR, &block).expect("enrolled");
        }
        Server { tfa: Handle(handle), folder, secrets }
    }

    /// Logs in subject `number` with the code of the step at `offset` from now. Returns the nanoseconds that it takes.
    fn login(&self, number: usize, offset: i64) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let step = (now / 30).checked_add_signed(offset).expect("a step");
        let code = CodeFormat::default().code(self.secrets[number % 1000].bytes(), step);
        let subject = CString::new(name(number)).expect("a name");
        let code = CString::new(format!("{code:06}")).expect("a code");
        let begin = Instant::now();
        // SAFETY: an open handle and two C strings.
        let verdict = unsafe { tfa_login(self.tfa.0, subject.as_ptr(), code.as_ptr()) };
        let time = nanoseconds(begin.elapsed(), 1);
        assert_eq!(verdict, 1, "the code is valid");
        time
    }
}

fn config(folder: &Path, days: u64) -> String {
    let store = format!("sqlite:{}", folder.join("tfa.db").display());
    serde_json::json!({ "create": true, "store": store, "audit": { "days": days } }).to_string()
}

fn name(number: usize) -> String {
    format!("account{number:07}")
}

/// Waits for the next step if the present one is about to end, since a round must not span two.
fn fresh_step() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    if now % 30 > 20 {
        std::thread::sleep(Duration::from_secs(30 - now % 30));
    }
}

/// The bare statement: one prepared compare-and-set UPDATE on a table of the same number of rows; optionally, in the same
/// transaction, the INSERT of as much text as an audit entry has.
struct Bare {
    connection: Connection,
    has_entries: bool,
    _folder: tempfile::TempDir,
}

impl Bare {
    fn with(count: usize, has_entries: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = Connection::open(folder.path().join("bare.db")).expect("a database");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                 CREATE TABLE bare (name TEXT PRIMARY KEY, step INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
                 CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
                 BEGIN",
            )
            .expect("a table");
        for number in 0..count {
            let mut insert = connection.prepare_cached("INSERT INTO bare VALUES (?1, 0, ?2)").expect("a statement");
            insert.execute(params![name(number), "x".repeat(250)]).expect("a row");
        }
        connection.execute_batch("COMMIT").expect("rows");
        Bare { connection, has_entries, _folder: folder }
    }

    fn update(&self, number: usize, step: i64) -> f64 {
        let (name, line) = (name(number), "x".repeat(90));
        let statement = |text| self.connection.prepare_cached(text).expect("a statement");
        let mut update = statement("UPDATE bare SET step = ?2 WHERE name = ?1 AND step < ?2");
        let [mut first, mut last] = ["BEGIN IMMEDIATE", "COMMIT"].map(statement);
        let mut insert = statement("INSERT INTO line (text) VALUES (?1)");
        let begin = Instant::now();
        if self.has_entries {
            first.execute([]).expect("a transaction");
        }
        assert_eq!(update.execute(params![name, step]).expect("an update"), 1);
        if self.has_entries {
            insert.execute([line]).expect("a line");
            last.execute([]).expect("a commit");
        }
        nanoseconds(begin.elapsed(), 1)
    }
}

/// Logins and bare statements of 1000 subjects, three each, in turns.
fn compare(server: &Server, bare: &Bare, count: usize) -> (f64, f64) {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    fresh_step();
    for offset in [-1, 0, 1] {
        for place in 0..1000 {
            let number = place * (count / 1000) + place % (count / 1000).max(1);
            ours.push(server.login(number, offset));
            peer.push(bare.update(number, offset + 2));
        }
    }
    (median(ours), median(peer))
}

/// A valid code on the SQLite store, for several numbers of subjects: without and with the audit trail, against the bare
/// statement, and with it against the statements that do both.
fn login() {
    let mut times = Vec::new();
    for count in [1_000, 100_000, 1_000_000] {
        for (days, has_entries, about) in [
            (0, false, "no audit trail (peer: the bare UPDATE)"),
            (400, false, "(peer: the bare UPDATE)"),
            (400, true, "(peer: the bare UPDATE, and the INSERT of an entry)"),
        ] {
            let (server, bare) = (Server::with(count, days), Bare::with(count, has_entries));
            let (ours, peer) = compare(&server, &bare, count);
            report(&format!("tfa_login, {count} subjects {about}"), ours, peer, 2.0);
            times.push(ours);
        }
    }
    report("tfa_login, 1000000 subjects (peer: the same with 1000)", times[7], times[1], 1.5);
}

/// A new process that opens the store and makes one call (benches/process.c), against `oathtool --totp`.
fn process() {
    let server = Server::with(1000, 400);
    let config = config(server.folder.path(), 400);
    drop(server.tfa);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-process");
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        ours.push(run(Command::new(&program).arg(&config)));
        peer.push(run(Command::new("oathtool").args(["--totp", "3132333435363738393031323334353637383930"])));
    }
    report("a process that calls policy_status (peer: oathtool --totp)", median(ours), median(peer), 3.0);
}

/// The nanoseconds that a process takes. It must succeed.
fn run(command: &mut Command) -> f64 {
    let begin = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("a process");
    assert!(status.success(), "{command:?}");
    nanoseconds(begin.elapsed(), 1)
}

/// The size of the library, on disk and in memory, in bytes. There is no peer.
fn size() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/libtfa.so");
    let bytes = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or_default();
    println!("{}", serde_json::json!({ "name": "libtfa.so, bytes", "ours": bytes }));
    let before = resident();
    let server = Server::with(1000, 400);
    println!(
        "{}",
        serde_json::json!({ "name": "resident memory of an open library, bytes", "ours": resident() - before })
    );
    drop(server);
}

fn resident() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok()).expect("pages") * 4096
}
