//! Benchmarks of the command line and of long lists.
//!
//! Each line of the output is a JSON object, {"name", "ours", "peer", "ratio", "target"}; times are medians in nanoseconds,
//! memory is in bytes. A peer is measured in turns with ours in the same run. Run it with `make bench`; an argument is a
//! filter.

#![allow(missing_docs, clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing)]

use std::ffi::{CStr, CString};
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::accounts::Subject;
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::ffi::handle::tfa_free;
use tfa::ffi::http::tfa_http;
use tfa::ffi::whm::tfa_whmapi1;
use tfa::otp::secret::Secret;

/// How often each process is started.
const STARTS: usize = 200;
/// Accounts in a long list.
const MANY: usize = 100_000;
/// Accounts in a list of which a chunk is requested.
const VERY_MANY: usize = 1_000_000;

/// The caller that prepares the servers.
const ACTOR: Actor<'static> = Actor { caller: "root", function: "bench", remote_addr: None };

fn main() {
    // `cargo bench` passes arguments of its own; one without a dash is a filter.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, bench) in [("process", process as fn()), ("list", list), ("chunk", chunk)] {
        if name.contains(&only) {
            bench();
        }
    }
}

fn report(name: &str, ours: f64, peer: Option<f64>, target: &Value) {
    let ratio = peer.map(|peer| (ours / peer * 100.0).round() / 100.0);
    let line =
        json!({"name": name, "ours": ours.round(), "peer": peer.map(f64::round), "ratio": ratio, "target": target});
    println!("{line}");
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn nanoseconds(body: impl FnOnce()) -> f64 {
    let start = Instant::now();
    body();
    start.elapsed().as_nanos() as f64
}

/// `whmapi1 twofactorauth_policy_status` against `oathtool --totp`, each as a whole process.
fn process() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("tfa.json");
    let store = format!("sqlite:{}", folder.path().join("tfa.db").display());
    fs::write(&config, json!({ "create": true, "store": store }).to_string()).expect("the configuration is written");
    let link = folder.path().join("whmapi1");
    symlink(env!("CARGO_BIN_EXE_tfa"), &link).expect("the link is made");
    let mut ours = Command::new(link);
    ours.arg("twofactorauth_policy_status").env("TFA_CONFIG", &config);
    let mut peer = Command::new("oathtool");
    peer.args(["--totp", "3132333435363738393031323334353637383930"]);
    let run = |command: &mut Command| {
        nanoseconds(|| assert!(command.stdout(Stdio::null()).status().expect("it is installed").success()))
    };
    run(&mut ours);
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        our_times.push(run(&mut ours));
        peer_times.push(run(&mut peer));
    }
    report("whmapi1 as a process, against oathtool", median(our_times), Some(median(peer_times)), &json!(3));
}

/// A server with panel files of `accounts` accounts, a tenth of which (at most 10,000) are enrolled.
fn server(accounts: usize) -> (Tfa, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut owners, mut domains) = (String::new(), String::new());
    for number in 0..accounts {
        // Writing to a String does not fail.
        let _ = writeln!(owners, "u{number:07}: root");
        let _ = writeln!(domains, "domain{number}.example.com: u{number:07}");
    }
    write(folder.path(), "trueuserowners", &owners);
    write(folder.path(), "trueuserdomains", &domains);
    let store = format!("sqlite:{}", folder.path().join("tfa.db").display());
    let config = json!({ "create": true, "store": store, "accounts": {"files": folder.path()} }).to_string();
    let tfa = Tfa::open(Config::parse(Some(&config)).expect("it is well formed")).expect("it opens");
    let secret = Secret::from_bytes(vec![7; 20]);
    let enrolled: Vec<_> = (0..(accounts / 10).min(10_000))
        .map(|number| (Subject::Account { name: format!("u{:07}", number * 10) }, secret.clone()))
        .collect();
    tfa.set_secrets(ACTOR, &enrolled).expect("they are enrolled");
    (tfa, folder)
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("the file is written");
}

/// The length of an answer of the C ABI, which is freed.
fn list_length(tfa: &Tfa, args: &CStr) -> usize {
    let function = c"twofactorauth_get_user_configs".as_ptr();
    // SAFETY: the handle is open, the strings end in NUL, and the answer is freed once.
    unsafe {
        let answer = tfa_whmapi1((&raw const *tfa).cast_mut(), c"root".as_ptr(), function, args.as_ptr());
        let length = CStr::from_ptr(answer).count_bytes();
        tfa_free(answer);
        length
    }
}

