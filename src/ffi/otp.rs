//! One-time passwords without a handle: no store, no clock but the one that is passed in.
//!
//! secret and length: the raw bytes of the shared secret, at most 65536. algorithm: TFA_SHA1, TFA_SHA256 or TFA_SHA512. digits: 1 to
//! 10 (10 are the whole truncated value of RFC 4226). period: seconds of a step, at least 1. time: Unix seconds.

use std::ffi::{CStr, c_char};

use data_encoding::BASE64;
use serde_json::json;

use super::guard::{guarded_secret, optional_text, plain};
use super::wipe::Stack;
use crate::accounts::MAX_NAME;
use crate::api::args::Args;
use crate::engine::issuer;
use crate::otp::code::{self, Algorithm, Parameters};
use crate::otp::qr;
use crate::otp::secret::{Secret, decode_base32};
use crate::otp::uri::{Moving, OtpauthUri};

/// HMAC-SHA-1, which every authenticator computes.
pub const TFA_SHA1: u32 = 1;
/// HMAC-SHA-256.
pub const TFA_SHA256: u32 = 256;
/// HMAC-SHA-512.
pub const TFA_SHA512: u32 = 512;

/// The most steps either side that tfa_verify_totp looks at: a stateless caller's own judgement, within reason.
const MAX_SKEW: u32 = 1000;
/// The longest code that is looked at, in bytes.
const MAX_CODE: usize = 256;
/// The longest secret that is looked at, in bytes.
const MAX_SECRET: usize = 1 << 16;
/// The longest Base32 text that is decoded, in bytes.
const MAX_BASE32: usize = 1 << 16;

/// The code of RFC 4226 for a counter, as a number to be shown with `digits` digits; -1 when an argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_hotp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    counter: u64,
) -> i64 {
    guarded_secret(stack(algorithm), -1, || {
        // SAFETY: the caller promises the bytes.
        let secret = unsafe { bytes(secret, length) };
        let (Some(secret), Some(parameters)) = (secret, parameters(algorithm, digits, 1)) else {
            return -1;
        };
        parameters.code(secret, counter).try_into().unwrap_or(-1)
    })
}

/// The code of RFC 6238 at a time, as a number to be shown with `digits` digits; -1 when an argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_totp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    period: u32,
    time: u64,
) -> i64 {
    match time.checked_div(u64::from(period)) {
        // SAFETY: the same promise.
        Some(step) => unsafe { tfa_generate_hotp(secret, length, algorithm, digits, step) },
        None => -1,
    }
}

/// Whether a code is right within `skew` steps (0 to 1000) either side of a time. It remembers nothing: a caller that
/// lets somebody in must store *step and refuse that step and all before it from then on, which tfa_login does.
///
/// code: exactly `digits` decimal digits; white space is forgiven.
/// step: NULL, or where the newest step that matches is put; untouched unless the code is right.
/// Returns 1 when it is right, 0 when it is wrong or NULL, -1 when another argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes; code is NULL or a NUL-terminated string; step is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_verify_totp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    period: u32,
    skew: u32,
    time: u64,
    code: *const c_char,
    step: *mut u64,
) -> i32 {
    guarded_secret(stack(algorithm), -1, || {
        // SAFETY: the caller promises bytes and string.
        let (secret, code) = unsafe { (bytes(secret, length), read_code(code, digits)) };
        let (Some(secret), Some(parameters)) = (secret, parameters(algorithm, digits, period)) else {
            return -1;
        };
        // Anybody can compute the codes of an empty secret.
        if skew > MAX_SKEW || secret.is_empty() {
            return -1;
        }
        let window = code::window(parameters.step(time), skew);
        let Some(matched) = code.and_then(|code| parameters.newest_match(secret, window, code)) else {
            return 0;
        };
        if !step.is_null() {
            // SAFETY: it is not NULL, and the caller promises that it is writable.
            unsafe { step.write(matched) };
        }
        1
    })
}

