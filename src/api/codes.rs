//! One-time passwords without a store: one set of rules and limits for every door and binding.
//!
//! Each function takes named parameters and returns a JSON object. A secret has 1 to 1024 bytes and is given as Base32
//! (`secret`) or hexadecimal (`secret_hex`); a code has 1 to 10 digits; a period is at least one second; a time is in Unix
//! seconds and defaults to the present. Nothing is remembered: a caller that verifies codes here must itself refuse a
//! time step that it accepted before (RFC 6238 section 5.2), as `tfa_login` does.

use std::ops::RangeInclusive;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::args::{Args, not_valid};
use super::refusal::Refusal;
use crate::accounts::MAX_NAME;
use crate::clock::{Clock, SystemClock};
use crate::engine::issuer;
use crate::otp::code::{self, Algorithm, CodeFormat};
use crate::otp::secret::{self, GenerateError, Secret};
use crate::otp::uri::{MovingFactor, OtpauthUri};
use crate::otp::{qr, shown};
use crate::wire::ParameterError;

/// Digits of a code; ten are the whole truncated value of RFC 4226.
pub const DIGITS: RangeInclusive<u32> = 1..=10;
/// Seconds of a time step.
pub const PERIODS: RangeInclusive<u32> = 1..=u32::MAX;
/// Time steps either side, or counters ahead, that are accepted: the caller decides, within reason.
pub const SKEWS: RangeInclusive<u32> = 0..=1000;
/// The longest code that is examined, in bytes.
pub const MAX_CODE: usize = 256;
/// Base32 characters of a generated secret: 160 bits (RFC 4226 section 4).
const SECRET_LENGTH: u32 = 32;
/// The names of the parameters that describe a secret and the format of its codes.
const SECRET_AND_FORMAT: &[&str] = &["secret", "secret_hex", "algorithm", "digits", "period"];

/// How a code is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Totp,
    Hotp,
    Steam,
}

/// A secret and what its codes are made from.
struct Generator {
    kind: Kind,
    secret: Secret,
    format: CodeFormat,
    counter: u64,
}

/// `format`, if its digits and its period are within their limits.
pub fn checked(format: CodeFormat) -> Option<CodeFormat> {
    (DIGITS.contains(&format.digits) && PERIODS.contains(&format.period)).then_some(format)
}

/// Returns `{"code"}`: the code of a secret. Parameters: `secret` or `secret_hex`; `type` (`totp`, `hotp`, `steam`),
/// `algorithm`, `digits`, `period`; `time`, or `counter` for HOTP.
pub fn code(args: &Args) -> Result<Value, Refusal> {
    let generator = Generator::read(args, &[])?;
    Ok(json!({ "code": generator.code(generator.counter).as_str() }))
}

/// Returns `{"is_valid", "step"}`: whether `code` is a code of the secret, and the newest time step or counter that it
/// belongs to. Parameters: those of the function `code`, `code`, and `skew`: time steps either side, counters ahead for HOTP; 1 by
/// default, and 0 for HOTP.
pub fn verify_code(args: &Args) -> Result<Value, Refusal> {
    let generator = Generator::read(args, &["code", "skew"])?;
    let code = args.plain_text("code")?.map(Zeroizing::new);
    let code = code.ok_or_else(|| ParameterError::Required("code".to_owned()))?;
    let skew = number(args, "skew", u32::from(generator.kind != Kind::Hotp).into(), widened(&SKEWS))?;
    let skew = u32::try_from(skew).unwrap_or_default();
    let step = (code.len() <= MAX_CODE).then(|| generator.newest_match(&code, skew)).flatten();
    Ok(json!({ "is_valid": u8::from(step.is_some()), "step": step }))
}

/// Returns `{"secret"}`: a new secret in Base32. Parameter: `length`, 16 to 128 characters, a multiple of 8; 32 by
/// default.
pub fn generate_secret(args: &Args) -> Result<Value, Refusal> {
    args.only(&[&["length"]])?;
    let length = number(args, "length", SECRET_LENGTH.into(), 0..=u64::MAX)?;
    let secret = Secret::generate(usize::try_from(length).unwrap_or_default()).map_err(|error| match error {
        GenerateError::Length => Refusal::from(not_valid("length", &format!("{error}."))),
        GenerateError::NoEntropy(error) => Refusal::unavailable(error.to_string()),
    })?;
    Ok(json!({ "secret": secret.to_base32().as_str() }))
}

