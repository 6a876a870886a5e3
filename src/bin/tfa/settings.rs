//! The configuration file: `--config`, or the one that the library finds.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use tfa::engine::Tfa;
use tfa::engine::config::{Config, file as configuration};

use crate::failure::Failure;

/// The path of the configuration file; `None` if none is named and there is none.
pub fn file(matches: &ArgMatches) -> Result<Option<PathBuf>, Failure> {
    match matches.get_one::<PathBuf>("config") {
        Some(path) => Ok(Some(path.clone())),
        None => configuration::find().map_err(Failure::Usage),
    }
}

/// The configuration of this server.
pub fn config(matches: &ArgMatches) -> Result<Config, Failure> {
    match matches.get_one::<PathBuf>("config") {
        Some(path) => read(path),
        None => Config::load(None).map_err(Failure::Usage),
    }
}

/// Opens the library for an operator's command.
pub fn open(matches: &ArgMatches) -> Result<Tfa, Failure> {
    Tfa::open(config(matches)?).map_err(Failure::Refused)
}

/// The configuration in a file.
pub fn read(path: &Path) -> Result<Config, Failure> {
    Config::load_file(path).map_err(Failure::Usage)
}