/// Whether a code is right for a secret in Base32, with what every authenticator assumes: SHA-1, 6 digits, 30 seconds,
/// here one step either side of a time. tfa_decode_base32 and tfa_verify_totp in one call, for doors where each costs.
///
/// secret: Base32, as forgiving as tfa_decode_base32. code: as for tfa_verify_totp, which also says what must be remembered.
/// Returns 1 when it is right, 0 when it is wrong or NULL, -1 when the secret is empty, NULL or no Base32.
///
/// # Safety
/// secret and code are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_verify_totp_base32(secret: *const c_char, code: *const c_char, time: u64) -> i32 {
    guarded_secret(Stack::Sha1, -1, || {
        let usual = Parameters::default();
        // SAFETY: the caller promises the strings.
        let (secret, code) = unsafe { (optional_text("secret", secret), read_code(code, usual.digits)) };
        let secret = secret.ok().flatten().filter(|text| text.len() <= MAX_BASE32);
        let secret = secret.and_then(|text| decode_base32(text).ok()).filter(|bytes| !bytes.is_empty());
        let Some(secret) = secret else {
            return -1;
        };
        let window = code::window(usual.step(time), 1);
        let matched = code.and_then(|code| usual.newest_match(&secret, window, code));
        i32::from(matched.is_some())
    })
}

/// Decodes Base32 of any length up to 65536 characters; case, white space, dashes and trailing padding are forgiven.
///
/// bytes and size: where the bytes are put, and how many there is room for; untouched on failure. NULL and 0 to ask
/// for the length alone.
/// Returns the number of bytes, or -1 when the text is no Base32 or there is no room.
///
/// # Safety
/// text is NULL or a NUL-terminated string; bytes is NULL or has room for size bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_decode_base32(text: *const c_char, bytes: *mut u8, size: usize) -> i64 {
    guarded_secret(Stack::Sha1, -1, || {
        // SAFETY: the caller promises the string.
        let text = unsafe { optional_text("text", text) }.ok().flatten();
        let decoded = text.filter(|text| text.len() <= MAX_BASE32).and_then(|text| decode_base32(text).ok());
        let Some(decoded) = decoded else {
            return -1;
        };
        if !bytes.is_null() {
            if decoded.len() > size {
                return -1;
            }
            // SAFETY: the caller promises room for size bytes, which is enough.
            unsafe { bytes.copy_from_nonoverlapping(decoded.as_ptr(), decoded.len()) };
        }
        decoded.len().try_into().unwrap_or(-1)
    })
}

/// Makes a new secret: args {"length": 32} (Base32 characters, 16 to 128, a multiple of 8) or NULL for 32.
/// Answers {"secret": "..."} or {"error": "..."}, to be given to tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_secret(args: *const c_char) -> *mut c_char {
    plain(|| {
        // SAFETY: the caller promises the string.
        let args = unsafe { parse(args) }?;
        let length = number(&args, "length", 32)?;
        let secret =
            Secret::generate(usize::try_from(length).unwrap_or_default()).map_err(|error| error.to_string())?;
        Ok(json!({ "secret": secret.to_base32().as_str() }))
    })
}

/// Writes the URI that an authenticator scans: args {"secret": Base32, "account", "issuer", "algorithm": "SHA1",
/// "SHA256" or "SHA512", "digits", "period", or "counter" for HOTP}, of which the first two are required. An account has
/// at most 254 bytes, an issuer 128 characters.
/// Answers {"otpauth_str": "..."} or {"error": "..."}, to be given to tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_build_otpauth(args: *const c_char) -> *mut c_char {
    plain(|| {
        // SAFETY: the caller promises the string.
        let args = unsafe { parse(args) }?;
        let uri = uri(&args)?;
        Ok(json!({ "otpauth_str": uri.write().as_str() }))
    })
}

/// Reads such a URI: args {"otpauth_str": "..."}. Answers {"type": "totp" or "hotp", "secret", "account", "issuer",
/// "algorithm", "digits", "period", and "counter" for HOTP} or {"error": "..."}, to be given to tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_parse_otpauth(args: *const c_char) -> *mut c_char {
    plain(|| {
        // SAFETY: the caller promises the string.
        let args = unsafe { parse(args) }?;
        let text = args.text("otpauth_str").map_err(|refusal| refusal.to_string())?;
        let uri = OtpauthUri::parse(text).map_err(|error| error.to_string())?;
        let mut parts = json!({
            "type": "totp",
            "secret": uri.secret.to_base32().as_str(),
            "account": uri.account,
            "issuer": uri.issuer,
            "algorithm": uri.parameters.algorithm.name(),
            "digits": uri.parameters.digits,
            "period": uri.parameters.period,
        });
        if let (Moving::Hotp(counter), Some(parts)) = (uri.moving, parts.as_object_mut()) {
            parts.insert("type".to_owned(), json!("hotp"));
            parts.insert("counter".to_owned(), json!(counter));
        }
        Ok(parts)
    })
}

