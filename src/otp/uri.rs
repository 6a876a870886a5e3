//! `otpauth` URIs (the Key URI format), which authenticators scan.
//!
//! Promise: a URI that this module writes is read back unchanged, for every issuer and account within their limits
//! (contract sections 2 and 10). It is written as contract section 2 says: issuer and account percent-encoded, a literal
//! colon between them, `secret` then `issuer`, and `algorithm`, `digits`, `period` only when they differ from SHA1, 6,
//! 30. A secret has 1 to 1024 bytes.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::code::{Algorithm, CodeFormat};
use super::secret::Secret;

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The longest URI that is read.
const MAX_URI: usize = 4096;

/// The moving factor of a code (RFC 4226 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovingFactor {
    /// Time, in steps of `CodeFormat::period`.
    Totp,
    /// A counter, and its present value.
    Hotp(u64),
}

/// The parts of an `otpauth` URI.
#[derive(Clone, Debug)]
pub struct OtpauthUri {
    /// Time or counter.
    pub moving_factor: MovingFactor,
    /// The issuer of the secret; empty if none is named.
    pub issuer: String,
    /// The account that it was issued to.
    pub account: String,
    /// The secret.
    pub secret: Secret,
    /// How codes are made.
    pub code_format: CodeFormat,
}

/// Why a URI was not read. The messages never repeat the URI, which holds a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Longer than any such URI, as it is or written out in full.
    #[error("the URI has more than {MAX_URI} bytes")]
    TooLong,
    /// Another scheme, or neither `totp` nor `hotp`.
    #[error("the URI does not begin with otpauth://totp/ or otpauth://hotp/")]
    NotOtpauth,
    /// A part that is not percent-encoded UTF-8.
    #[error("the URI is not percent-encoded UTF-8")]
    Encoding,
    /// A parameter that is missing or makes no sense.
    #[error("the URI's parameter {0:?} is missing or not valid")]
    Parameter(&'static str),
}

impl OtpauthUri {
    /// Writes the URI.
    pub fn write(&self) -> Zeroizing<String> {
        let mut uri = Zeroizing::new(String::with_capacity(256));
        uri.push_str(if self.moving_factor == MovingFactor::Totp { "otpauth://totp/" } else { "otpauth://hotp/" });
        // An account with a colon of its own would be taken for issuer and account.
        if !self.issuer.is_empty() || self.account.contains(':') {
            uri.extend(utf8_percent_encode(&self.issuer, ENCODED));
            uri.push(':');
        }
        uri.extend(utf8_percent_encode(&self.account, ENCODED));
        uri.push_str("?secret=");
        uri.push_str(&self.secret.to_base32());
        if !self.issuer.is_empty() {
            uri.push_str("&issuer=");
            uri.extend(utf8_percent_encode(&self.issuer, ENCODED));
        }
        self.write_parameters(&mut uri);
        uri
    }

    fn write_parameters(&self, uri: &mut String) {
        let (ours, usual) = (self.code_format, CodeFormat::default());
        if ours.algorithm != usual.algorithm {
            uri.push_str("&algorithm=");
            uri.push_str(ours.algorithm.name());
        }
        // Writing to a String cannot fail.
        if ours.digits != usual.digits {
            let _ = write!(uri, "&digits={}", ours.digits);
        }
        match self.moving_factor {
            MovingFactor::Totp if ours.period != usual.period => {
                let _ = write!(uri, "&period={}", ours.period);
            }
            MovingFactor::Totp => {}
            MovingFactor::Hotp(counter) => {
                let _ = write!(uri, "&counter={counter}");
            }
        }
    }

    /// Reads a URI. CodeFormat that it does not know are ignored, as authenticators do.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        if uri.len() > MAX_URI {
            return Err(UriError::TooLong);
        }
        let (kind, rest) = split_scheme(uri)?;
        let (label, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = Query::parse(query)?;
        let (label_issuer, account) = split_label(label)?;
        let mut code_format = query.code_format()?;
        let moving_factor =
            if kind == "totp" { MovingFactor::Totp } else { MovingFactor::Hotp(query.number("counter", None)?) };
        if moving_factor != MovingFactor::Totp {
            // A counter has no period, and none is written.
            code_format.period = CodeFormat::default().period;
        }
        let issuer = query.get("issuer").map(str::to_owned).unwrap_or(label_issuer);
        let read = OtpauthUri { moving_factor, issuer, account, secret: query.secret()?, code_format };
        // Written with every character encoded it grows, and must be read back still.
        if read.write().len() > MAX_URI { Err(UriError::TooLong) } else { Ok(read) }
    }
}

