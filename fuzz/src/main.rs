//! The coverage-guided targets, in one program: `TFA_FUZZ_TARGET` names the one that runs (see [`TARGETS`]).
//!
//! Promise put to the test: whatever comes in at any door, there is an answer, never a panic, and every answer of a
//! JSON door is JSON. Built and run by `fuzz/run`.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tfa::api::args::Args;
use tfa::engine::Tfa;
use tfa::engine::config::Config;
use tfa::http::respond;
use tfa::otp::secret::Secret;
use tfa::otp::uri::OtpauthUri;

/// The targets: `fuzz/seeds` has a folder of seeds for each.
const TARGETS: [(&str, fn(&str)); 7] = [
    ("args", args),
    ("target", target),
    ("form", form),
    ("json", json),
    ("otpauth", otpauth),
    ("base32", base32),
    ("config", config),
];

fuzz_target!(|bytes: &[u8]| {
    static TARGET: OnceLock<fn(&str)> = OnceLock::new();
    let run = TARGET.get_or_init(|| {
        let wanted = std::env::var("TFA_FUZZ_TARGET").expect("TFA_FUZZ_TARGET names a target");
        TARGETS.iter().find(|(name, _)| *name == wanted).expect("there is such a target").1
    });
    if let Ok(text) = std::str::from_utf8(bytes) {
        run(text);
    }
});

/// A server with a reseller, its account and one of root's, in memory where that can be had.
fn house() -> &'static Tfa {
    static HOUSE: OnceLock<(Tfa, tempfile::TempDir)> = OnceLock::new();
    let (tfa, _) = HOUSE.get_or_init(|| {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let config = serde_json::json!({
            "store": format!("sqlite:{}", folder.path().join("tfa.db").display()),
            "hostname": "server.example.com",
            "accounts": {"inline": {"reseller": {"reseller": 1}, "example": {"owner": "reseller"}, "other": {}}},
        });
        (Tfa::open(Config::parse(Some(&config.to_string())).unwrap()).unwrap(), folder)
    });
    tfa
}

/// The arguments of a C call, to a function named in their first line.
fn args(text: &str) {
    let (function, text) = text.split_once('\n').unwrap_or(("twofactorauth_get_user_configs", text));
    if let Ok(args) = Args::parse(Some(text)) {
        for caller in ["root", "reseller"] {
            let answer = tfa::api::answer::Answer::from(tfa::api::whmapi1(house(), caller, function, &args));
            serde_json::to_string(&answer).expect("an answer is JSON");
        }
        serde_json::to_string(&tfa::api::uapi(house(), "example", "TwoFactorAuth", function, &args)).unwrap();
    }
}

/// Answers a request; what says that it is JSON must be.
fn request(method: &str, target: &str, body: &str) {
    let response = respond(house(), "root", method, target, Some(body));
    assert!([200, 400, 404, 500].contains(&response.status));
    if response.content_type == "application/json" {
        serde_json::from_str::<serde_json::Value>(&response.body).expect("the body is JSON");
    }
}

fn target(text: &str) {
    request("GET", text, "");
}

fn form(text: &str) {
    request("POST", "/json-api/batch?api.version=1", text);
    request("POST", "/xml-api/twofactorauth_get_user_configs?api.version=1", text);
}

fn json(text: &str) {
    request("POST", "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1", text);
    request("POST", "/execute/TwoFactorAuth/get_user_configuration", text);
}

/// What is read is written, and read back with the same secret and parameters. The format cannot tell every name apart:
/// spaces before an account are not part of it, and a colon without an issuer before it makes one.
fn otpauth(text: &str) {
    if let Ok(uri) = OtpauthUri::parse(text) {
        let again = OtpauthUri::parse(&uri.write()).expect("what was written is read");
        assert_eq!(again.secret.bytes(), uri.secret.bytes());
        assert_eq!((again.moving, again.parameters), (uri.moving, uri.parameters));
    }
}

fn base32(text: &str) {
    if let Ok(secret) = Secret::from_base32(text) {
        let again = Secret::from_base32(&secret.to_base32()).expect("what was written is read");
        assert_eq!(again.bytes(), secret.bytes());
    }
}

fn config(text: &str) {
    if let Ok(config) = Config::parse(Some(text)) {
        let _ = tfa::accounts::Directory::from_config(config.accounts.as_ref());
    }
}
