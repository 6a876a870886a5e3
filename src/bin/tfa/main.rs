//! The command line (contract section 8): `tfa whmapi1 …`, `tfa uapi …`, and the commands of operators. Through a link
//! named `whmapi1` or `uapi`, the program is that command.
//!
//! Promises: exit status 0 when it worked, 1 when it did not, 2 for wrong usage, and then nothing on standard output. No
//! operator's command takes a secret or a code as an argument, where other users could see it. What is printed for people
//! has control, bidirectional and line-separator characters escaped.
#![forbid(unsafe_code)]

mod api;
mod code;
mod commands;
mod escape;
mod failure;
mod generate;
mod manual;
mod operate;
mod person;
mod settings;
mod suggestion;
mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use commands::{Command, Program, Tfa, UAPI, Uapi, WHMAPI1, Whmapi1};
use failure::Failure;

fn main() -> ExitCode {
    match run(std::env::args_os().collect()) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Runs the command that the arguments name; the first one is the name of the program. The two APIs are tried first,
/// without building the other commands, because panels call them often.
fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let is_link = arguments.first().is_some_and(|name| [WHMAPI1, UAPI].contains(&file_name(name)));
    let call = arguments.get(usize::from(!is_link)..).unwrap_or_default();
    let prefix = if is_link { "" } else { "tfa " };
    match call.first().map_or("", file_name) {
        WHMAPI1 => {
            let Program { global, call } = parse::<Program<Whmapi1>>(&format!("{prefix}{WHMAPI1}"), call);
            api::whmapi1(&global, &call)
        }
        UAPI => {
            let Program { global, call } = parse::<Program<Uapi>>(&format!("{prefix}{UAPI}"), call);
            api::uapi(&global, &call)
        }
        _ => command(&Tfa::parse_from(arguments)),
    }
}

/// A program's name without its folder.
fn file_name(path: &OsString) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Parses the arguments of the program called `name`. For `--help` and wrong usage it prints what there is to say and ends
/// the process.
fn parse<P: CommandFactory + FromArgMatches>(name: &str, arguments: &[OsString]) -> P {
    let command = P::command().bin_name(name);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| P::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| error.exit())
}

fn command(Tfa { global, command }: &Tfa) -> Result<ExitCode, Failure> {
    match command {
        Command::Whmapi1(call) => api::whmapi1(global, call),
        Command::Uapi(call) => api::uapi(global, call),
        Command::Init(options) => operate::init::run(global, options),
        Command::Policy(action) => operate::policy::run(global, action),
        Command::Issuer(action) => operate::issuer::run(global, action),
        Command::Status(options) => operate::status::run(global, options),
        Command::Qr(options) => operate::qr::run(global, options),
        Command::Login(subject) => operate::login::run(global, subject),
        Command::Unlock(subject) => operate::unlock::run(global, subject),
        Command::Remove(options) => operate::remove::run(global, options),
        Command::RecoveryCodes(subject) => operate::recovery::run(global, subject),
        Command::Code(options) => code::run(options),
        Command::Keys(action) => operate::keys::run(global, action),
        Command::Backup(options) => operate::backup::back_up(global, options),
        Command::Restore(options) => operate::backup::restore(global, options),
        Command::Audit(options) => operate::audit::run(global, options),
        Command::Doctor(options) => operate::doctor::run(global, options),
        Command::Generate(options) => generate::run(options),
    }
}
