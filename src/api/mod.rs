//! The panel's API over the engine: which functions there are, who may call them, what they are given and what they
//! answer. Every door goes through [`whmapi1`] or [`uapi`] and the one table in `registry`, whatever the request looked
//! like outside.

pub mod answer;
pub mod args;
pub mod caller;
pub mod registry;

mod meta;
mod output;
mod uapi;
mod whm;

use std::ops::Range;

use crate::engine::Tfa;
use crate::engine::audit::Actor;
use crate::engine::reason::Refusal;
use crate::wire::control;

use answer::{Data, Outcome, UapiAnswer, WhmAnswer};
use args::Args;
use caller::Caller;
use registry::{Door, Function};

/// One call that is allowed, on its way to its handler.
pub struct Request<'a> {
    /// The library.
    pub tfa: &'a Tfa,
    /// The function that is called.
    pub function: &'static Function,
    /// Who calls.
    pub caller: Caller,
    /// The account that the host has authenticated: the caller, or who acts for it.
    pub authenticated: &'a str,
    /// What was asked.
    pub args: &'a Args,
    /// The part of a list that will be shown; lists are looked up no further.
    pub part: Range<usize>,
}

impl Request<'_> {
    /// Who asks, for the audit trail.
    fn actor(&self) -> Actor<'_> {
        Actor::new(self.authenticated, self.function.name)
    }
}

/// Calls the WHM API 1 function `name` for `caller`, and applies the output control that `args` asks for.
pub fn whmapi1(tfa: &Tfa, caller: &str, name: &str, args: &Args) -> WhmAnswer {
    whmapi1_for(tfa, caller, caller, name, args)
}

/// The same, with `authenticated` acting for `caller`: the rights are `caller`'s, and the audit trail names
/// `authenticated`. That it may act for `caller` is up to who calls this.
pub fn whmapi1_for(tfa: &Tfa, authenticated: &str, caller: &str, name: &str, args: &Args) -> WhmAnswer {
    let outcome = find(Door::Whm, name).and_then(|function| {
        let control = control::whm(&args.output_control()?)?;
        output::controlled(&control, |part| call(tfa, function, authenticated, caller, args, part))
    });
    WhmAnswer::controlled(name, outcome)
}

/// Calls the function `name` of the UAPI module `module` for `caller`, and applies the output control that `args` asks
/// for.
pub fn uapi(tfa: &Tfa, caller: &str, module: &str, name: &str, args: &Args) -> UapiAnswer {
    uapi_for(tfa, caller, caller, module, name, args)
}

/// The same, with `authenticated` acting for `caller`, as in [`whmapi1_for`].
pub fn uapi_for(tfa: &Tfa, authenticated: &str, caller: &str, module: &str, name: &str, args: &Args) -> UapiAnswer {
    if module != registry::MODULE {
        return UapiAnswer::new(Err(Refusal::UnknownModule(module.to_owned())));
    }
    UapiAnswer::controlled(find(Door::Uapi, name).and_then(|function| {
        let control = control::uapi(&args.output_control()?)?;
        output::controlled(&control, |part| call(tfa, function, authenticated, caller, args, part))
    }))
}

fn find(door: Door, name: &str) -> Result<&'static Function, Refusal> {
    registry::find(door, name).ok_or_else(|| match door {
        Door::Whm => Refusal::UnknownApp(name.to_owned()),
        Door::Uapi => Refusal::UnknownFunction(name.to_owned()),
    })
}

/// Calls `function`, when `caller` may.
fn call(
    tfa: &Tfa,
    function: &'static Function,
    authenticated: &str,
    caller: &str,
    args: &Args,
    part: Range<usize>,
) -> Outcome {
    let caller = Caller::find(tfa, caller, function)?;
    (function.handler)(&Request { tfa, function, caller, authenticated, args, part })
}

/// `true` as the panel writes it.
fn bit(value: bool) -> u8 {
    u8::from(value)
}

/// Nothing to tell but that it worked.
const DONE: Outcome = Ok(Data::None);