/// Returns `{"otpauth_str"}`: the URI that an authenticator scans. Parameters: `secret` or `secret_hex`, `account` (at most
/// 254 bytes), `issuer` (at most 128 characters), `algorithm`, `digits`, `period`, and `counter` for HOTP.
pub fn build_otpauth(args: &Args) -> Result<Value, Refusal> {
    args.only(&[SECRET_AND_FORMAT, &["account", "issuer", "counter"]])?;
    let issuer = args.optional_text("issuer")?.unwrap_or_default();
    issuer::check(issuer).map_err(|why| not_valid("issuer", why))?;
    let account = args.text("account")?;
    if account.len() > MAX_NAME {
        return Err(not_valid("account", &format!("it has more than {MAX_NAME} bytes.")).into());
    }
    let counter = args.get("counter").map(|_| number(args, "counter", 0, 0..=u64::MAX)).transpose()?;
    let uri = OtpauthUri {
        moving_factor: counter.map_or(MovingFactor::Totp, MovingFactor::Hotp),
        issuer: issuer.to_owned(),
        account: account.to_owned(),
        secret: read_secret(args)?,
        code_format: read_format(args)?,
    };
    Ok(json!({ "otpauth_str": uri.write().as_str() }))
}

/// Returns the parts of the URI `otpauth_str`: `{"type", "secret", "account", "issuer", "algorithm", "digits", "period"}`,
/// and `"counter"` for HOTP.
pub fn parse_otpauth(args: &Args) -> Result<Value, Refusal> {
    args.only(&[&["otpauth_str"]])?;
    let text = args.text("otpauth_str")?;
    let uri = OtpauthUri::parse(text).map_err(|error| not_valid("otpauth_str", &format!("{error}.")))?;
    let mut parts = json!({
        "type": "totp",
        "secret": uri.secret.to_base32().as_str(),
        "account": uri.account,
        "issuer": uri.issuer,
        "algorithm": uri.code_format.algorithm.name(),
        "digits": uri.code_format.digits,
        "period": uri.code_format.period,
    });
    if let (MovingFactor::Hotp(counter), Some(parts)) = (uri.moving_factor, parts.as_object_mut()) {
        parts.insert("type".to_owned(), json!("hotp"));
        parts.insert("counter".to_owned(), json!(counter));
    }
    Ok(parts)
}

/// Returns `{"content_type", "qr"}`: the QR code of `text`, as `format` says: `svg` (the default), `png` (in Base64) or
/// `terminal`.
pub fn draw_qr(args: &Args) -> Result<Value, Refusal> {
    args.only(&[&["text", "format"]])?;
    let text = args.text("text")?;
    let (content_type, drawn) = match args.optional_text("format")?.unwrap_or("svg") {
        "svg" => ("image/svg+xml", qr::svg(text)),
        "png" => ("image/png", qr::png(text).map(|png| BASE64.encode(&png))),
        "terminal" => ("text/plain", qr::terminal(text)),
        _ => return Err(not_valid("format", "it is not svg, png or terminal.").into()),
    };
    let drawn = drawn.map_err(|error| not_valid("text", &format!("{error}.")))?;
    Ok(json!({ "content_type": content_type, "qr": drawn }))
}

impl Generator {
    /// Reads the parameters of a secret and its codes; `others` are the names that the function has besides.
    fn read(args: &Args, others: &[&str]) -> Result<Self, Refusal> {
        let kind = match args.optional_text("type")?.unwrap_or("totp") {
            "totp" => Kind::Totp,
            "hotp" => Kind::Hotp,
            "steam" => Kind::Steam,
            _ => return Err(not_valid("type", "it is not totp, hotp or steam.").into()),
        };
        let moving = if kind == Kind::Hotp { "counter" } else { "time" };
        args.only(&[SECRET_AND_FORMAT, &["type", moving], others])?;
        let format = read_format(args)?;
        let counter = if kind == Kind::Hotp {
            args.get("counter").ok_or_else(|| ParameterError::Required("counter".to_owned()))?;
            number(args, "counter", 0, 0..=u64::MAX)?
        } else {
            format.step(number(args, "time", SystemClock.now().as_secs(), 0..=u64::MAX)?)
        };
        Ok(Generator { kind, secret: read_secret(args)?, format, counter })
    }

