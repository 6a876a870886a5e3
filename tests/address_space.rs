//! Limits on memory (contract section 13): a process with little address space answers the largest requests.
//!
//! Each case runs in a process of its own, this program once more, which limits its address space to what it has plus
//! 64 MiB and then serves one request of a reseller. Without the limits on batches, 390 kB of commands took 3.4 GB, and
//! 957 kB ended the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::ffi::{CStr, CString};
use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};
use serde_json::{Map, Value, json};
use tfa::engine::Tfa;
use tfa::ffi::handle::{tfa_close, tfa_free, tfa_open};
use tfa::ffi::http::tfa_http;

/// The memory that a request may use.
const ROOM: u64 = 64 << 20;
/// The longest answer: the limit of a batch, which counts JSON, and its envelope. The same answer is longer in XML.
const LONGEST: usize = (16 << 20) + 4096;
const LONGEST_XML: usize = LONGEST * 2;
/// Accounts of the reseller.
const ACCOUNTS: usize = 4000;
/// A command with a long answer.
const LIST: &str = "twofactorauth_get_user_configs";

/// Printed when a case was served.
const SERVED: &str = "served:";

/// The response of `tfa_http`, as far as it is read here.
#[derive(serde::Deserialize)]
struct Response {
    body: String,
}

/// What a case sends, and what the answer must contain.
struct Case {
    name: &'static str,
    path: &'static str,
    body: fn() -> String,
    answer: &'static str,
}

const CASES: [Case; 8] = [
    Case {
        name: "390 kB of commands",
        path: "/json-api/batch?api.version=1",
        body: || batch(390_000 / (LIST.len() + 3), LIST),
        answer: "at most 100 commands",
    },
    Case {
        name: "957 kB of commands",
        path: "/json-api/batch?api.version=1",
        body: || batch(957_000 / (LIST.len() + 3), LIST),
        answer: "at most 100 commands",
    },
    Case {
        name: "ten thousand writes",
        path: "/json-api/batch?api.version=1",
        body: || batch(10_000, "twofactorauth_set_issuer?issuer=Example"),
        answer: "at most 100 commands",
    },
    Case {
        name: "a hundred commands of 390 kB",
        path: "/json-api/batch?api.version=1",
        body: || batch(100, &padded(3_900)),
        answer: "too_large",
    },
    Case {
        name: "a hundred commands of 957 kB",
        path: "/json-api/batch?api.version=1",
        body: || batch(100, &padded(9_570)),
        answer: "too_large",
    },
    Case {
        name: "a hundred commands over XML",
        path: "/xml-api/batch?api.version=1",
        body: || batch(100, LIST),
        answer: "too_large",
    },
    Case {
        name: "a chunk of a hundred commands",
        path: "/json-api/batch?api.version=1&api.chunk.enable=1&api.chunk.size=99&api.chunk.start=1",
        body: || batch(100, LIST),
        answer: "a batch has no output control",
    },
    Case {
        name: "a hundred sorted and filtered lists",
        path: "/json-api/batch?api.version=1",
        body: || {
            batch(100, "twofactorauth_get_user_configs?api.sort.enable=1&api.sort.a.field=user&api.sort.a.reverse=1")
        },
        answer: "too_large",
    },
];

/// The JSON body of a batch.
fn batch(count: usize, command: &str) -> String {
    json!({ "command": vec![command; count] }).to_string()
}

/// [`LIST`] as a command of `length` bytes.
fn padded(length: usize) -> String {
    let padding = "x".repeat(250);
    let mut command = format!("{LIST}?api.version=1");
    for number in 0.. {
        if command.len() >= length {
            break;
        }
        command += &format!("&p{number}={padding}");
    }
    command
}

/// A server whose reseller has [`ACCOUNTS`] accounts.
fn open(folder: &std::path::Path) -> *mut Tfa {
    let mut accounts: Map<String, Value> =
        (0..ACCOUNTS).map(|number| (format!("account{number}"), json!({"owner": "reseller"}))).collect();
    accounts.insert("reseller".to_owned(), json!({"reseller": 1}));
    let config = json!({
        "create": true, "store": format!("sqlite:{}", folder.join("tfa.db").display()),
        "accounts": {"inline": accounts},
    });
    let config = CString::new(config.to_string()).unwrap();
    // SAFETY: a string, and no error is wanted.
    let tfa = unsafe { tfa_open(config.as_ptr(), std::ptr::null_mut()) };
    assert!(!tfa.is_null());
    tfa
}

/// The response to a reseller's request, which the caller frees.
fn request(tfa: *mut Tfa, path: &str, body: &CStr) -> *mut std::ffi::c_char {
    let path = CString::new(path).unwrap();
    // SAFETY: an open handle, and strings that outlive the call.
    unsafe { tfa_http(tfa, c"reseller".as_ptr(), c"POST".as_ptr(), path.as_ptr(), body.as_ptr()) }
}

/// Limits the address space to what the process has, and [`ROOM`].
fn limit_address_space() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.strip_suffix(" kB")).unwrap();
    let bytes = (size.trim().parse::<u64>().unwrap() << 10) + ROOM;
    setrlimit(Resource::RLIMIT_AS, bytes, bytes).unwrap();
}

/// Serves one case.
fn serve(case: &Case) {
    let folder = tempfile::tempdir().unwrap();
    let tfa = open(folder.path());
    let body = CString::new((case.body)()).unwrap();
    let warm_up = request(tfa, case.path, &CString::new(batch(1, LIST)).unwrap());
    // SAFETY: a string that the library returned, and is not used again.
    unsafe { tfa_free(warm_up) };
    limit_address_space();
    let answer = request(tfa, case.path, &body);
    // SAFETY: a string that the library returned.
    let bytes = unsafe { CStr::from_ptr(answer) }.to_bytes();
    let response: Response = serde_json::from_slice(bytes).unwrap();
    let longest = if case.path.starts_with("/xml-api/") { LONGEST_XML } else { LONGEST };
    assert!(response.body.len() <= longest, "{}: {} bytes", case.name, response.body.len());
    assert!(response.body.contains(case.answer), "{}: {:.400}", case.name, response.body);
    println!("{SERVED} {}", case.name);
    // SAFETY: neither is used again.
    unsafe {
        tfa_free(answer);
        tfa_close(tfa);
    }
}

/// Uses more than [`ROOM`].
fn exceed() {
    limit_address_space();
    let bytes = std::hint::black_box(vec![1u8; usize::try_from(ROOM).unwrap() + (1 << 20)]);
    assert!(!bytes.is_empty());
}

/// Runs this program with an argument. A backtrace would need memory that is not there, and wait for it for ever.
fn run(argument: &str) -> (bool, String) {
    let output = Command::new("timeout")
        .arg("120")
        .arg(std::env::current_exe().unwrap())
        .args(["serve", argument])
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", "exceed"] => return exceed(),
        ["serve", number] => return serve(&CASES[number.parse::<usize>().unwrap()]),
        _ => {}
    }
    let (is_ended, text) = run("exceed");
    assert!(!is_ended, "a process exceeds its address space: {text}");
    for (number, case) in CASES.iter().enumerate() {
        let (is_served, text) = run(&number.to_string());
        assert!(is_served && text.contains(SERVED), "{}: {text}", case.name);
        println!("test {} ... ok", case.name);
    }
}