fn http_length(tfa: &Tfa, target: &CStr) -> usize {
    let (root, get) = (c"root".as_ptr(), c"GET".as_ptr());
    // SAFETY: the handle is open, the strings end in NUL, and the answer is freed once.
    unsafe {
        let answer = tfa_http((&raw const *tfa).cast_mut(), root, get, target.as_ptr(), std::ptr::null());
        let length = CStr::from_ptr(answer).count_bytes();
        tfa_free(answer);
        length
    }
}

/// Lists many accounts: the time for each, and the peak of memory as a multiple of the answer.
fn list() {
    let (tfa, _folder) = server(MANY);
    let length = list_length(&tfa, c"{}");
    assert!(length > 50 * MANY, "the list is complete");
    let times = (0..20).map(|_| nanoseconds(|| assert_eq!(list_length(&tfa, c"{}"), length)) / MANY as f64).collect();
    report("listing 100,000 accounts, for each", median(times), None, &json!("at most 1000 ns: a million a second"));
    let (peak, _) = peak(|| list_length(&tfa, c"{}"));
    report("peak memory of that list, against the answer", peak as f64, Some(length as f64), &json!(3));
    let (peak, length) = self::peak(|| http_length(&tfa, c"/json-api/twofactorauth_get_user_configs?api.version=1"));
    report("peak memory of that list by URL, against the answer", peak as f64, Some(length as f64), &json!(3));
}

/// Lists a small chunk of a very long list.
fn chunk() {
    let (tfa, _folder) = server(VERY_MANY);
    let all = || assert!(list_length(&tfa, c"{}") > 50 * VERY_MANY);
    // The first call reads the files.
    all();
    let whole = nanoseconds(all);
    let args = r#"{"api.chunk.enable": 1, "api.chunk.size": 50, "api.chunk.start": 500001}"#;
    let args = CString::new(args).expect("it has no NUL");
    let times = (0..50).map(|_| nanoseconds(|| assert!(list_length(&tfa, &args) < 50 * 100))).collect();
    let target = json!("a small fraction of the whole list: only the chunk is looked up");
    report("50 out of 1,000,000 accounts, against all", median(times), Some(whole), &target);
    let (peak, _) = peak(|| list_length(&tfa, &args));
    report("peak memory of those 50", peak as f64, None, &json!("at most 1 MB"));
}

/// Counts allocations of the library and of SQLite, by replacing the allocation functions of the C library. A block that grows
/// counts twice while it may be moved.
#[allow(clippy::undocumented_unsafe_blocks, reason = "each passes its caller's promise on to the function of its name")]
mod counting {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// Bytes that are allocated now, and their maximum.
    pub static NOW: AtomicUsize = AtomicUsize::new(0);
    pub static PEAK: AtomicUsize = AtomicUsize::new(0);

    // The names under which the C library exports the replaced functions.
    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
        fn __libc_free(block: *mut c_void);
    }

    fn size_of_block(block: *mut c_void) -> usize {
        unsafe { libc::malloc_usable_size(block) }
    }

    fn counted(block: *mut c_void) -> *mut c_void {
        let size = size_of_block(block);
        PEAK.fetch_max(NOW.fetch_add(size, Relaxed) + size, Relaxed);
        block
    }

    #[unsafe(no_mangle)]
    extern "C" fn malloc(size: usize) -> *mut c_void {
        counted(unsafe { __libc_malloc(size) })
    }

    #[unsafe(no_mangle)]
    extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        counted(unsafe { __libc_calloc(count, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        let before = size_of_block(block);
        let moved = counted(unsafe { __libc_realloc(block, size) });
        NOW.fetch_sub(before, Relaxed);
        moved
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
        unsafe { place.write(counted(__libc_memalign(alignment, size))) };
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(block: *mut c_void) {
        NOW.fetch_sub(size_of_block(block), Relaxed);
        unsafe { __libc_free(block) };
    }
}

/// The maximum of bytes that `body` has allocated at once, and its result.
fn peak<T>(body: impl FnOnce() -> T) -> (usize, T) {
    use counting::{NOW, PEAK};
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let answer = body();
    (PEAK.load(Relaxed) - before, answer)
}
