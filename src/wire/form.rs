//! Query strings and form bodies: `application/x-www-form-urlencoded`, as the URL standard decodes it.
//!
//! Promise: parameters are decoded in their order, repeated names included (`user-0` and `user-1` are ordinary names), or an
//! error says what is wrong. Bytes that are not UTF-8 are refused, not replaced: two different names could become one.

use percent_encoding::percent_decode_str;

/// The longest query string or body that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most parameters in one request.
pub const MAX_PARAMETERS: usize = 10_000;
/// The longest name of a parameter, in bytes after decoding.
pub const MAX_NAME: usize = 256;

/// Why parameters cannot be read. No message contains a value, which may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The parameters are too long.
    #[error("the parameters have more than {MAX_BYTES} bytes")]
    TooLong,
    /// There are too many.
    #[error("there are more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// A name is too long.
    #[error("the name of a parameter has more than {MAX_NAME} bytes")]
    NameTooLong,
    /// Decoding gives bytes that are not UTF-8.
    #[error("the parameters are not UTF-8 when percent-decoded")]
    NotUtf8,
}

/// The names and values of a query string (without its `?`) or a form body, in their order.
///
/// A `+` is a space, a name without `=` has an empty value, and a `%` that begins no escape stands for itself.
///
/// # Errors
/// [`FormError`] when a limit is passed or the bytes are not UTF-8.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, FormError> {
    if text.len() > MAX_BYTES {
        return Err(FormError::TooLong);
    }
    // The separators are ASCII, so that the parts are UTF-8 exactly when the whole is.
    uri_decode(text)?;
    let pairs: Vec<_> =
        form_urlencoded::parse(text.as_bytes()).into_owned().take(MAX_PARAMETERS.saturating_add(1)).collect();
    if pairs.len() > MAX_PARAMETERS {
        return Err(FormError::TooMany);
    }
    if pairs.iter().any(|(name, _)| name.len() > MAX_NAME) {
        return Err(FormError::NameTooLong);
    }
    Ok(pairs)
}

/// Decodes percent-encoding (RFC 3986) as [`parse`] does for a value, but a `+` stays a `+`.
///
/// # Errors
/// [`FormError`] when the text is too long or its bytes are not UTF-8.
pub fn uri_decode(text: &str) -> Result<String, FormError> {
    if text.len() > MAX_BYTES {
        return Err(FormError::TooLong);
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| FormError::NotUtf8)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(expected: &[(&str, &str)]) -> Result<Vec<(String, String)>, FormError> {
        Ok(expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn reads_the_documented_examples() {
        assert_eq!(
            parse("api.version=1&user-0=example&user-1=user"),
            pairs(&[("api.version", "1"), ("user-0", "example"), ("user-1", "user")])
        );
        assert_eq!(parse("command=f%3Fk%3Dv&command=g"), pairs(&[("command", "f?k=v"), ("command", "g")]));
    }

    #[test]
    fn reads_unusual_parameters() {
        assert_eq!(parse(""), pairs(&[]));
        assert_eq!(parse("&&a&b=&=c&"), pairs(&[("a", ""), ("b", ""), ("", "c")]));
        assert_eq!(parse("a=b=c&d=1+2%2B3&e=100%"), pairs(&[("a", "b=c"), ("d", "1 2+3"), ("e", "100%")]));
        assert_eq!(parse("a=%F0%9F%98%80%00é"), pairs(&[("a", "😀\0é")]));
    }

    #[test]
    fn refuses_bytes_that_are_not_utf8() {
        assert_eq!(parse("user=%FF"), Err(FormError::NotUtf8));
        assert_eq!(parse("user=%C3&x=%A9"), Err(FormError::NotUtf8));
        assert_eq!(uri_decode("%ED%A0%80"), Err(FormError::NotUtf8));
    }

    #[test]
    fn refuses_parameters_beyond_the_limits() {
        assert_eq!(parse(&"a".repeat(MAX_BYTES + 1)), Err(FormError::TooLong));
        assert_eq!(uri_decode(&"a".repeat(MAX_BYTES + 1)), Err(FormError::TooLong));
        assert_eq!(parse(&format!("{}=", "n".repeat(MAX_NAME + 1))), Err(FormError::NameTooLong));
        assert_eq!(parse(&"a=b&".repeat(MAX_PARAMETERS + 1)), Err(FormError::TooMany));
        assert_eq!(parse(&"a=b&".repeat(MAX_PARAMETERS)).map(|pairs| pairs.len()), Ok(MAX_PARAMETERS));
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_only() {
        assert_eq!(parse("u=a+b%20c"), pairs(&[("u", "a b c")]));
        assert_eq!(uri_decode("a+b%20c"), Ok("a+b c".to_owned()));
    }

    proptest! {
        #[test]
        fn reads_back_what_the_standard_writes(pairs in proptest::collection::vec((".{0,20}", ".{0,80}"), 0..20)) {
            let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            prop_assert_eq!(parse(&written), Ok(pairs));
        }

        #[test]
        fn never_panics(text in "[%&=+a-fA-F0-9é]{0,200}") {
            let _ = parse(&text);
        }
    }
}
