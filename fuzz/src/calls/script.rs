//! Decodes the bytes of an input into calls and their arguments. After the last byte, everything is 0.

use std::ffi::{CStr, CString, c_char};

use tfa::wire::form::MAX_BYTES;

/// Arguments that no example in the registry has.
pub const USUAL_ARGS: [&CStr; 8] = [
    c"{}",
    c"{\"user\": \"example\"}",
    c"{\"user-0\": \"example\", \"user-1\": \"root\", \"user-2\": \"user@example.com\"}",
    c"{\"issuer\": \"Example Hosting\"}",
    c"{\"team_user\": \"team_user\"}",
    c"{\"user\": \"example\", \"tfa_token\": \"000000\", \"remote_addr\": \"192.0.2.1\"}",
    c"{\"command\": [\"applist\", \"twofactorauth_login_status?user=example\"]}",
    c"{\"cpanel.user\": \"example\", \"cpanel.module\": \"TwoFactorAuth\", \"cpanel.function\": \"get_user_configuration\"}",
];

/// The bytes that have not been read.
pub struct Script<'a>(&'a [u8]);

/// A string for a C call.
pub enum Text {
    /// NULL.
    Null,
    /// One of a fixed list.
    Usual(&'static CStr),
    /// One that the input contains.
    Own(CString),
}

impl Text {
    /// The argument of a call. It lives as long as the text.
    pub fn as_ptr(&self) -> *const c_char {
        if self.is_some() { self.or_empty().as_ptr() } else { std::ptr::null() }
    }

    /// Whether it is not NULL.
    pub fn is_some(&self) -> bool {
        !matches!(self, Text::Null)
    }

    /// The string; an empty one for NULL.
    pub fn or_empty(&self) -> &CStr {
        match self {
            Text::Null => c"",
            Text::Usual(text) => text,
            Text::Own(text) => text,
        }
    }
}

impl<'a> Script<'a> {
    /// A script that reads `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Script(bytes)
    }

    /// Whether all bytes have been read.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// The next eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// As many bytes as the next one says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    /// One of `usual`, or one that the input contains, or NULL, empty, not UTF-8 or too long.
    pub fn text(&mut self, usual: &[&'static CStr]) -> Text {
        match self.byte() {
            0 => Text::Null,
            1 => Text::Usual(c""),
            2 => Text::Usual(c"example\xff"),
            3 => Text::Own(CString::new(vec![b'x'; MAX_BYTES + 1]).unwrap()),
            number @ 4..=127 => Text::Usual(usual[usize::from(number) % usual.len()]),
            _ => {
                let bytes = self.bytes();
                Text::Own(CString::new(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).unwrap())
            }
        }
    }

    /// A caller.
    pub fn caller(&mut self) -> Text {
        self.text(&[c"root", c"reseller", c"example", c"user@example.com", c"team_user@example"])
    }
}
