//! The panel's API over the engine: which functions there are, who may call them, what they are given and what they
//! answer. Every door goes through [`call`] and the one table in `registry`, whatever the request looked like outside.

pub mod answer;
pub mod args;
pub mod caller;
pub mod registry;

mod uapi;
mod whm;

use std::ops::Range;

use crate::engine::Tfa;
use crate::engine::reason::Refusal;

use answer::{Data, Outcome};
use args::Args;
use caller::Caller;
use registry::{Door, Function};

/// One call that is allowed, on its way to its handler.
pub struct Request<'a> {
    /// The library.
    pub tfa: &'a Tfa,
    /// Who calls.
    pub caller: Caller,
    /// What was asked.
    pub args: &'a Args,
    /// The part of a list that the door will show; lists are looked up no further.
    pub part: Range<usize>,
}

/// Every record of a list.
pub const WHOLE: Range<usize> = 0..usize::MAX;

/// Calls the WHM API 1 function `name` for `caller`.
pub fn whmapi1(tfa: &Tfa, caller: &str, name: &str, args: &Args, part: Range<usize>) -> Outcome {
    match registry::find(Door::Whm, name) {
        Some(function) => call(tfa, function, caller, args, part),
        None => Err(Refusal::UnknownApp(name.to_owned())),
    }
}

/// Calls the function `name` of the UAPI module `module` for `caller`.
pub fn uapi(tfa: &Tfa, caller: &str, module: &str, name: &str, args: &Args) -> Outcome {
    if module != registry::MODULE {
        return Err(Refusal::UnknownModule(module.to_owned()));
    }
    match registry::find(Door::Uapi, name) {
        Some(function) => call(tfa, function, caller, args, WHOLE),
        None => Err(Refusal::UnknownFunction(name.to_owned())),
    }
}

/// Calls `function`, when `caller` may.
pub fn call(tfa: &Tfa, function: &Function, caller: &str, args: &Args, part: Range<usize>) -> Outcome {
    let caller = Caller::find(tfa, caller, function)?;
    (function.handler)(&Request { tfa, caller, args, part })
}

/// `true` as the panel writes it.
fn bit(value: bool) -> u8 {
    u8::from(value)
}

/// Nothing to tell but that it worked.
const DONE: Outcome = Ok(Data::None);
