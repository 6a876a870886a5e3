//! `tfa code`: generates or verifies a one-time code of a secret, without a store.
//!
//! Promise: the secret and the code to verify are read from standard input, without echo at a terminal, and are not
//! repeated. Rules and limits are those of `tfa::api::codes`.

use std::process::ExitCode;

use serde_json::Value;
use tfa::api::args::Args;
use tfa::api::codes;

use crate::commands::Code;
use crate::failure::Failure;
use crate::terminal;

/// Generates or verifies a code.
pub fn run(options: &Code) -> Result<ExitCode, Failure> {
    let mut args = Args::default();
    for (name, value) in [
        ("type", &options.r#type),
        ("algorithm", &options.algorithm),
        ("digits", &options.digits),
        ("period", &options.period),
        ("time", &options.time),
        ("counter", &options.counter),
        ("skew", &options.skew),
    ] {
        if let Some(value) = value {
            args.add(name.to_owned(), Value::from(value.as_str()));
        }
    }
    let secret = terminal::read_hidden("Secret: ")?;
    let name = if options.secret_hex { "secret_hex" } else { "secret" };
    args.add(name.to_owned(), Value::from(secret.as_str()));
    if options.verify { verify(args) } else { generate(&args) }
}

fn generate(args: &Args) -> Result<ExitCode, Failure> {
    let answer = codes::code(args)?;
    terminal::say(&format!("{}\n", answer.get("code").and_then(Value::as_str).unwrap_or_default()))?;
    Ok(ExitCode::SUCCESS)
}

fn verify(mut args: Args) -> Result<ExitCode, Failure> {
    let code = terminal::read_hidden("Code: ")?;
    args.add("code".to_owned(), Value::from(code.as_str()));
    let answer = codes::verify_code(&args)?;
    match answer.get("step").and_then(Value::as_u64) {
        Some(step) => terminal::say(&format!("The code is valid, of step {step}.\n"))?,
        None => return Err(Failure::Refused("The code is invalid.".to_owned())),
    }
    Ok(ExitCode::SUCCESS)
}
