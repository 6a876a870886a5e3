//! `tfa init`: creates the configuration, the store and the key file, for their owner alone.
//!
//! Promises: it asks nothing; an option that contradicts what exists is an error; what exists is kept as it is; after a
//! failure nothing that it created is left.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use tfa::engine::Tfa;
use tfa::engine::config::{Config, file as configuration};
use tfa::store::private;

use crate::commands::{Global, Init};
use crate::failure::Failure;
use crate::{settings, terminal};

/// The database, unless another path is given.
const STORE: &str = "/var/lib/tfa/tfa.db";
/// A file that only a panel's server has, and its folder.
const PANEL: (&str, &str) = ("/etc/trueuserowners", "/etc");
/// Base32 characters of a new secret: 160 bits, as RFC 4226 section 4 recommends.
const SECRET_LENGTH: usize = 32;

/// What to do after it.
const NEXT_STEPS: &str = "\
Back up the keys apart from the store: without them no secret can be read, with both every one can.
To check the installation, run: tfa doctor
To enrol yourself, run: tfa qr
To require codes at login, run: tfa policy enable
";

/// Creates what does not exist.
pub fn run(global: &Global, options: &Init) -> Result<ExitCode, Failure> {
    let path = settings::file(global)?.unwrap_or_else(|| PathBuf::from(configuration::TOML));
    let path = absolute(&path)?;
    let options = Init { store: given(&options.store)?, accounts: given(&options.accounts)? };
    if let Some(folder) = options.accounts.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::Usage(format!("there is no folder {} with account files", folder.display())));
    }
    let is_new = !exists(&path)?;
    let written = written(&options);
    let config = if is_new {
        Config::parse(Some(&written.to_string())).map_err(Failure::Usage)?
    } else {
        let config = Config::load_file(&path).map_err(Failure::Usage)?;
        agrees(&path, &config, &options)?;
        config
    };
    let files = [("store", config.database.clone()), ("keys", config.key_file.clone())];
    let mut made = Made::default();
    let mut report = line("configuration", &path, is_new);
    for (what, file) in &files {
        let is_new = !exists(file)?;
        made.watch(file, is_new);
        report.push_str(&line(what, file, is_new));
    }
    made.watch(&path, is_new);
    create(config, &path, is_new.then_some(&written)).inspect_err(|_| made.remove())?;
    report.push_str(NEXT_STEPS);
    terminal::say(&report)?;
    Ok(ExitCode::SUCCESS)
}

/// Creates the store and the key file, and then the configuration, unless it exists.
fn create(config: Config, path: &Path, written: Option<&Value>) -> Result<(), Failure> {
    Tfa::open(Config { create: true, ..config }).map_err(Failure::Refused)?;
    let Some(written) = written else { return Ok(()) };
    let text = if configuration::is_json(path) {
        serde_json::to_string_pretty(written).map_err(|error| error.to_string())
    } else {
        toml::to_string(written).map_err(|error| error.to_string())
    };
    let text = text.map_err(Failure::Refused)?;
    private::create(path, text.as_bytes()).map_err(|error| Failure::Refused(error.to_string()))?;
    // It must also pass the checks of those who read it.
    Config::load_file(path).map_err(Failure::Refused).map(drop)
}

/// What the configuration file says.
fn written(options: &Init) -> Value {
    let store = options.store.clone().unwrap_or_else(|| PathBuf::from(STORE));
    let mut written = json!({
        "store": format!("sqlite:{}", store.display()),
        "key_file": store.with_extension("key"),
        "secret_length": SECRET_LENGTH,
        "change_requires_code": true,
    });
    let folder = options.accounts.clone();
    let folder = folder.or_else(|| Path::new(PANEL.0).exists().then(|| PathBuf::from(PANEL.1)));
    let accounts = folder.map_or_else(|| json!({ "system": true }), |folder| json!({ "files": folder }));
    if let Some(keys) = written.as_object_mut() {
        keys.insert("accounts".to_owned(), accounts);
    }
    written
}

/// Checks that the options say the same as the configuration that exists.
fn agrees(path: &Path, config: &Config, options: &Init) -> Result<(), Failure> {
    let differs = |option: &str| {
        Err(Failure::Usage(format!(
            "{} exists and does not agree with --{option}. Edit it, or name another file with --config",
            path.display()
        )))
    };
    if options.store.as_ref().is_some_and(|store| *store != config.database) {
        return differs("store");
    }
    let files = |folder: &PathBuf| json!({ "files": folder });
    if options.accounts.as_ref().is_some_and(|folder| config.accounts.as_ref() != Some(&files(folder))) {
        return differs("accounts");
    }
    Ok(())
}

fn line(what: &str, path: &Path, is_new: bool) -> String {
    let done = if is_new { "Created" } else { "Kept" };
    format!("{done} {} ({what})\n", path.display())
}

/// A path from the command line, which may be relative to the working directory.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Usage(format!("{} is not usable: {error}", path.display())))
}

fn given(path: &Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    path.as_deref().map(absolute).transpose()
}

/// Whether there is anything at `path`. That it cannot be examined is an error.
fn exists(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::Refused(format!("{} cannot be examined: {error}", path.display()))),
    }
}

/// What this run creates, to be removed after a failure.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    /// Adds a file, if it is new, and its folder, if that does not exist yet.
    fn watch(&mut self, file: &Path, is_new: bool) {
        if is_new {
            // SQLite writes two files beside its database, and a lock is one beside the key file.
            self.files.extend(["", "-wal", "-shm", ".lock"].map(|ending| {
                let mut path = file.as_os_str().to_owned();
                path.push(ending);
                PathBuf::from(path)
            }));
        }
        self.folders.extend(file.parent().filter(|folder| !folder.exists()).map(Path::to_owned));
    }

    fn remove(&self) {
        // What was not created yet cannot be removed, and a folder with files of others stays.
        self.files.iter().for_each(|file| drop(fs::remove_file(file)));
        self.folders.iter().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}