/// Draws a QR code: args {"text": "...", "format": "svg", "png" or "terminal"}; svg when no format is named.
/// Answers {"content_type", "qr"} (a PNG in Base64) or {"error": "..."}, to be given to tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_draw_qr(args: *const c_char) -> *mut c_char {
    plain(|| {
        // SAFETY: the caller promises the string.
        let args = unsafe { parse(args) }?;
        let text = args.text("text").map_err(|refusal| refusal.to_string())?;
        let format = args.optional_text("format").map_err(|refusal| refusal.to_string())?;
        let (content_type, drawn) = match format.unwrap_or("svg") {
            "svg" => ("image/svg+xml", qr::svg(text)),
            "png" => ("image/png", qr::png(text).map(|png| BASE64.encode(&png))),
            "terminal" => ("text/plain", qr::terminal(text)),
            _ => return Err("The parameter \"format\" is not svg, png or terminal.".to_owned()),
        };
        let drawn = drawn.map_err(|error| error.to_string())?;
        Ok(json!({ "content_type": content_type, "qr": drawn }))
    })
}

/// What is wiped after arithmetic.
fn stack(algorithm: u32) -> Stack {
    if algorithm == TFA_SHA1 { Stack::Sha1 } else { Stack::Arithmetic }
}

/// The bytes of a secret, unless there are none.
///
/// # Safety
/// secret is NULL or points to length bytes.
unsafe fn bytes<'a>(secret: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: it is used when it is not NULL, and the caller promises length bytes.
    (!secret.is_null() && length <= MAX_SECRET).then(|| unsafe { std::slice::from_raw_parts(secret, length) })
}

/// The code as a number, unless it is NULL or none. Its bytes are read once, so they need not be checked to be UTF-8.
///
/// # Safety
/// code is NULL or a NUL-terminated string.
unsafe fn read_code(code: *const c_char, digits: u32) -> Option<u64> {
    // SAFETY: it is used when it is not NULL, and the caller promises the NUL.
    let code = (!code.is_null()).then(|| unsafe { CStr::from_ptr(code) }.to_bytes());
    code.filter(|code| code.len() <= MAX_CODE).and_then(|code| code::parse(code, digits))
}

/// How codes are made, unless an argument is not valid.
fn parameters(algorithm: u32, digits: u32, period: u32) -> Option<Parameters> {
    let algorithm = match algorithm {
        TFA_SHA1 => Algorithm::Sha1,
        TFA_SHA256 => Algorithm::Sha256,
        TFA_SHA512 => Algorithm::Sha512,
        _ => return None,
    };
    ((1..=10).contains(&digits) && period > 0).then_some(Parameters { algorithm, digits, period })
}

/// # Safety
/// args is NULL or a NUL-terminated string.
unsafe fn parse(args: *const c_char) -> Result<Args, String> {
    // SAFETY: the same promise.
    let text = unsafe { optional_text("args", args) };
    text.and_then(Args::parse).map_err(|refusal| refusal.to_string())
}

fn number(args: &Args, name: &str, default: u64) -> Result<u64, String> {
    match args.get(name) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| format!("The parameter \"{name}\" is not a whole number.")),
    }
}

fn uri(args: &Args) -> Result<OtpauthUri, String> {
    let text = |refusal: crate::engine::reason::Refusal| refusal.to_string();
    let usual = Parameters::default();
    let issuer = args.optional_text("issuer").map_err(text)?.unwrap_or_default();
    issuer::check(issuer).map_err(|why| format!("The parameter \"issuer\" is not valid: {why}"))?;
    let account = args.text("account").map_err(text)?;
    if account.len() > MAX_NAME {
        return Err(format!("The parameter \"account\" is not valid: it has more than {MAX_NAME} bytes."));
    }
    let algorithm = args.optional_text("algorithm").map_err(text)?.unwrap_or(usual.algorithm.name());
    let range = |name: &str, default: u32, from: u64, to: u64| {
        let value = number(args, name, default.into())?;
        let value = Some(value).filter(|value| (from..=to).contains(value)).and_then(|value| value.try_into().ok());
        value.ok_or_else(|| format!("The parameter \"{name}\" is not from {from} to {to}."))
    };
    Ok(OtpauthUri {
        moving: match args.get("counter") {
            None => Moving::Totp,
            Some(_) => Moving::Hotp(number(args, "counter", 0)?),
        },
        issuer: issuer.to_owned(),
        account: account.to_owned(),
        secret: args.secret().map_err(text)?,
        parameters: Parameters {
            algorithm: Algorithm::from_name(algorithm)
                .ok_or("The parameter \"algorithm\" is not SHA1, SHA256 or SHA512.")?,
            digits: range("digits", usual.digits, 1, 10)?,
            period: range("period", usual.period, 1, u32::MAX.into())?,
        },
    })
}
