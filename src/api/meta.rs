//! The WHM functions that are about other calls: `applist`, `batch`, and UAPI from WHM (contract section 7).
//!
//! Promise: the rules are those of a direct call. A reseller acts for itself and for the accounts that it owns, root for
//! every user, and a batch does nothing that its caller could not do command by command. A batch has at most 100 commands
//! and 16 MiB of answers; the command that would exceed this fails, and ends the batch.

use serde_json::value::RawValue;

use super::answer::{CpanelAnswer, Data, Outcome, WhmAnswer};
use super::args::{Args, not_valid};
use super::refusal::{MAX_ANSWERS, Refusal};
use super::request::{Api, Request};
use crate::wire::ParameterError;
use crate::wire::control;
use crate::wire::format::Format;

/// The function that a batch must not contain.
const BATCH: &str = "batch";
/// The most commands of a batch (contract section 13).
const MAX_COMMANDS: usize = 100;
/// What begins the names of `uapi_cpanel`'s own parameters.
const UAPI_CPANEL: &str = "cpanel.";
/// What begins the names of `cpanel`'s own parameters.
const CPANEL: &str = "cpanel_jsonapi_";

pub fn applist(request: &Request<'_>) -> Outcome {
    let role = request.caller.role;
    let functions = request.calls.functions().iter();
    let callable = functions.filter(|function| function.api == Api::Whm && role.is_among(function.callers));
    Ok(Data::Apps(callable.map(|function| function.name).collect()))
}

pub fn batch(request: &Request<'_>) -> Outcome {
    let commands = request.args.texts("command")?;
    if commands.is_empty() {
        return Err(ParameterError::Required("command".to_owned()).into());
    }
    if commands.len() > MAX_COMMANDS {
        return Err(not_valid("command", &format!("a batch has at most {MAX_COMMANDS} commands.")).into());
    }
    refuse_output_control(request.args)?;
    let aborts = request.args.bit("abort_on_error")?;
    let (mut answers, mut left) = (Vec::new(), MAX_ANSWERS);
    for command in commands {
        let answer = run(request, command);
        let failed = answer.outcome.is_err();
        let text = written(&answer)?;
        let Some(rest) = left.checked_sub(text.get().len()) else {
            answers.push(written(&WhmAnswer::new(&answer.command, Err(Refusal::TooLarge)))?);
            break;
        };
        left = rest;
        answers.push(text);
        if failed && aborts {
            break;
        }
    }
    Ok(Data::Answers(answers))
}

/// Refuses output control over a whole batch: it would need the batch as values, which takes many times the memory of its
/// text. Each command has its own.
fn refuse_output_control(args: &Args) -> Result<(), Refusal> {
    let parameters = args.output_control()?;
    match parameters.first() {
        Some((name, _)) if !control::whm(&parameters)?.is_idle() => {
            Err(not_valid(name, "a batch has no output control, its commands have.").into())
        }
        _ => Ok(()),
    }
}

/// An answer as JSON: the batch holds its answers as text, which takes a fraction of the memory of values.
fn written(answer: &WhmAnswer) -> Result<Box<RawValue>, Refusal> {
    let unwritable = |why: String| Refusal::unavailable(why);
    let text = Format::Json.write(answer).map_err(unwritable)?;
    RawValue::from_string(text).map_err(|error| unwritable(error.to_string()))
}

/// Runs one command of a batch: a function's name, and its parameters as in a URL.
fn run(request: &Request<'_>, command: &str) -> WhmAnswer {
    let (name, query) = command.split_once('?').unwrap_or((command, ""));
    if name == BATCH {
        return WhmAnswer::new(name, Err(not_valid("command", "a batch cannot be in a batch.").into()));
    }
    match Args::from_query(query) {
        Ok(args) => request.calls.whm(&request.caller.subject, name, &args),
        Err(error) => WhmAnswer::new(name, Err(error.into())),
    }
}

pub fn uapi_cpanel(request: &Request<'_>) -> Outcome {
    let answer = call_uapi(request, UAPI_CPANEL, ["user", "module", "function"])?;
    Ok(Data::Uapi(Box::new(answer.result)))
}

pub fn cpanel(request: &Request<'_>) -> Outcome {
    const VERSION: &str = "cpanel_jsonapi_apiversion";
    if request.args.plain_text(VERSION)?.is_none_or(|version| version != "3") {
        return Err(not_valid(VERSION, "it must be 3, which is UAPI.").into());
    }
    let answer = call_uapi(request, CPANEL, ["user", "module", "func"])?;
    Ok(Data::Cpanel(Box::new(answer)))
}

/// Calls the UAPI function that the parameters `names` under `prefix` name, with the parameters that are not under it.
fn call_uapi(request: &Request<'_>, prefix: &str, names: [&str; 3]) -> Result<CpanelAnswer, Refusal> {
    let [user, module, function] = names.map(|name| format!("{prefix}{name}"));
    let user = request.acting_for(&user)?;
    let (module, function) = (request.args.text(&module)?, request.args.text(&function)?);
    let args = request.args.without(prefix).without("api.columns.");
    let result = request.calls.uapi(&user, module, function, &args);
    Ok(CpanelAnswer { module: module.to_owned(), function: function.to_owned(), result })
}
