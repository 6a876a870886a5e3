//! No error contains the secret or the code of the request.
//!
//! Every function is called through the C ABI with invalid arguments that contain a secret and codes: in the right place, in
//! the wrong one, with the wrong type, in text that is not JSON. Names are excepted: an error repeats the name of a user or a
//! function.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::engine::Tfa;
use tfa::ffi::codes::{
    tfa_build_otpauth, tfa_code, tfa_draw_qr, tfa_generate_secret, tfa_parse_otpauth, tfa_verify_code,
};
use tfa::ffi::handle::{tfa_close, tfa_free, tfa_functions, tfa_open};
use tfa::ffi::http::tfa_http;
use tfa::ffi::uapi::tfa_uapi;
use tfa::ffi::whm::tfa_whmapi1;

/// A secret that no subject is enrolled with.
const SECRET: &str = "CAOXW75HKYJJ6E5YCAOXW75HKYJJ6E5Y";
/// The same with spaces and dashes.
const SPACED: &str = "caox w75h-kyjj 6e5y-caox w75h-kyjj 6e5y";
/// The same with a character that is not Base32.
const BROKEN: &str = "CAOXW75HKYJJ6E5YCAOXW75HKYJJ6E51";
/// A code that is invalid for every subject, except with a chance of 1 in 300,000.
const CODE: &str = "918273";
/// A recovery code that was never generated.
const RECOVERY_CODE: &str = "caox-w75h-kyjj-6e5y";

fn text(string: &str) -> CString {
    CString::new(string).unwrap()
}

fn taken(answer: *mut c_char) -> String {
    assert!(!answer.is_null());
    // SAFETY: every caller passes a string that the library has just returned.
    unsafe {
        let copy = CStr::from_ptr(answer).to_str().unwrap().to_owned();
        tfa_free(answer);
        copy
    }
}

/// Whether an answer contains the code, or 8 characters of the secret.
fn leaks(answer: &str) -> bool {
    let flat: String = answer.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let windows = |given: &str, length: usize| {
        let given: Vec<_> = given.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        given.windows(length).any(|part| flat.contains(&part.iter().collect::<String>()))
    };
    windows(SECRET, 8) || windows(CODE, 6)
}

/// A server with the policy enabled, on which only `enrolled` is enrolled.
struct Server {
    tfa: *mut Tfa,
    _folder: TempDir,
}

