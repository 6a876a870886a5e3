//! The engine: the rules of two-factor authentication, in safe Rust.
//!
//! Its functions take and return types and act on subjects that exist. `api`, above it, decides who may call them; `store`,
//! below it, keeps the records. Each rule has its own module:
//!
//! | module | rule |
//! |---|---|
//! | `policy` | whether two-factor authentication is enabled |
//! | `issuer` | the issuer that an enrolment has in the authenticator |
//! | `enrolment` | verification before a secret is stored, setting for others, removal |
//! | `presence` | a current code for changes that a subject makes itself |
//! | `recovery` | generating recovery codes |
//! | `secrets` | export of an account's secrets |
//! | `login` | verification of a login; each code is accepted once |
//! | `guess` | the limits on guessing |
//! | `denials` | audit entries for denied attempts |
//! | `lifecycle` | accounts that are renamed, removed or created again |
//! | `boot` | codes used before a power cut stay used |
//! | `subject` | the subject that a name means |
//! | `users` | the list of users |
//! | `keys` | the keys that secrets are sealed under, and their rotation |
//! | `backup` | a restored backup accepts no code that was valid before |
//! | `audit`, `sink` | the audit trail, and where its entries go beside the table |
//! | `record` | the records and their formats |
//! | `transaction` | a rule's changes and audit entries are committed together |
//!
//! Promise: every decision is taken on records of one moment, and is committed with its audit entries only while they are
//! unchanged.

pub mod audit;
pub mod backup;
pub mod config;
pub mod enrolment;
pub mod guess;
pub mod issuer;
pub mod keys;
pub mod lifecycle;
pub mod login;
pub mod policy;
pub mod presence;
pub mod recovery;
pub mod refusal;
pub mod secrets;
pub mod sink;
pub mod subject;
pub mod users;

mod boot;
mod denials;
mod opening;
mod record;
mod transaction;

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use once_cell::race::OnceBox;

use crate::accounts::{Directory, Lookup, View};
use crate::clock::{Clock, SystemClock};
use crate::fork;
use crate::store::seal::KeyRing;
use crate::store::{Key, Store, Unavailable};

use audit::Trail;
use config::Config;
use record::Record;
use refusal::Refusal;

/// An open store with its keys, its account directory and its configuration: what a handle of the C ABI refers to. It can be
/// used from several threads at once.
pub struct Tfa {
    config: Config,
    directory: RwLock<Arc<Directory>>,
    store: Box<dyn Store>,
    keys: RwLock<Arc<KeyRing>>,
    trail: Trail,
    clock: Arc<dyn Clock>,
    /// Unix seconds up to which steps are not accepted (module `boot`).
    floor: u64,
    /// Enrolled names that are not folded (module `subject`).
    unfolded: OnceBox<subject::Unfolded>,
}

impl Tfa {
    /// Opens the store and its key file; creates them only if the configuration says so. The error is a sentence.
    pub fn open(config: Config) -> Result<Self, String> {
        Self::open_with_clock(config, Arc::new(SystemClock))
    }

    /// The same with another clock, for tests and simulations.
    pub fn open_with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let directory = Directory::from_config(config.accounts.as_ref())?;
        let (store, keys, floor) = opening::open(&config, clock.now()).map_err(|error| error.0)?;
        audit::prune(&store, config.audit, clock.now());
        let (directory, keys) = (RwLock::new(Arc::new(directory)), RwLock::new(Arc::new(keys)));
        let trail = Trail::new(config.audit);
        Ok(Tfa { config, directory, store: Box::new(store), keys, trail, clock, floor, unfolded: OnceBox::new() })
    }

    /// The configuration that it was opened with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The record under `key`, if there is one.
    fn record<R: Record>(&self, key: Key<'_>) -> Result<Option<R>, Refusal> {
        Ok(record::read(&record::name_subject(key.name), self.store.read(&[key])?.at(0))?)
    }

    /// The account directory as one request sees it.
    pub fn view(&self) -> Result<View, Refusal> {
        let _operation = fork::enter().map_err(Unavailable::from)?;
        Ok(self.directory.read().unwrap_or_else(PoisonError::into_inner).view())
    }

    /// Asks the host about accounts from now on.
    pub fn set_lookup(&self, lookup: Box<dyn Lookup>) -> Result<(), Refusal> {
        let _operation = fork::enter().map_err(Unavailable::from)?;
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Directory::callback(lookup));
        Ok(())
    }
}
