//! Text for a terminal, with the characters escaped that could change what is around them.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes control, bidirectional and line-separator characters as `\u{…}`. Line feeds of the program's own stay.
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_unsafe(c), |escaped, c| write!(escaped, "{}", c.escape_unicode()))
}

/// The same for text without lines of its own: a name, a message.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe, |escaped, c| write!(escaped, "{}", c.escape_unicode()))
}

/// The same for JSON, in its own notation, so that it still means the same.
pub fn json(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe, |escaped, c| write!(escaped, "\\u{:04x}", u32::from(c)))
}

fn escaped(
    text: &str,
    is_escaped: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char) -> std::fmt::Result,
) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::new();
    for c in text.chars() {
        if is_escaped(c) {
            // Writing to a String does not fail.
            let _ = escape(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Whether a terminal could take `c` for a command, a change of direction or the end of a line. All of these are in the
/// basic plane.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_characters_are_escaped_and_others_are_not() {
        assert_eq!(text("żółw@пример.example\n"), "żółw@пример.example\n");
        assert_eq!(text("a\u{1b}[31m\u{202e}b\u{2028}\u{7f}\r"), "a\\u{1b}[31m\\u{202e}b\\u{2028}\\u{7f}\\u{d}");
        assert_eq!(line("a\nb"), "a\\u{a}b");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let written = serde_json::to_string("a\u{202e}\u{7f}\u{85}\"\n").unwrap();
        let escaped = json(&written);
        assert!(escaped.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "a\u{202e}\u{7f}\u{85}\"\n");
    }
}
