//! The table of all functions. Every door reads it, and a function that is not in it cannot be called.
//!
//! The rows are in `functions.rs`; this module says what a row is.

use super::caller::Callers;
use super::{meta, uapi, whm};

pub use super::request::{Api, Effect, Example, Function, Parameter};

/// The UAPI module that this library implements.
pub const MODULE: &str = "TwoFactorAuth";

const fn required(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "string", required: true, about }
}

const fn optional(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "string", required: false, about }
}

const fn object(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "object", required: true, about }
}

const SECRET: Parameter = required("secret", "The shared secret: 16 to 128 characters of Base32.");
const TOKEN: Parameter = required("tfa_token", "The code that the authenticator shows for the secret.");
const CURRENT_TOKEN: Parameter =
    optional("current_token", "A code or recovery code of the enrolment that is changed, if the server requires one.");
const USER: Parameter = required("user", "The account, mailbox or team user.");
const KIND: Parameter =
    optional("kind", "What a name means that can be both: mailbox or team. Without it, the enrolled one is meant.");

/// Reads the rows into [`FUNCTIONS`].
macro_rules! functions {
    ($(
        $api:ident $name:literal {
            callers: $callers:ident,
            effect: $effect:ident,
            about: $about:literal,
            parameters: [$($parameter:expr),* $(,)?],
            example: ($caller:literal, $example:literal),
            handler: $handler:path,
        }
    )*) => {
        /// All functions, in the order of the contract.
        pub static FUNCTIONS: &[Function] = &[$(
            Function {
                name: $name,
                api: Api::$api,
                callers: Callers::$callers,
                effect: Effect::$effect,
                parameters: &[$($parameter),*],
                about: $about,
                example: Example { caller: $caller, parameters: $example },
                handler: $handler,
            },
        )*];
    };
}

include!("functions.rs");

/// The function called `name` of `api`.
pub fn find(api: Api, name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.api == api && function.name == name)
}
