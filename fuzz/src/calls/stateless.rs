//! The functions that need no handle.
//!
//! Promises: each returns a number in its documented range or JSON, and writes nothing on failure.

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use tfa::ffi::codes::{
    tfa_build_otpauth, tfa_code, tfa_decode_base32, tfa_draw_qr, tfa_generate_hotp, tfa_generate_secret,
    tfa_generate_totp, tfa_parse_otpauth, tfa_verify_code, tfa_verify_totp, tfa_verify_totp_base32,
};
use tfa::ffi::handle::{tfa_abi_version, tfa_functions, tfa_version};

use super::script::Script;

/// Marks memory that was not written to.
const UNTOUCHED: u64 = 0x5555_5555_5555_5555;

/// Calls one of them. Returns its answer, if that is a string to be freed.
pub fn call(script: &mut Script<'_>) -> Option<*mut c_char> {
    match script.below(6) {
        0 => compute(script),
        1 => verify(script),
        2 => check(script),
        3 => base32(script),
        4 => {
            assert!(tfa_abi_version() > 0 && !tfa_version().is_null());
            return Some(checked(tfa_functions()));
        }
        _ => return Some(plain(script)),
    }
    None
}

/// A secret: NULL or bytes, with a length.
fn secret(bytes: &[u8]) -> (*const u8, usize) {
    if bytes.first() == Some(&0) { (null(), bytes.len()) } else { (bytes.as_ptr(), bytes.len()) }
}

/// One of the algorithms, or none.
fn algorithm(script: &mut Script<'_>) -> u32 {
    [1, 256, 512, 0][script.below(4)]
}

fn compute(script: &mut Script<'_>) {
    let (secret, length) = secret(script.bytes());
    let (algorithm, digits, period) = (algorithm(script), u32::from(script.byte()), u32::from(script.byte()));
    let time = script.number();
    // SAFETY: NULL or bytes of that length.
    let (hotp, totp) = unsafe {
        let hotp = tfa_generate_hotp(secret, length, algorithm, digits, time);
        (hotp, tfa_generate_totp(secret, length, algorithm, digits, period, time))
    };
    for code in [hotp, totp] {
        assert!(code == -1 || (0..10i64.pow(digits)).contains(&code));
    }
    let is_valid = !secret.is_null() && length > 0 && algorithm != 0 && (1..=10).contains(&digits);
    assert_eq!((hotp >= 0, totp >= 0), (is_valid, is_valid && period > 0));
}

fn verify(script: &mut Script<'_>) {
    let (secret, length) = secret(script.bytes());
    let (algorithm, digits, period) = (algorithm(script), u32::from(script.byte()), u32::from(script.byte()));
    let (skew, time) = (u32::from(script.byte()), script.number());
    let code = script.text(&[c"755224", c"94287082"]);
    let mut step = UNTOUCHED;
    // SAFETY: NULL or bytes of that length, a string, and a place for the step or none.
    let (verdict, again) = unsafe {
        let verdict = tfa_verify_totp(secret, length, algorithm, digits, period, skew, time, code.as_ptr(), &mut step);
        let again = tfa_verify_totp(secret, length, algorithm, digits, period, skew, time, code.as_ptr(), null_mut());
        (verdict, again)
    };
    assert!((-1..=1).contains(&verdict) && verdict == again);
    let now = time.checked_div(period.into()).unwrap_or_default();
    if verdict == 1 {
        assert!(step.abs_diff(now) <= skew.into());
    } else {
        assert_eq!(step, UNTOUCHED, "written only when the code is valid");
    }
}

fn check(script: &mut Script<'_>) {
    let secret = script.text(&[c"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", c"1"]);
    let code = script.text(&[c"755224", c""]);
    // SAFETY: strings.
    let verdict = unsafe { tfa_verify_totp_base32(secret.as_ptr(), code.as_ptr(), script.number()) };
    assert!((-1..=1).contains(&verdict));
    assert!(secret.is_some() || verdict == -1);
    assert!(code.is_some() || verdict != 1);
}

fn base32(script: &mut Script<'_>) {
    let text = script.text(&[c"MZXW6YTB", c"mzxw-6ytb", c"MZXW6==="]);
    let size = script.below(16);
    let mut bytes = [0x55; 16];
    // SAFETY: a string, and room for 16 bytes or none.
    let (length, needed) = unsafe {
        let length = tfa_decode_base32(text.as_ptr(), bytes.as_mut_ptr(), size);
        (length, tfa_decode_base32(text.as_ptr(), null_mut(), 0))
    };
    assert!(length == needed || length == -1 && usize::try_from(needed).is_ok_and(|needed| needed > size));
    let written = usize::try_from(length).unwrap_or_default();
    assert!(
        written <= size && bytes[written..].iter().all(|byte| *byte == 0x55),
        "nothing is written beyond the result"
    );
}

/// Calls a function that takes and returns JSON.
fn plain(script: &mut Script<'_>) -> *mut c_char {
    let function = [tfa_generate_secret, tfa_build_otpauth, tfa_parse_otpauth, tfa_draw_qr, tfa_code, tfa_verify_code]
        [script.below(6)];
    let args = script.text(&[
        c"{\"length\": 32}",
        c"{\"secret\": \"GEZDGNBVGY3TQOJQ\", \"account\": \"root\", \"issuer\": \"Example\", \"digits\": 8}",
        c"{\"otpauth_str\": \"otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ&counter=1\"}",
        c"{\"text\": \"otpauth\", \"format\": \"png\"}",
        c"{\"secret_hex\": \"3132\", \"type\": \"steam\", \"time\": 59, \"digits\": 5}",
        c"{\"secret\": \"GEZDGNBVGY3TQOJQ\", \"code\": \"287082\", \"time\": 59, \"skew\": 1000}",
    ]);
    // SAFETY: a string.
    checked(unsafe { function(args.as_ptr()) })
}

/// Checks that the answer is JSON, and returns it.
fn checked(answer: *mut c_char) -> *mut c_char {
    super::read(answer);
    answer
}
