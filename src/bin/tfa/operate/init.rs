//! `tfa init`: makes configuration, store and key file, with permissions for their owner alone, and says what it did.
//!
//! Promise: what is there already is kept as it is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::{Value, json};
use tfa::engine::Tfa;
use tfa::engine::config::file as configuration;
use tfa::store::private;

use crate::failure::Failure;
use crate::{settings, terminal};

/// Where the store is made unless another place is named.
const STORE: &str = "/var/lib/tfa/tfa.db";
/// The file that tells that this is a panel's server, and its folder.
const PANEL: (&str, &str) = ("/etc/trueuserowners", "/etc");
/// Base32 characters of a new secret: 160 bits, as RFC 4226 section 4 recommends.
const SECRET_LENGTH: usize = 32;

/// Makes what is not there.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let path = settings::file(matches)?.unwrap_or_else(|| PathBuf::from(configuration::TOML));
    let is_new = make_configuration(&path, matches)?;
    let config = settings::read(&path)?;
    let files = [("store", config.database.clone()), ("keys", config.key_file.clone())];
    let files = files.map(|(what, path)| (what, !path.exists(), path));
    Tfa::open(config).map_err(Failure::Refused)?;
    let mut told = tell("configuration", &path, is_new);
    for (what, is_new, path) in files {
        told.push_str(&tell(what, &path, is_new));
    }
    told.push_str(
        "Back up the keys apart from the store: without them no secret can be read, with both every one can.\n\
         To ask for second factors: whmapi1 twofactorauth_enable_policy\n",
    );
    terminal::print(told.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn tell(what: &str, path: &Path, is_new: bool) -> String {
    let done = if is_new { "Made" } else { "Kept" };
    format!("{done} {} ({what})\n", path.display())
}

/// Makes the configuration file unless it is there; whether it was made.
fn make_configuration(path: &Path, matches: &ArgMatches) -> Result<bool, Failure> {
    let written = written(matches);
    let text = if configuration::is_json(path) {
        serde_json::to_string_pretty(&written).map_err(|error| error.to_string())
    } else {
        toml::to_string(&written).map_err(|error| error.to_string())
    };
    let text = text.map_err(Failure::Refused)?;
    private::create(path, text.as_bytes()).map_err(|error| Failure::Refused(error.to_string()))
}

/// What the file says.
fn written(matches: &ArgMatches) -> Value {
    let store = matches.get_one::<PathBuf>("store").cloned().unwrap_or_else(|| PathBuf::from(STORE));
    let mut written = json!({
        "store": format!("sqlite:{}", store.display()),
        "key_file": store.with_extension("key"),
        "secret_length": SECRET_LENGTH,
    });
    let folder = matches.get_one::<PathBuf>("accounts").cloned();
    let folder = folder.or_else(|| Path::new(PANEL.0).exists().then(|| PathBuf::from(PANEL.1)));
    if let (Some(folder), Some(keys)) = (folder, written.as_object_mut()) {
        keys.insert("accounts".to_owned(), json!({ "files": folder }));
    }
    written
}