    fn code(&self, counter: u64) -> Zeroizing<String> {
        match self.kind {
            Kind::Steam => shown::steam(self.secret.bytes(), counter),
            Kind::Totp | Kind::Hotp => shown::decimal(self.format, self.secret.bytes(), counter),
        }
    }

    /// The newest time step or counter in the window whose code is `code`.
    fn newest_match(&self, code: &str, skew: u32) -> Option<u64> {
        let window = match self.kind {
            Kind::Hotp => self.counter..=self.counter.saturating_add(skew.into()),
            Kind::Totp | Kind::Steam => code::window(self.counter, skew),
        };
        if self.kind == Kind::Steam {
            let code = Zeroizing::new(code.trim().to_ascii_uppercase());
            let is_equal = |step: u64| bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes()));
            // The whole window is examined, whatever matches.
            return window.fold(None, |newest, step| if is_equal(step) { Some(step) } else { newest });
        }
        let code = code::parse(code, self.format.digits)?;
        self.format.newest_match(self.secret.bytes(), window, code)
    }
}

/// The secret called `secret` (Base32) or `secret_hex`.
fn read_secret(args: &Args) -> Result<Secret, Refusal> {
    let Some(hex) = args.optional_text("secret_hex")? else {
        let text = args.text("secret")?;
        return Ok(Secret::from_any_base32(text)
            .map_err(|_| not_valid("secret", &format!("it is not Base32 of {}.", secret::ANY_LENGTH)))?);
    };
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok();
    let secret = bytes.and_then(|bytes| Secret::from_any_bytes(bytes).ok());
    Ok(secret.ok_or_else(|| not_valid("secret_hex", &format!("it is not hexadecimal of {}.", secret::ANY_LENGTH)))?)
}

fn read_format(args: &Args) -> Result<CodeFormat, Refusal> {
    let usual = CodeFormat::default();
    let algorithm = args.optional_text("algorithm")?.unwrap_or(usual.algorithm.name());
    let algorithm =
        Algorithm::from_name(algorithm).ok_or_else(|| not_valid("algorithm", "it is not SHA1, SHA256 or SHA512."))?;
    let digits = number(args, "digits", usual.digits.into(), widened(&DIGITS))?;
    let period = number(args, "period", usual.period.into(), widened(&PERIODS))?;
    let narrow = |number| u32::try_from(number).unwrap_or_default();
    Ok(CodeFormat { algorithm, digits: narrow(digits), period: narrow(period) })
}

fn widened(range: &RangeInclusive<u32>) -> RangeInclusive<u64> {
    u64::from(*range.start())..=u64::from(*range.end())
}