/// `totp` or `hotp`, and what follows the slash.
fn split_scheme(uri: &str) -> Result<(&'static str, &str), UriError> {
    let rest = uri.split_at_checked(10).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("otpauth://"));
    let (kind, rest) = rest.and_then(|(_, rest)| rest.split_once('/')).ok_or(UriError::NotOtpauth)?;
    let kind = ["totp", "hotp"].into_iter().find(|known| known.eq_ignore_ascii_case(kind));
    Ok((kind.ok_or(UriError::NotOtpauth)?, rest))
}

/// Issuer and account of a label; the colon between them may be literal or encoded, and spaces may follow it.
fn split_label(label: &str) -> Result<(String, String), UriError> {
    if let Some((issuer, account)) = label.split_once(':') {
        return Ok((decode(issuer)?, decode(account)?.trim_start().to_owned()));
    }
    let label = decode(label)?;
    Ok(match label.split_once(':') {
        Some((issuer, account)) => (issuer.to_owned(), account.trim_start().to_owned()),
        None => (String::new(), label),
    })
}

fn decode(text: &str) -> Result<String, UriError> {
    percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| UriError::Encoding)
}

/// The decoded code_format of a URI; the first of a name counts.
struct Query(Vec<(String, Zeroizing<String>)>);

impl Query {
    fn parse(query: &str) -> Result<Self, UriError> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?.to_ascii_lowercase(), Zeroizing::new(decode(value)?)))
        });
        pairs.collect::<Result<_, _>>().map(Query)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &'static str, default: Option<u64>) -> Result<u64, UriError> {
        let value = self.get(name).map(|text| text.parse().ok());
        value.unwrap_or(default).ok_or(UriError::Parameter(name))
    }

    fn secret(&self) -> Result<Secret, UriError> {
        self.get("secret").and_then(|text| Secret::from_any_base32(text).ok()).ok_or(UriError::Parameter("secret"))
    }

    fn code_format(&self) -> Result<CodeFormat, UriError> {
        let usual = CodeFormat::default();
        let algorithm = match self.get("algorithm") {
            Some(name) => Algorithm::from_name(name).ok_or(UriError::Parameter("algorithm"))?,
            None => usual.algorithm,
        };
        let digits = self.number("digits", Some(usual.digits.into()))?;
        let period = self.number("period", Some(usual.period.into()))?;
        Ok(CodeFormat {
            algorithm,
            digits: u32::try_from(digits).ok().filter(|n| (1..=10).contains(n)).ok_or(UriError::Parameter("digits"))?,
            period: u32::try_from(period).ok().filter(|n| *n > 0).ok_or(UriError::Parameter("period"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(issuer: &str, account: &str) -> OtpauthUri {
        OtpauthUri {
            moving_factor: MovingFactor::Totp,
            issuer: issuer.to_owned(),
            account: account.to_owned(),
            secret: Secret::from_base32("CAOXW75HKYJJ6E5Y").unwrap(),
            code_format: CodeFormat::default(),
        }
    }

    #[test]
    fn written_as_the_contract_shows() {
        assert_eq!(
            uri("Example Hosting", "root").write().as_str(),
            "otpauth://totp/Example%20Hosting:root?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting"
        );
        assert_eq!(
            uri("a:b", "user@example.com").write().as_str(),
            "otpauth://totp/a%3Ab:user%40example.com?secret=CAOXW75HKYJJ6E5Y&issuer=a%3Ab"
        );
    }

    #[test]
    fn unusual_parameters_are_written_out() {
        let mut uri = uri("x", "y");
        uri.code_format = CodeFormat { algorithm: Algorithm::Sha512, digits: 8, period: 60 };
        assert!(uri.write().ends_with("&issuer=x&algorithm=SHA512&digits=8&period=60"));
        uri.moving_factor = MovingFactor::Hotp(7);
        assert!(uri.write().starts_with("otpauth://hotp/x:y?"));
        assert!(uri.write().ends_with("&digits=8&counter=7"));
    }

    #[test]
    fn the_key_uri_formats_own_example_is_read() {
        let read = OtpauthUri::parse(
            "otpauth://totp/ACME%20Co:john.doe@email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30",
        )
        .unwrap();
        assert_eq!((read.issuer.as_str(), read.account.as_str()), ("ACME Co", "john.doe@email.com"));
        assert_eq!(read.code_format, CodeFormat::default());
    }

    #[test]
    fn encoded_colons_and_spaces_after_them_are_read() {
        let read = OtpauthUri::parse("OTPAUTH://TOTP/Big%20Co%3A%20alice?secret=caoxw75hkyjj6e5y").unwrap();
        assert_eq!((read.issuer.as_str(), read.account.as_str()), ("Big Co", "alice"));
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again() {
        let read = |account: &str| OtpauthUri::parse(&format!("otpauth://totp/{account}?secret=CAOXW75HKYJJ6E5Y"));
        assert_eq!(read(&" ".repeat(2000)).err(), Some(UriError::TooLong), "it would take 6000 bytes to write");
        assert!(OtpauthUri::parse(&read(&"x".repeat(2000)).unwrap().write()).is_ok());
        assert!(OtpauthUri::parse(&uri(&"🦀".repeat(128), &"ż".repeat(127)).write()).is_ok(), "the longest names");
    }

    #[test]
    fn an_account_with_a_colon_and_no_issuer_stays_one() {
        let read = OtpauthUri::parse(&uri("", "a:b").write()).unwrap();
        assert_eq!((read.issuer.as_str(), read.account.as_str()), ("", "a:b"));
        let long = format!("otpauth://totp/:{}:?secret=CAOXW75HKYJJ6E5Y", " x".repeat(600));
        assert!(OtpauthUri::parse(&OtpauthUri::parse(&long).unwrap().write()).is_ok(), "nor does it grow");
    }

    #[test]
    fn a_counter_has_no_period() {
        let read = OtpauthUri::parse("otpauth://hotp/a?secret=CAOXW75HKYJJ6E5Y&counter=7&period=6").unwrap();
        assert_eq!((read.moving_factor, read.code_format), (MovingFactor::Hotp(7), CodeFormat::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (uri, error) in [
            ("", UriError::NotOtpauth),
            ("https://totp/a?secret=CAOXW75HKYJJ6E5Y", UriError::NotOtpauth),
            ("otpauth://motp/a?secret=CAOXW75HKYJJ6E5Y", UriError::NotOtpauth),
            ("otpauth://totp/a", UriError::Parameter("secret")),
            ("otpauth://totp/a?secret=1", UriError::Parameter("secret")),
            ("otpauth://totp/a?secret=CAOXW75HKYJJ6E5Y&algorithm=MD5", UriError::Parameter("algorithm")),
            ("otpauth://totp/a?secret=CAOXW75HKYJJ6E5Y&digits=11", UriError::Parameter("digits")),
            ("otpauth://totp/a?secret=CAOXW75HKYJJ6E5Y&period=0", UriError::Parameter("period")),
            ("otpauth://hotp/a?secret=CAOXW75HKYJJ6E5Y", UriError::Parameter("counter")),
            ("otpauth://totp/%ff?secret=CAOXW75HKYJJ6E5Y", UriError::Encoding),
        ] {
            assert_eq!(OtpauthUri::parse(uri).err(), Some(error), "{uri}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            issuer in ".{0,40}", account in "[^ \\s].{0,40}", secret in prop::collection::vec(any::<u8>(), 10..80),
            digits in 1u32..=10, period in 1u32.., counter in prop::option::of(any::<u64>()),
        ) {
            let period = if counter.is_some() { 30 } else { period };
            let written = OtpauthUri {
                moving_factor: counter.map_or(MovingFactor::Totp, MovingFactor::Hotp),
                issuer, account, secret: Secret::from_bytes(secret),
                code_format: CodeFormat { algorithm: Algorithm::Sha256, digits, period },
            };
            let read = OtpauthUri::parse(&written.write()).unwrap();
            prop_assert_eq!(read.moving_factor, written.moving_factor);
            prop_assert_eq!(read.issuer, written.issuer);
            prop_assert_eq!(read.account, written.account);
            prop_assert_eq!(read.secret.bytes(), written.secret.bytes());
            prop_assert_eq!(read.code_format, written.code_format);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(otpauth://totp/)?.{0,200}") {
            let _ = OtpauthUri::parse(&text);
        }
    }
}
