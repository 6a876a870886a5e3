//! The configuration: `--config`, or the file that the library finds.

use std::path::PathBuf;

use tfa::engine::config::{Config, file as configuration};

use crate::commands::Global;
use crate::failure::Failure;

/// Returns the path of the configuration file; `None` if none is named and there is none.
pub fn file(global: &Global) -> Result<Option<PathBuf>, Failure> {
    match &global.config {
        Some(path) => Ok(Some(path.clone())),
        None => configuration::find().map_err(Failure::Usage),
    }
}

/// Returns the configuration of this server.
pub fn config(global: &Global) -> Result<Config, Failure> {
    let config = match &global.config {
        Some(path) => Config::load_file(path),
        None => Config::load(None),
    };
    config.map_err(Failure::Usage)
}
