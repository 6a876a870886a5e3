//! `whmapi1` and `uapi`: one call, one answer.
//!
//! Promise: a call that was made, or could not be made because the store is not available, is answered in the API's own
//! envelope; standard output has that answer or nothing.

use std::process::ExitCode;

use serde_json::Value;
use tfa::api::answer::{Answer, CpanelAnswer, UapiAnswer, WhmAnswer};
use tfa::api::args::Args;
use tfa::api::refusal::Refusal;
use tfa::api::registry::{Api, FUNCTIONS};
use tfa::engine::Tfa;
use tfa::wire::form::uri_decode;

use crate::commands::{Call, Global, Uapi, Whmapi1};
use crate::failure::Failure;
use crate::{escape, person, settings, suggestion, terminal};

/// Calls a WHM function.
pub fn whmapi1(global: &Global, Whmapi1 { call }: &Whmapi1) -> Result<ExitCode, Failure> {
    let (args, config) = (args(call)?, settings::config(global)?);
    let person = person::acting(&config, call.user.as_deref())?;
    person::become_owner(&config)?;
    let answer = match Tfa::open(config) {
        Ok(tfa) => tfa::api::whmapi1_for(&tfa, &person.authenticated, &person.caller, &call.function, &args),
        Err(why) => WhmAnswer::new(&call.function, Err(Refusal::unavailable(why))),
    };
    suggest(Api::Whm, call, answer.outcome.as_ref().err());
    show(call, &Answer::from(answer))
}

/// Calls a UAPI function.
pub fn uapi(global: &Global, Uapi { module, call }: &Uapi) -> Result<ExitCode, Failure> {
    let (args, config) = (args(call)?, settings::config(global)?);
    let person = person::acting(&config, call.user.as_deref())?;
    person::become_owner(&config)?;
    let result = match Tfa::open(config) {
        Ok(tfa) => tfa::api::uapi_for(&tfa, &person.authenticated, &person.caller, module, &call.function, &args),
        Err(why) => UapiAnswer::new(Err(Refusal::unavailable(why))),
    };
    suggest(Api::Uapi, call, result.outcome.as_ref().err());
    show(call, &Answer::Cpanel(CpanelAnswer { module: module.clone(), function: call.function.clone(), result }))
}

/// The parameters: those on the command line, then those on standard input.
fn args(call: &Call) -> Result<Args, Failure> {
    let mut args = Args::default();
    for parameter in &call.parameters {
        let (name, value) = parameter.split_once('=').ok_or_else(|| unreadable("a parameter is not NAME=VALUE"))?;
        let decode = |text| uri_decode(text).map_err(|error| unreadable(&error.to_string()));
        args.add(decode(name)?, Value::String(decode(value)?));
    }
    if call.input.is_some() {
        let text = terminal::read_input()?;
        args.append(Args::parse(Some(&text)).map_err(|refusal| Failure::Usage(refusal.to_string()))?);
    }
    Ok(args)
}

/// What is wrong with the parameters, without their values, which may be secrets.
fn unreadable(why: &str) -> Failure {
    Failure::Usage(format!("{why}. See --help"))
}

/// Names the function that may have been meant, on standard error: the answer keeps its documented text.
fn suggest(api: Api, call: &Call, refusal: Option<&Refusal>) {
    if let Some(Refusal::UnknownApp(_) | Refusal::UnknownFunction(_)) = refusal {
        let names = FUNCTIONS.iter().filter(|function| function.api == api).map(|function| function.name);
        let suggestion = suggestion::for_function(&call.function, names);
        if !suggestion.is_empty() {
            eprintln!("tfa:{}", escape::line(&suggestion));
        }
    }
}

fn show(call: &Call, answer: &Answer) -> Result<ExitCode, Failure> {
    let mut text = call.output.write(answer).map_err(Failure::Refused)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    terminal::print(text.as_bytes())?;
    Ok(terminal::exit_code(answer.is_success()))
}
