//! `tfa keys`: lists and rotates the keys that seal secrets.
//!
//! Promise: no key and no secret is shown. An interrupted rotation is finished by the next.

use std::process::ExitCode;

use tfa::engine::keys::KeyUse;

use super::Operator;
use super::table::table;
use crate::commands::{Global, Keys};
use crate::failure::Failure;
use crate::terminal;

/// Lists or rotates the keys.
pub fn run(global: &Global, action: &Keys) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    match action {
        Keys::List => list(&operator),
        Keys::Rotate => rotate(&operator),
    }
}

fn list(operator: &Operator) -> Result<ExitCode, Failure> {
    let uses = operator.tfa.key_uses()?;
    let rows: Vec<_> = uses.iter().map(row).collect();
    terminal::say(&table(["KEY", "STATE", "SECRETS"], &rows))?;
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

fn rotate(operator: &Operator) -> Result<ExitCode, Failure> {
    let rotation = operator.tfa.rotate_keys(operator.actor("keys rotate"))?;
    let done = if rotation.is_resumed { "The interrupted rotation is finished" } else { "The key is rotated" };
    terminal::say(&format!(
        "{done}: {} secrets were resealed, and all are under {} now.\n\
         Back up the key file. Keep the copy with the older keys as long as backups of the store from before.\n",
        rotation.resealed, rotation.current
    ))?;
    Ok(ExitCode::SUCCESS)
}
