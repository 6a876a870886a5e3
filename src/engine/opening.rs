//! Opening a store, and creating one on purpose (contract section 12).
//!
//! A store is a database and a key file that carry the same id. Opening never creates anything: a database, a key file, a
//! folder or a mount that is missing is an error that says which. Only `"create": true`, which `tfa init` sets, creates a
//! store, and only where neither file exists.
//!
//! Stores from before the id get one at their first opening. The database's record is written first and the key file
//! second; if the process dies between, the next opening writes the key file.
//!
//! Promises: a lost database, or a lost or foreign key file, is never taken for a new one, whatever the files are called;
//! processes that create a store at the same time create one.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::boot;
use super::config::Config;
use super::record::{self, BOOT, POLICY, Policy, Record};
use crate::otp::random;
use crate::store::seal::KeyRing;
use crate::store::sqlite::Sqlite;
use crate::store::{Change, Decision, Durability, Key, Kind, Store, Unavailable, private};

/// Where the store's id is.
pub(super) const IDENTITY: Key<'static> = Key { kind: Kind::Server, name: "store" };
/// Bytes of a store's id.
const ID_BYTES: usize = 16;
/// How long an opening waits for another process that creates the store or changes the key file.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it tries again.
const PAUSE: Duration = Duration::from_millis(5);

/// The id of the store, under [`IDENTITY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// 128 random bits in hexadecimal.
    pub(super) id: String,
}

impl Record for Identity {
    type First = Self;
}

/// Opens the store of `config`, and creates it first if the configuration says so.
pub fn open(config: &Config, now: Duration) -> Result<(Sqlite, KeyRing, u64), Unavailable> {
    if config.create && !(config.database.exists() && config.key_file.exists()) {
        create(config)?;
    }
    let store = Sqlite::open(&config.database)?;
    let keys = KeyRing::read(&config.key_file)?.ok_or_else(|| missing_key_file(&config.key_file))?;
    let keys = matched(&store, keys, config)?;
    let text = (&store as &dyn Store).read(&[IDENTITY])?;
    store.bind(IDENTITY, text.at(0).unwrap_or_default());
    let floor = boot::floor(&store, &boot::kernel_boot_id(), now)?;
    Ok((store, keys, floor))
}

fn missing_key_file(path: &Path) -> Unavailable {
    Unavailable(format!(
        "The key file {} does not exist, and without it no secret can be read. Restore it from a backup",
        path.display()
    ))
}

/// Creates the store, unless another process was faster.
fn create(config: &Config) -> Result<(), Unavailable> {
    private::create_directory(&config.key_file)?;
    let _lock = lock(&config.key_file)?;
    match (config.database.exists(), config.key_file.exists()) {
        (true, true) => return Ok(()),
        (false, true) => {
            return Err(Unavailable(format!(
                "The database {} does not exist, but its key file {} does, so the database was lost. Restore it from a \
                 backup; to create a new store, move the key file away",
                config.database.display(),
                config.key_file.display()
            )));
        }
        (_, false) => {}
    }
    let store = Sqlite::create(&config.database)?;
    let id = initialise(&store)?;
    if !store.names(Kind::Subject, "", None, 1)?.is_empty() {
        return Err(missing_key_file(&config.key_file));
    }
    KeyRing::create(&config.key_file, &id).map(drop)
}

/// Writes the records that every store has, if they are missing, and returns the store's id.
fn initialise(store: &dyn Store) -> Result<String, Unavailable> {
    let new = new_id()?;
    store.settle(&[IDENTITY, BOOT, POLICY], Durability::Power, |texts| {
        if let Some(identity) = record::read::<Identity>(IDENTITY.name, texts.at(0))? {
            return Ok((identity.id, Decision::default()));
        }
        let mut changes = vec![Change { key: IDENTITY, text: Some(record::write(&Identity { id: new.clone() })?) }];
        if texts.at(1).is_none() {
            let boot = boot::first(&boot::kernel_boot_id());
            changes.push(Change { key: BOOT, text: Some(record::write(&boot)?) });
            // From now on a policy without a record is one that was lost, and denies logins.
            changes.push(Change { key: POLICY, text: Some(record::write(&Policy { enabled: false })?) });
        }
        Ok((new.clone(), Decision { changes, lines: Vec::new() }))
    })
}

/// Writes the id of the key file into a database without one: the backup that was restored is from before there were ids.
pub(super) fn identify(store: &dyn Store, keys: &KeyRing) -> Result<(), Unavailable> {
    let Some(id) = keys.store() else { return Ok(()) };
    let new = record::write(&Identity { id: id.to_owned() })?;
    store.settle(&[IDENTITY], Durability::Power, |texts| {
        let change = Change { key: IDENTITY, text: Some(new.clone()) };
        let changes = if texts.at(0).is_none() { vec![change] } else { Vec::new() };
        Ok(((), Decision { changes, lines: Vec::new() }))
    })
}

fn new_id() -> Result<String, Unavailable> {
    let mut id = [0u8; ID_BYTES];
    random::fill(&mut id).map_err(|error| Unavailable(error.to_string()))?;
    Ok(HEXLOWER.encode(&id))
}

/// The keys, if database and key file belong together.
fn matched(store: &Sqlite, keys: KeyRing, config: &Config) -> Result<KeyRing, Unavailable> {
    let store: &dyn Store = store;
    let texts = store.read(&[IDENTITY, BOOT])?;
    let identity = record::read::<Identity>(IDENTITY.name, texts.at(0))?;
    match (identity, keys.store()) {
        (Some(identity), Some(id)) if identity.id == id => Ok(keys),
        (Some(identity), None) => adopt(config, &identity.id),
        (None, None) if texts.at(1).is_some() => {
            let id = initialise(store)?;
            adopt(config, &id)
        }
        _ => Err(Unavailable(format!(
            "The database {} and the key file {} belong to different stores, or the database was lost. Restore the pair \
             from backups of the same store",
            config.database.display(),
            config.key_file.display()
        ))),
    }
}

/// Writes the id of the store into a key file from before there were ids.
fn adopt(config: &Config, id: &str) -> Result<KeyRing, Unavailable> {
    let _lock = lock(&config.key_file)?;
    let keys = KeyRing::read(&config.key_file)?.ok_or_else(|| missing_key_file(&config.key_file))?;
    if keys.store().is_some() {
        return Ok(keys);
    }
    let keys = keys.of_store(id);
    keys.write(&config.key_file)?;
    Ok(keys)
}

/// The lock of the key file, for which this waits.
fn lock(key_file: &Path) -> Result<std::fs::File, Unavailable> {
    let deadline = Instant::now().checked_add(PATIENCE);
    loop {
        if let Some(lock) = private::lock(key_file)? {
            return Ok(lock);
        }
        if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
            return Err(Unavailable(format!(
                "The key file {} is locked by another process, which changes it. Try again",
                key_file.display()
            )));
        }
        thread::sleep(PAUSE);
    }
}