/// The whole number called `name`, as a JSON number or in decimal digits.
fn number(args: &Args, name: &str, default: u64, range: RangeInclusive<u64>) -> Result<u64, ParameterError> {
    let Some(text) = args.plain_text(name)? else {
        return Ok(default);
    };
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_decimal && range.contains(number));
    number
        .ok_or_else(|| not_valid(name, &format!("it is not a whole number from {} to {}.", range.start(), range.end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED_HEX: &str = "3132333435363738393031323334353637383930";

    fn args(value: Value) -> Args {
        let Value::Object(values) = value else { panic!("not an object") };
        Args::from(values)
    }

    /// RFC 6238 appendix B and RFC 4226 appendix D.
    #[test]
    fn published_codes_are_generated_and_verified() {
        let generated = |value| code(&args(value)).unwrap()["code"].as_str().unwrap().to_owned();
        assert_eq!(generated(json!({"secret_hex": SEED_HEX, "time": 59, "digits": 8})), "94287082");
        assert_eq!(generated(json!({"secret_hex": SEED_HEX, "type": "hotp", "counter": 9})), "520489");
        let verified = |value| verify_code(&args(value)).unwrap();
        let hotp = json!({"secret_hex": SEED_HEX, "type": "hotp", "counter": 7, "skew": 2, "code": "520489"});
        assert_eq!(verified(hotp), json!({"is_valid": 1, "step": 9}));
        let late = json!({"secret_hex": SEED_HEX, "time": 89, "digits": 8, "code": "94287082"});
        assert_eq!(verified(late.clone()), json!({"is_valid": 1, "step": 1}));
        let mut strict = late;
        strict["skew"] = json!(0);
        assert_eq!(verified(strict), json!({"is_valid": 0, "step": null}));
    }

    #[test]
    fn steam_codes_are_generated_and_verified() {
        let secret = json!({"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "type": "steam", "time": 1_700_000_000});
        let code = code(&args(secret.clone())).unwrap()["code"].as_str().unwrap().to_owned();
        let mut guess = secret;
        guess["code"] = json!(code.to_lowercase());
        assert_eq!(verify_code(&args(guess.clone())).unwrap()["is_valid"], 1);
        guess["code"] = json!("22222");
        assert_eq!(verify_code(&args(guess)).unwrap()["is_valid"], 0);
    }

    #[test]
    fn limits_are_the_same_for_every_function() {
        let of_bytes = |bytes: usize| data_encoding::BASE32_NOPAD.encode(&vec![1; bytes]);
        for (bytes, is_accepted) in [(0, false), (1, true), (300, true), (1024, true), (1025, false)] {
            let secret = of_bytes(bytes);
            assert_eq!(code(&args(json!({"secret": secret}))).is_ok(), is_accepted, "{bytes}");
            assert_eq!(verify_code(&args(json!({"secret": secret, "code": "123456"}))).is_ok(), is_accepted, "{bytes}");
            assert_eq!(build_otpauth(&args(json!({"secret": secret, "account": "x"}))).is_ok(), is_accepted, "{bytes}");
        }
        for (name, value) in [
            ("digits", json!(0)),
            ("digits", json!(11)),
            ("digits", json!("six")),
            ("digits", json!(-1)),
            ("period", json!(0)),
            ("algorithm", json!("MD5")),
            ("type", json!("motp")),
            ("time", json!(1.5)),
        ] {
            let mut asked = json!({"secret_hex": SEED_HEX});
            asked[name] = value;
            assert!(code(&args(asked)).unwrap_err().to_string().contains(name));
        }
    }

    #[test]
    fn unknown_parameters_are_refused() {
        type Function = fn(&Args) -> Result<Value, Refusal>;
        let uri = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ";
        let cases: [(Function, Value, &str); 8] = [
            (code, json!({"secret_hex": SEED_HEX}), "perriod"),
            (code, json!({"secret_hex": SEED_HEX}), "counter"),
            (code, json!({"secret_hex": SEED_HEX, "type": "hotp", "counter": 1}), "time"),
            (verify_code, json!({"secret_hex": SEED_HEX, "code": "123456"}), "skeww"),
            (generate_secret, json!({"length": 32}), "lenght"),
            (build_otpauth, json!({"secret_hex": SEED_HEX, "account": "x"}), "time"),
            (parse_otpauth, json!({"otpauth_str": uri}), "uri"),
            (draw_qr, json!({"text": "x"}), "colour"),
        ];
        for (function, mut asked, name) in cases {
            assert!(function(&args(asked.clone())).is_ok(), "{name}");
            asked[name] = json!("1");
            let refusal = function(&args(asked)).unwrap_err().to_string();
            assert_eq!(refusal, format!("The parameter \"{name}\" is not valid: there is no such parameter."));
        }
    }

    #[test]
    fn a_uri_is_built_and_parsed() {
        let asked = json!({"secret": "GEZDGNBVGY3TQOJQ", "account": "example", "issuer": "Example", "counter": 7});
        let uri = build_otpauth(&args(asked)).unwrap();
        let parts = parse_otpauth(&args(uri)).unwrap();
        assert_eq!(
            (&parts["type"], &parts["counter"], &parts["account"]),
            (&json!("hotp"), &json!(7), &json!("example"))
        );
        assert!(parse_otpauth(&args(json!({"otpauth_str": "https://example.com"}))).is_err());
    }
}