impl Server {
    fn new() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let config =
            json!({"create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display())}).to_string();
        // SAFETY: the configuration is a string, and no error is wanted.
        let tfa = unsafe { tfa_open(text(&config).as_ptr(), ptr::null_mut()) };
        assert!(!tfa.is_null());
        let server = Server { tfa, _folder: folder };
        server.whm("twofactorauth_enable_policy", "{}");
        let enrolled = json!({"enrolled": {"primary_account": {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}});
        assert!(server.whm("twofactorauth_set_tfa_config_for_user", &enrolled.to_string()).contains(r#""result":1"#));
        server
    }

    fn whm(&self, function: &str, args: &str) -> String {
        // SAFETY: the handle is open and the strings live through the call.
        taken(unsafe { tfa_whmapi1(self.tfa, c"root".as_ptr(), text(function).as_ptr(), text(args).as_ptr()) })
    }

    fn uapi(&self, function: &str, args: &str) -> String {
        let (function, args) = (text(function), text(args));
        // SAFETY: the handle is open and the strings live through the call.
        taken(unsafe {
            tfa_uapi(self.tfa, c"enrolled".as_ptr(), c"TwoFactorAuth".as_ptr(), function.as_ptr(), args.as_ptr())
        })
    }

    fn http(&self, target: &str, body: &str) -> String {
        let (target, body) = (text(target), text(body));
        // SAFETY: the handle is open and the strings live through the call.
        taken(unsafe { tfa_http(self.tfa, c"root".as_ptr(), c"POST".as_ptr(), target.as_ptr(), body.as_ptr()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: it is open, and not used again.
        unsafe { tfa_close(self.tfa) };
    }
}

/// Arguments that contain the secret and a code, and are invalid for most functions.
fn wrong_arguments() -> Vec<String> {
    let mut arguments = Vec::new();
    let long_secret = SECRET.repeat(40);
    for secret in
        [json!(SECRET), json!(SPACED), json!(BROKEN), json!(long_secret), json!([SECRET]), json!({ "a": SECRET })]
    {
        for token in
            [json!(CODE), json!(918_273), json!(RECOVERY_CODE), json!([CODE]), json!(CODE.repeat(60)), json!(-918_273)]
        {
            arguments.push(json!({"secret": secret, "tfa_token": token}).to_string());
            for user in ["enrolled", "nobody", "a b", ""] {
                arguments.push(json!({"user": user, "secret": secret, "tfa_token": token}).to_string());
            }
        }
        for section in ["primary_account", "email", "team", "other"] {
            arguments.push(json!({"enrolled": {section: secret}}).to_string());
            arguments.push(json!({"enrolled": {section: {"secret": secret}}}).to_string());
            arguments.push(
                json!({"enrolled": {section: {"user@example.com": {"secret": secret, "token": CODE}}}}).to_string(),
            );
            arguments.push(json!({"enrolled": {section: {"user@example.com": secret}}}).to_string());
        }
        arguments.push(json!({ "enrolled": secret }).to_string());
        arguments.push(json!({"otpauth_str": secret}).to_string());
        arguments.push(json!({"account": "example", "secret": secret, "digits": CODE}).to_string());
        arguments.push(json!({"account": "example", "secret": secret, "digits": 918_273}).to_string());
    }
    for uri in
        ["otpauth://totp/a?secret=", "otpauth://totp/%ff?secret=", "otpauth://hotp/a?counter=x&secret=", "http://"]
    {
        arguments.push(json!({ "otpauth_str": format!("{uri}{BROKEN}&digits={CODE}") }).to_string());
    }
    arguments.push(json!({ "text": SECRET.repeat(200) }).to_string());
    arguments.push(json!({"text": SECRET, "format": RECOVERY_CODE}).to_string());
    for broken in [
        "{SECRET",
        "{\"secret\": SECRET}",
        "{\"secret\": \"SECRET\",}",
        "[\"SECRET\"]",
        "\"SECRET\"",
        "SECRET",
        "{\"secret\": \"SECRET\\q\"}",
    ] {
        arguments.push(broken.replace("SECRET", SECRET));
        arguments.push(broken.replace("SECRET", CODE));
    }
    arguments
}

fn failed(answer: &str) -> bool {
    [r#""result":0"#, r#""status":0"#, r#""status":4"#, r#""error""#].iter().any(|mark| answer.contains(mark))
}

#[test]
fn errors_of_functions_contain_no_secret() {
    let server = Server::new();
    let list: Value = serde_json::from_str(&taken(tfa_functions())).unwrap();
    let (mut refused, mut verdicts) = (0, 0);
    for function in list.as_array().unwrap() {
        let name = function["name"].as_str().unwrap();
        for args in wrong_arguments() {
            let answer = match function["api"].as_str() {
                Some("whm") => server.whm(name, &args),
                _ => server.uapi(name, &args),
            };
            if failed(&answer) {
                refused += 1;
                assert!(!leaks(&answer), "{name} of {args}: {answer}");
            }
            // An invalid code is a verdict with a reason, not a failure.
            if name == "twofactorauth_verify_login" && answer.contains(r#""verified":0"#) {
                verdicts += 1;
                assert!(!leaks(&answer), "{name} of {args}: {answer}");
            }
        }
    }
    assert!(refused > 1000 && verdicts > 10, "{refused} refusals, {verdicts} verdicts");
}

#[test]
fn errors_over_http_contain_no_secret() {
    let server = Server::new();
    let mut refused = 0;
    let functions =
        ["twofactorauth_set_tfa_config", "twofactorauth_verify_login", "twofactorauth_set_tfa_config_for_user"];
    for function in functions {
        // A body that does not begin with a brace is a form, in which a text without "=" is a name.
        for args in wrong_arguments().iter().filter(|args| args.starts_with('{')) {
            for api in ["json-api", "xml-api"] {
                let answer = server.http(&format!("/{api}/{function}?api.version=1"), args);
                if failed(&answer.replace("\\\"", "\"")) || answer.contains("<result>0</result>") {
                    refused += 1;
                    assert!(!leaks(&answer), "{function} of {args}: {answer}");
                }
            }
        }
        for query in [format!("secret={BROKEN}&tfa_token={CODE}"), format!("secret={SECRET}&tfa_token={CODE}%ff")] {
            let answer = server.http(&format!("/json-api/{function}?api.version=1&{query}"), "");
            assert!(!leaks(&answer), "{function} of {query}: {answer}");
        }
        let answer = server.http(&format!("/elsewhere/{SECRET}?tfa_token={CODE}"), "");
        assert!(!leaks(&answer), "{answer}");
    }
    assert!(refused > 500, "{refused} refusals");
}

#[test]
fn errors_of_stateless_functions_contain_no_secret() {
    type Plain = unsafe extern "C" fn(*const c_char) -> *mut c_char;
    let functions: [(&str, Plain); 6] = [
        ("tfa_code", tfa_code),
        ("tfa_verify_code", tfa_verify_code),
        ("tfa_generate_secret", tfa_generate_secret),
        ("tfa_build_otpauth", tfa_build_otpauth),
        ("tfa_parse_otpauth", tfa_parse_otpauth),
        ("tfa_draw_qr", tfa_draw_qr),
    ];
    let mut refused = 0;
    for (name, function) in functions {
        for args in wrong_arguments() {
            // SAFETY: the arguments are a string.
            let answer = taken(unsafe { function(text(&args).as_ptr()) });
            if failed(&answer) {
                refused += 1;
                assert!(!leaks(&answer), "{name} of {args}: {answer}");
            }
        }
    }
    assert!(refused > 300, "{refused} refusals");
}
