//! The configuration file: `--config`, else `TFA_CONFIG`, else `tfa.toml` or `tfa.json` in `/etc/tfa`, else the defaults.
//!
//! A file whose name ends in `.json` is JSON, any other TOML; the keys are those of contract section 10.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::Value;
use tfa::engine::Tfa;
use tfa::engine::config::{Config, MAX_TEXT};

use crate::failure::Failure;

/// The variable that names the file.
const VARIABLE: &str = "TFA_CONFIG";
/// The file that `tfa init` makes.
pub const TOML: &str = "/etc/tfa/tfa.toml";
/// The same in JSON.
const JSON: &str = "/etc/tfa/tfa.json";

/// The file that was named, if one was.
fn named(matches: &ArgMatches) -> Option<PathBuf> {
    let option = matches.get_one::<PathBuf>("config").cloned();
    option.or_else(|| std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from))
}

/// The file that holds; none when none was named and none is there.
pub fn file(matches: &ArgMatches) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = named(matches) {
        return Ok(Some(path));
    }
    match (Path::new(TOML).exists(), Path::new(JSON).exists()) {
        (true, true) => Err(Failure::Usage(format!("there are {TOML} and {JSON}. Remove one of them"))),
        (true, false) => Ok(Some(PathBuf::from(TOML))),
        (false, true) => Ok(Some(PathBuf::from(JSON))),
        (false, false) => Ok(None),
    }
}

/// The configuration that holds.
pub fn config(matches: &ArgMatches) -> Result<Config, Failure> {
    match file(matches)? {
        Some(path) => read(&path),
        None => Config::parse(None).map_err(Failure::Usage),
    }
}

/// The library, opened for an operator's command.
pub fn open(matches: &ArgMatches) -> Result<Tfa, Failure> {
    Tfa::open(config(matches)?).map_err(Failure::Refused)
}

/// Whether a file of this name is JSON.
pub fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// The configuration in a file.
pub fn read(path: &Path) -> Result<Config, Failure> {
    let wrong = |why: String| Failure::Usage(format!("the configuration {} cannot be used: {why}", path.display()));
    let length = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > u64::try_from(MAX_TEXT).unwrap_or(u64::MAX) {
        return Err(wrong(format!("it has more than {MAX_TEXT} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    if is_json(path) {
        return Config::parse(Some(&text)).map_err(wrong);
    }
    let value: Value = toml::from_str(&text).map_err(|error| wrong(located(&text, &error)))?;
    Config::parse(Some(&value.to_string())).map_err(wrong)
}

/// What is wrong and in which line, but not what stands there, which may be a password.
fn located(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count().saturating_add(1), error.message())
}
