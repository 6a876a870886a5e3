//! Contract, registry, header and library agree, name by name.
//!
//! The contract's lists are written out here, by hand: a name that is added, dropped or misspelt anywhere shows as a
//! difference. The header is also compared, to the letter, with what the sources make of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use regex_lite::Regex;
use serde_json::Value;
use tfa::api::caller::Callers;
use tfa::api::registry::{Api, FUNCTIONS};

use Callers::{Everybody, Root, RootAndResellers};

/// Contract sections 2 and 4: the WHM functions that have a C symbol, who calls them, and their parameters.
const WHM: [(&str, Callers, &[&str]); 18] = [
    ("twofactorauth_enable_policy", Root, &[]),
    ("twofactorauth_disable_policy", Root, &[]),
    ("twofactorauth_policy_status", RootAndResellers, &[]),
    ("twofactorauth_generate_tfa_config", RootAndResellers, &[]),
    ("twofactorauth_set_tfa_config", RootAndResellers, &["secret", "tfa_token", "current_token"]),
    ("twofactorauth_get_issuer", RootAndResellers, &[]),
    ("twofactorauth_set_issuer", RootAndResellers, &["issuer"]),
    ("twofactorauth_get_user_configs", RootAndResellers, &["user"]),
    ("twofactorauth_remove_user_config", RootAndResellers, &["user", "user-0", "current_token"]),
    ("twofactorauth_get_tfa_config_for_user", Root, &["user"]),
    ("twofactorauth_set_tfa_config_for_user", Root, &["*"]),
    ("twofactorauth_login_status", Root, &["user", "kind"]),
    ("twofactorauth_verify_login", Root, &["user", "kind", "tfa_token", "remote_addr"]),
    ("twofactorauth_unlock_user", RootAndResellers, &["user", "kind"]),
    ("twofactorauth_generate_recovery_codes", RootAndResellers, &["current_token"]),
    ("twofactorauth_resolve_user", Root, &["user", "kind"]),
    ("twofactorauth_rename_user", Root, &["user", "new_name"]),
    ("twofactorauth_remove_account", Root, &["user"]),
];

/// Contract section 7: the WHM functions about other calls, which have none.
const ABOUT_CALLS: [&str; 4] = ["applist", "batch", "uapi_cpanel", "cpanel"];

/// Contract sections 3 and 4: UAPI, module TwoFactorAuth.
const UAPI: [(&str, &[&str]); 6] = [
    ("generate_user_configuration", &[]),
    ("get_user_configuration", &[]),
    ("set_user_configuration", &["secret", "tfa_token", "current_token"]),
    ("remove_user_configuration", &["current_token"]),
    ("get_team_user_configuration", &["team_user"]),
    ("generate_recovery_codes", &["current_token"]),
];

/// Contract section 6: the C functions that are none of the panel's.
const C: [&str; 11] = [
    "tfa_version",
    "tfa_abi_version",
    "tfa_open",
    "tfa_close",
    "tfa_free",
    "tfa_whmapi1",
    "tfa_uapi",
    "tfa_http",
    "tfa_login",
    "tfa_login_from",
    "tfa_functions",
];

/// The host's directory (contract section 1), and codes without a handle.
const C_BESIDES: [&str; 14] = [
    "tfa_set_audit",
    "tfa_set_lookup",
    "tfa_reply",
    "tfa_verify_totp_base32",
    "tfa_generate_hotp",
    "tfa_generate_totp",
    "tfa_verify_totp",
    "tfa_decode_base32",
    "tfa_code",
    "tfa_verify_code",
    "tfa_generate_secret",
    "tfa_build_otpauth",
    "tfa_parse_otpauth",
    "tfa_draw_qr",
];

/// The symbols of the panel's functions, by the contract's naming.
fn panel_symbols() -> BTreeSet<String> {
    let whm = WHM.iter().map(|(name, ..)| format!("tfa_{name}"));
    whm.chain(UAPI.iter().map(|(name, _)| format!("tfa_uapi_{name}"))).collect()
}

/// Every name that a C program may use.
fn all_symbols() -> BTreeSet<String> {
    let besides = C.iter().chain(&C_BESIDES).map(|name| (*name).to_owned());
    panel_symbols().into_iter().chain(besides).collect()
}

const HEADER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/tfa.h");

fn header() -> String {
    fs::read_to_string(HEADER).unwrap()
}

/// The shared library that cargo built together with this test.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let library = test.parent().unwrap().join("libtfa.so");
    assert!(library.exists(), "there is no {}: run the tests through cargo, which builds it", library.display());
    library
}

