//! `whmapi1` and `uapi`: one call, one answer.
//!
//! Promise: a call that could be made, or could not for want of the store, is answered in the API's own envelope;
//! standard output has an answer or nothing.

use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;
use tfa::api::answer::{Answer, CpanelAnswer, UapiAnswer, WhmAnswer};
use tfa::api::args::Args;
use tfa::api::refusal::Refusal;
use tfa::engine::Tfa;
use tfa::wire::form::uri_decode;
use tfa::wire::format::Format;

use crate::failure::Failure;
use crate::{person, settings, terminal};

/// Calls a WHM function.
pub fn whmapi1(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let function = word(matches, "function");
    let answer = match (args(matches)?, person::acting(matches)?, open(matches)?) {
        (args, person, Ok(tfa)) => tfa::api::whmapi1_for(&tfa, &person.authenticated, &person.caller, function, &args),
        (_, _, Err(refusal)) => WhmAnswer::new(function, Err(refusal)),
    };
    show(matches, &Answer::from(answer))
}

/// Calls a UAPI function.
pub fn uapi(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let (module, function) = (word(matches, "module"), word(matches, "function"));
    let result = match (args(matches)?, person::acting(matches)?, open(matches)?) {
        (args, person, Ok(tfa)) => {
            tfa::api::uapi_for(&tfa, &person.authenticated, &person.caller, module, function, &args)
        }
        (_, _, Err(refusal)) => UapiAnswer::new(Err(refusal)),
    };
    let (module, function) = (module.to_owned(), function.to_owned());
    show(matches, &Answer::Cpanel(CpanelAnswer { module, function, result }))
}

/// A word that the command line must have had.
fn word<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map(String::as_str).unwrap_or_default()
}

/// Opens the library. A store that cannot be used is an answer, not bad usage.
fn open(matches: &ArgMatches) -> Result<Result<Tfa, Refusal>, Failure> {
    Ok(Tfa::open(settings::config(matches)?).map_err(Refusal::unavailable))
}

/// The parameters: those on the command line, then those on standard input.
fn args(matches: &ArgMatches) -> Result<Args, Failure> {
    let mut args = Args::default();
    for parameter in matches.get_many::<String>("parameters").into_iter().flatten() {
        let (name, value) = parameter.split_once('=').ok_or_else(|| unreadable("a parameter is not NAME=VALUE"))?;
        let decode = |text| uri_decode(text).map_err(|error| unreadable(&error.to_string()));
        args.add(decode(name)?, Value::String(decode(value)?));
    }
    if matches.contains_id("input") {
        let text = terminal::read_input()?;
        args.append(Args::parse(Some(&text)).map_err(|refusal| Failure::Usage(refusal.to_string()))?);
    }
    Ok(args)
}

/// What is wrong with the parameters, without their values, which may be secrets.
fn unreadable(why: &str) -> Failure {
    Failure::Usage(format!("{why}. See --help"))
}

fn show(matches: &ArgMatches, answer: &Answer) -> Result<ExitCode, Failure> {
    let format = Format::from_name(word(matches, "output")).unwrap_or(Format::Yaml);
    let mut text = format.write(answer).map_err(Failure::Refused)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    terminal::print(text.as_bytes())?;
    Ok(terminal::exit_code(answer.is_success()))
}
