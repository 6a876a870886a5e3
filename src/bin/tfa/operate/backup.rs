//! `tfa backup` and `tfa restore`.
//!
//! Promises: a backup is of one moment and has no key; after a restore no code is accepted that was valid before it, and
//! all recovery codes are revoked.

use std::process::ExitCode;

use tfa::engine::Tfa;
use tfa::engine::audit::Actor;

use super::{Operator, first_names};
use crate::commands::{BackupFile, Global};
use crate::failure::Failure;
use crate::{person, settings, terminal};

/// Writes a backup.
pub fn back_up(global: &Global, BackupFile { file }: &BackupFile) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    operator.tfa.back_up(operator.actor("backup"), file)?;
    terminal::say(&format!(
        "Wrote {}. It has no keys: back up {} in another place.\n",
        file.display(),
        operator.tfa.config().key_file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Restores a backup.
pub fn restore(global: &Global, BackupFile { file }: &BackupFile) -> Result<ExitCode, Failure> {
    let config = settings::config(global)?;
    let name = person::operator(&config)?;
    person::become_owner(&config)?;
    let restored = Tfa::restore(config, Actor::new(&name, "restore"), file)?;
    let mut report = format!(
        "Restored {} enrolments. All recovery codes are revoked ({} of them): their users must generate new ones.\n\
         Codes of the present time steps are not accepted any more; users wait for the next code.\n",
        restored.enrolments, restored.revoked_recovery_codes
    );
    if !restored.missing.is_empty() {
        report.push_str(&format!(
            "{} users were enrolled after the backup, and are not enrolled any more: {}\n",
            restored.missing.len(),
            first_names(restored.missing.iter().map(String::as_str))
        ));
    }
    terminal::say(&report)?;
    Ok(ExitCode::SUCCESS)
}