#[test]
fn the_registry_is_the_contracts() {
    let listed: Vec<_> = FUNCTIONS
        .iter()
        .map(|function| {
            let parameters: Vec<_> = function.parameters.iter().map(|parameter| parameter.name).collect();
            (function.api, function.name, function.callers, parameters)
        })
        .filter(|(_, name, ..)| !ABOUT_CALLS.contains(name))
        .collect();
    let whm = WHM.iter().map(|(name, callers, parameters)| (Api::Whm, *name, *callers, parameters.to_vec()));
    let uapi = UAPI.iter().map(|(name, parameters)| (Api::Uapi, *name, Everybody, parameters.to_vec()));
    assert_eq!(listed, whm.chain(uapi).collect::<Vec<_>>());

    let about_calls: Vec<_> =
        FUNCTIONS.iter().filter(|function| function.symbol().is_none()).map(|function| function.name).collect();
    assert_eq!(about_calls, ABOUT_CALLS);
    assert_eq!(FUNCTIONS.iter().filter_map(|function| function.symbol()).collect::<BTreeSet<_>>(), panel_symbols());
}

#[test]
fn the_header_declares_what_the_contract_names() {
    let comments = Regex::new(r"(?s)/\*.*?\*/|//[^\n]*").unwrap();
    let text = header();
    let code = comments.replace_all(&text, "");
    let function = Regex::new(r"\b(tfa_[a-z0-9_]+)\s*\(").unwrap();
    let declared: Vec<_> = function.captures_iter(&code).map(|found| found[1].to_owned()).collect();
    assert_eq!(declared.iter().cloned().collect::<BTreeSet<_>>(), all_symbols());
    assert_eq!(declared.len(), all_symbols().len(), "each is declared once");
}

#[test]
fn the_library_exports_what_the_contract_names_and_nothing_else() {
    let nm = Command::new("nm").args(["--dynamic", "--defined-only"]).arg(library()).output();
    let nm = nm.expect("nm runs: install binutils");
    assert!(nm.status.success(), "{}", String::from_utf8_lossy(&nm.stderr));
    let listing = String::from_utf8(nm.stdout).unwrap();
    let exported: BTreeSet<_> = listing.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(exported, all_symbols());
}

#[test]
fn the_header_is_the_one_that_the_sources_make() {
    let made = fs::read_to_string(env!("TFA_GENERATED_HEADER")).unwrap();
    if env::var_os("TFA_GENERATE").is_some() {
        fs::write(HEADER, &made).unwrap();
    }
    assert!(made == header(), "include/tfa.h is stale: run make generate");
}

/// A function of the library that is loaded as a C program loads it.
struct Loaded(*mut c_void);

impl Loaded {
    fn open() -> Loaded {
        let path = CString::new(library().to_str().unwrap()).unwrap();
        // SAFETY: the path is a string, and loading the library runs nothing of the caller's.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "the library loads");
        Loaded(handle)
    }

    fn symbol(&self, name: &str) -> *mut c_void {
        let symbol = CString::new(name).unwrap();
        // SAFETY: the handle is open and the name is a string.
        let address = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
        assert!(!address.is_null(), "{name}");
        address
    }

    /// Reads an answer of the library and gives it back.
    fn taken(&self, answer: *mut c_char) -> Value {
        assert!(!answer.is_null());
        // SAFETY: the library answers strings, which stay until they are freed; tfa_free has this type.
        unsafe {
            let value = serde_json::from_slice(CStr::from_ptr(answer).to_bytes()).unwrap();
            let free: unsafe extern "C" fn(*mut c_char) = std::mem::transmute(self.symbol("tfa_free"));
            free(answer);
            value
        }
    }
}

#[test]
fn every_function_is_called_by_its_symbol() {
    let loaded = Loaded::open();
    // SAFETY: tfa_functions has this type.
    let functions: unsafe extern "C" fn() -> *mut c_char =
        unsafe { std::mem::transmute(loaded.symbol("tfa_functions")) };
    // SAFETY: it takes nothing.
    let list = loaded.taken(unsafe { functions() });
    let mut called = BTreeSet::new();
    for function in list.as_array().unwrap() {
        let Some(symbol) = function["symbol"].as_str() else {
            continue;
        };
        type Panel = unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char) -> *mut c_char;
        // SAFETY: all of the panel's functions have this type.
        let call: Panel = unsafe { std::mem::transmute(loaded.symbol(symbol)) };
        // SAFETY: NULL is fine everywhere.
        let answer = loaded.taken(unsafe { call(std::ptr::null_mut(), std::ptr::null(), std::ptr::null()) });
        // Each answers in its own API's words, and WHM with its own name.
        match function["api"].as_str() {
            Some("whm") => assert_eq!(answer["metadata"]["command"], function["name"]),
            _ => assert_eq!(answer["status"], 0),
        }
        called.insert(symbol.to_owned());
    }
    assert_eq!(called, panel_symbols());
}
