//! The coverage-guided targets, in one program: `TFA_FUZZ_TARGET` names the one that runs (see [`TARGETS`]).
//!
//! Promise: any input gets an answer, never a panic (libFuzzer stops at one, caught or not). Each module says what else its
//! targets assert. Built and run by `fuzz/run`.
#![no_main]

mod api;
mod calls;
mod config;
mod directory;

mod http;
mod otp;
mod records;
mod server;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// Runs a target on one input.
type Run = fn(&[u8]);

/// The targets: `fuzz/seeds` has a folder of seeds for each.
const TARGETS: [(&str, Run); 10] = [
    ("args", |bytes| text(bytes, api::args)),
    ("target", |bytes| text(bytes, http::target)),
    ("form", |bytes| text(bytes, http::form)),
    ("json", |bytes| text(bytes, http::json)),
    ("otpauth", |bytes| text(bytes, otp::otpauth)),
    ("base32", |bytes| text(bytes, otp::base32)),
    ("config", |bytes| text(bytes, config::config)),
    ("directory", directory::directory),
    ("records", records::records),
    ("calls", calls::calls),
];

fuzz_target!(|bytes: &[u8]| {
    static TARGET: OnceLock<Run> = OnceLock::new();
    let run = TARGET.get_or_init(|| {
        let wanted = std::env::var("TFA_FUZZ_TARGET").expect("TFA_FUZZ_TARGET names a target");
        TARGETS.iter().find(|(name, _)| *name == wanted).expect("a target has that name").1
    });
    run(bytes);
});

/// Runs a target that takes text. Other bytes are refused by the C ABI, which the target `calls` covers.
fn text(bytes: &[u8], run: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        run(text);
    }
}
