//! `tfa keys`: the keys that secrets are sealed under, and a new one in their place.
//!
//! Promise: no key and no secret is shown. A rotation that was cut off is finished by the next.

use std::process::ExitCode;

use clap::ArgMatches;
use tfa::engine::audit::Actor;
use tfa::engine::keys::KeyUse;

use super::table;
use crate::failure::Failure;
use crate::{person, settings, terminal};

/// Lists the keys, or changes the key.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    match matches.subcommand() {
        Some(("list", matches)) => list(matches),
        Some(("rotate", matches)) => rotate(matches),
        _ => Err(Failure::Usage("keys are listed or rotated".to_owned())),
    }
}

fn list(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let uses = settings::open(matches)?.key_uses()?;
    let rows: Vec<_> = uses.iter().map(row).collect();
    terminal::print(table(["KEY", "STATE", "SECRETS"], &rows).as_bytes())?;
    Ok(terminal::exit_code(uses.iter().all(|key| key.is_present)))
}

fn row(key: &KeyUse) -> [String; 3] {
    let state = match (key.is_present, key.is_current) {
        (false, _) => "MISSING",
        (true, true) => "current",
        (true, false) => "old",
    };
    [key.id.clone(), state.to_owned(), key.secrets.to_string()]
}

fn rotate(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let caller = person::caller()?;
    let rotation = settings::open(matches)?.rotate_keys(Actor::new(&caller, "keys rotate"))?;
    let done = if rotation.is_resumed { "The rotation that was cut off is finished" } else { "The key is changed" };
    let told = format!(
        "{done}: {} secrets were resealed, and all are under {} now.\n\
         Back up the key file. Keep the copy with the older keys as long as backups of the store from before.\n",
        rotation.resealed, rotation.current
    );
    terminal::print(told.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
