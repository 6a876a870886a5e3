//! The panel's API over the engine: its functions, their callers, parameters and answers.
//!
//! Every door calls [`whmapi1`] or [`uapi`], which look the function up in `registry`, check the caller, call the handler
//! and apply output control. [`codes`] has the functions that need no store.

pub mod answer;
pub mod args;
pub mod caller;
pub mod codes;
pub mod refusal;
pub mod registry;
pub mod request;

mod meta;
mod output;
mod uapi;
mod whm;

use std::ops::Range;

use crate::accounts::{Subject, View};
use crate::engine::Tfa;
use crate::wire::control;

use answer::{Outcome, UapiAnswer, WhmAnswer};
use args::Args;
use caller::Caller;
use refusal::Refusal;
use request::{Api, Calls, Function, Request};

/// Calls the WHM API 1 function `name` for `caller`, and applies the output control in `args`.
pub fn whmapi1(tfa: &Tfa, caller: &str, name: &str, args: &Args) -> WhmAnswer {
    whmapi1_for(tfa, caller, caller, name, args)
}

/// Calls a WHM function for `caller` as [`whmapi1`] does. The audit trail names `authenticated`, an account that acts for
/// `caller`; that it may do so is checked before.
pub fn whmapi1_for(tfa: &Tfa, authenticated: &str, caller: &str, name: &str, args: &Args) -> WhmAnswer {
    match tfa.view() {
        Ok(view) => Dispatch { tfa, view: &view, authenticated }.whm(caller, name, args),
        Err(refusal) => WhmAnswer::new(name, Err(refusal.into())),
    }
}

/// Calls the function `name` of the UAPI module `module` for `caller`, and applies the output control in `args`.
pub fn uapi(tfa: &Tfa, caller: &str, module: &str, name: &str, args: &Args) -> UapiAnswer {
    uapi_for(tfa, caller, caller, module, name, args)
}

/// Calls a UAPI function for `caller` as [`uapi`] does, with `authenticated` acting for it as in [`whmapi1_for`].
pub fn uapi_for(tfa: &Tfa, authenticated: &str, caller: &str, module: &str, name: &str, args: &Args) -> UapiAnswer {
    match tfa.view() {
        Ok(view) => Dispatch { tfa, view: &view, authenticated }.uapi(caller, module, name, args),
        Err(refusal) => UapiAnswer::new(Err(refusal.into())),
    }
}

/// The calls of one request: all of them see the same view of the directory.
struct Dispatch<'a> {
    tfa: &'a Tfa,
    view: &'a View,
    authenticated: &'a str,
}

impl Dispatch<'_> {
    fn whm(&self, caller: &str, name: &str, args: &Args) -> WhmAnswer {
        let outcome = self.find(Api::Whm, name).and_then(|function| {
            let control = control::whm(&args.output_control()?)?;
            output::controlled(&control, |part| self.call(function, caller, args, part))
        });
        WhmAnswer::controlled(name, outcome)
    }

    fn uapi(&self, caller: &str, module: &str, name: &str, args: &Args) -> UapiAnswer {
        if module != registry::MODULE {
            return UapiAnswer::new(Err(Refusal::UnknownModule(module.to_owned())));
        }
        UapiAnswer::controlled(self.find(Api::Uapi, name).and_then(|function| {
            let control = control::uapi(&args.output_control()?)?;
            output::controlled(&control, |part| self.call(function, caller, args, part))
        }))
    }

    fn find(&self, api: Api, name: &str) -> Result<&'static Function, Refusal> {
        registry::find(api, name).ok_or_else(|| match api {
            Api::Whm => Refusal::UnknownApp(name.to_owned()),
            Api::Uapi => Refusal::UnknownFunction(name.to_owned()),
        })
    }

    /// Calls `function`, if `caller` exists and has the role for it.
    fn call(&self, function: &'static Function, caller: &str, args: &Args, part: Range<usize>) -> Outcome {
        let Dispatch { tfa, view, authenticated } = *self;
        let caller = Caller::find(tfa, view, caller)?.filter(|caller| caller.role.is_among(function.callers));
        let caller = caller.ok_or_else(|| Refusal::NotAuthorizedToCall(function.name.to_owned()))?;
        (function.handler)(&Request { tfa, view, function, caller, authenticated, args, part, calls: self })
    }
}

impl Calls for Dispatch<'_> {
    fn functions(&self) -> &'static [Function] {
        registry::FUNCTIONS
    }

    fn whm(&self, caller: &Subject, name: &str, args: &Args) -> WhmAnswer {
        self.whm(caller.name(), name, args)
    }

    fn uapi(&self, caller: &Subject, module: &str, name: &str, args: &Args) -> UapiAnswer {
        self.uapi(caller.name(), module, name, args)
    }
}
