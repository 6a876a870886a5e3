//! The command line (contract section 8): `tfa whmapi1 …`, `tfa uapi …`, and the operators' commands. Through a link named
//! `whmapi1` or `uapi` it is that subcommand.
//!
//! Promises: exit status 0 when it worked, 1 when it did not, 2 for bad usage, and then nothing on standard output. No
//! command of an operator takes a secret or a code from the command line, where other users could see it.
#![forbid(unsafe_code)]

mod api;
mod commands;
mod failure;
mod generate;
mod operate;
mod person;
mod settings;
mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use failure::Failure;

fn main() -> ExitCode {
    match run(std::env::args_os().collect()) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Runs what the arguments ask for; the first one is the name that the program was called by. The two doors are tried
/// first, without making all the other subcommands.
fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let links = [commands::WHMAPI1, commands::UAPI];
    let is_link = arguments.first().is_some_and(|name| links.contains(&file_name(name)));
    let call = arguments.get(usize::from(!is_link)..).unwrap_or_default();
    match call.first().map_or("", file_name) {
        commands::WHMAPI1 => api::whmapi1(&parse(commands::whmapi1(), call)),
        commands::UAPI => api::uapi(&parse(commands::uapi(), call)),
        _ => subcommand(&parse(commands::tfa(), &arguments)),
    }
}

/// A program's name without its folder.
fn file_name(path: &OsString) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Reads the arguments; for `--help` and bad usage it prints what is to be said and ends the process.
fn parse(command: Command, arguments: &[OsString]) -> ArgMatches {
    command.try_get_matches_from(arguments).unwrap_or_else(|error| error.exit())
}

fn subcommand(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    match matches.subcommand() {
        Some(("init", matches)) => operate::init::run(matches),
        Some(("login", matches)) => operate::login::run(matches),
        Some(("qr", matches)) => operate::qr::run(matches),
        Some(("status", matches)) => operate::status::run(matches),
        Some(("unlock", matches)) => operate::unlock::run(matches),
        Some(("keys", matches)) => operate::keys::run(matches),
        Some(("audit", matches)) => operate::audit::run(matches),
        Some(("doctor", matches)) => operate::doctor::run(matches),
        Some(("generate", matches)) => generate::run(matches),
        _ => Err(Failure::Usage("there is no such subcommand".to_owned())),
    }
}
