//! Backup and restore.
//!
//! [`Tfa::back_up`] writes a copy of the store while logins go on. The copy contains secrets sealed only, and no key: it can be
//! restored only with the key file of its time. [`Tfa::restore`] puts such a copy in the place of the store's records.
//!
//! Promises (contract section 12): after a restore no code is accepted that was valid before it: one-time codes up to the end
//! of the present window count as used, also for handles that were opened before, and all recovery codes are revoked. Failed
//! attempts of subjects that are still enrolled are kept. A copy whose keys are not in the key file is refused. Both are
//! audited. A restore replaces all records, or none.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::config::Config;
use super::opening::{self, IDENTITY, Identity};
use super::record::{self, BACKUP, BOOT, Backup, Boot, Enrolment, KEYS, Keys, Record, UsedCodes, used_codes_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::clock::{Clock, SystemClock, milliseconds};
use crate::otp::code::CodeFormat;
use crate::store::seal::KeyRing;
use crate::store::sqlite::Sqlite;
use crate::store::{Change, Durability, Key, Kind, Line, Unavailable};

/// The result of a restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restoration {
    /// The number of enrolments that were restored.
    pub enrolments: usize,
    /// The number of recovery codes that were revoked.
    pub revoked_recovery_codes: usize,
    /// The subjects that were enrolled before the restore and are not in the backup. They are not enrolled any more.
    pub missing: BTreeSet<String>,
}

/// The rules of a restore at one moment.
struct Rules<'a> {
    now: u64,
    config: &'a Config,
    keys: &'a KeyRing,
    result: Restoration,
}

impl Tfa {
    /// Writes a copy of the store, as of one moment, to the new file `file`, with mode 0600, and records the time.
    pub fn back_up(&self, actor: Actor<'_>, file: &Path) -> Result<(), Refusal> {
        self.store.copy_to(file)?;
        let text = record::write(&Backup { time: self.clock.now().as_secs() })?;
        self.transact(&[BACKUP], Durability::Power, |_| {
            let entry = Entry::new(actor, Event::BackedUp, None);
            Ok(Effects::new(()).change(BACKUP, Some(text.clone())).entry(entry))
        })
    }

    /// The time of the last backup in Unix seconds, if there was one.
    pub fn last_backup(&self) -> Result<Option<u64>, Refusal> {
        Ok(self.record(BACKUP)?.map(|Backup { time }| time))
    }

    /// Restores the backup `file` to the store of `config`, which may be lost.
    pub fn restore(config: Config, actor: Actor<'_>, file: &Path) -> Result<Restoration, Refusal> {
        Self::restore_with_clock(config, actor, file, Arc::new(SystemClock))
    }

    /// The same with another clock, for tests and simulations.
    pub fn restore_with_clock(
        config: Config,
        actor: Actor<'_>,
        file: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Restoration, Refusal> {
        let keys = KeyRing::read(&config.key_file)?.ok_or_else(|| {
            Unavailable(format!(
                "The key file {} is gone. Restore it first: a backup has no keys",
                config.key_file.display()
            ))
        })?;
        let time = milliseconds(clock.now());
        let entry = Entry::new(actor, Event::Restored, None);
        let line =
            (config.audit.days > 0).then(|| Ok::<_, Refusal>(Line { time, text: entry.write()? })).transpose()?;
        let mut rules =
            Rules { now: clock.now().as_secs(), config: &config, keys: &keys, result: Restoration::default() };
        let store = Sqlite::create(&config.database).map_err(|error| {
            Unavailable(format!(
                "{error}. If the database is damaged, move it away with its -wal and -shm files, and restore again"
            ))
        })?;
        let id = store.restore(file, line.as_ref(), &mut |key, here, copy| rules.merge(key, here, copy))?;
        let result = rules.result;
        opening::identify(&store, &keys)?;
        drop(store);
        let tfa = Self::open_with_clock(config, clock).map_err(Refusal::Unavailable)?;
        tfa.send(&[entry], id.as_slice(), time);
        Ok(result)
    }
}

impl Rules<'_> {
    /// The end of the last time step whose code can be accepted now.
    fn window_end(&self, code_format: CodeFormat) -> u64 {
        code_format.window_end(self.now, self.config.skew)
    }

    /// What becomes of the record under `key`, given its text in the store and in the backup.
    fn merge<'k>(
        &mut self,
        key: Key<'k>,
        here: Option<&str>,
        copy: Option<&str>,
    ) -> Result<Vec<Change<'k>>, Unavailable> {
        let text = match (key.kind, key.name) {
            (Kind::Server, name) if name == BOOT.name => kept::<Boot>(name, here, copy)?,
            (Kind::Server, name) if name == BACKUP.name => kept::<Backup>(name, here, copy)?,
            (Kind::Server, name) if name == KEYS.name => self.sealing(copy)?,
            (Kind::Server, name) if name == IDENTITY.name => Some(self.identity(here, copy)?),
            (Kind::Server | Kind::Issuer, _) => copy.map(str::to_owned),
            (Kind::Removed, name) => Some(self.used_codes(name, here, copy)?),
            (Kind::Subject, name) => match copy {
                Some(copy) => Some(self.enrolment(name, here, copy)?),
                None => {
                    self.result.missing.insert(record::name_subject(name));
                    let used = Change { key: used_codes_key(name), text: Some(self.used_codes(name, None, None)?) };
                    return Ok(vec![Change { key, text: None }, used]);
                }
            },
        };
        Ok(vec![Change { key, text }])
    }

    /// The id of the store. A backup of another store than the key file's is refused; a backup from before there were ids
    /// leaves the id as it is.
    fn identity(&self, here: Option<&str>, copy: Option<&str>) -> Result<String, Unavailable> {
        let restored: Option<Identity> = record::read(IDENTITY.name, copy)?;
        if let (Some(Identity { id }), Some(own)) = (&restored, self.keys.store())
            && id != own
        {
            return Err(Unavailable(
                "The backup and the key file belong to different stores. Restore a backup of this store".to_owned(),
            ));
        }
        Ok(copy.or(here).unwrap_or_default().to_owned())
    }

    fn sealing(&self, copy: Option<&str>) -> Result<Option<String>, Unavailable> {
        if let Some(record) = record::read::<Keys>(KEYS.name, copy)? {
            self.require_key(&record.current)?;
        }
        Ok(copy.map(str::to_owned))
    }

    /// The codes of earlier secrets that count as used: all that can be accepted now, and those that were used before.
    fn used_codes(&self, name: &str, here: Option<&str>, copy: Option<&str>) -> Result<String, Unavailable> {
        let mut used: UsedCodes = readable(name, here, copy)?.unwrap_or_default();
        used.floor = used.floor.max(self.window_end(self.config.code_format));
        record::write(&used)
    }

    fn enrolment(&mut self, name: &str, here: Option<&str>, copy: &str) -> Result<String, Unavailable> {
        let subject = record::name_subject(name);
        let damaged = || Unavailable(format!("The backup has no record of \"{subject}\""));
        let mut enrolment: Enrolment = record::read(&subject, Some(copy))?.ok_or_else(damaged)?;
        self.require_key(enrolment.secret.key())?;
        self.keys.open(&subject, &enrolment.secret)?;
        enrolment.used_until = enrolment.used_until.max(self.window_end(enrolment.code_format()));
        // Of a record that cannot be read, nothing is kept.
        if let Some(here) = record::read::<Enrolment>(&subject, here).ok().flatten() {
            enrolment.used_until = enrolment.used_until.max(here.used_until);
            enrolment.guesses = here.guesses;
            enrolment.recovery_guesses = here.recovery_guesses;
            enrolment.denials = here.denials;
        }
        self.result.enrolments = self.result.enrolments.saturating_add(1);
        self.result.revoked_recovery_codes =
            self.result.revoked_recovery_codes.saturating_add(enrolment.recovery.len());
        enrolment.recovery.clear();
        record::write(&enrolment)
    }

    fn require_key(&self, id: &str) -> Result<(), Unavailable> {
        if self.keys.has(id) {
            return Ok(());
        }
        Err(Unavailable(format!(
            "The backup needs the key \"{id}\", which the key file {} does not have. Restore the key file of the same time",
            self.config.key_file.display()
        )))
    }
}

/// The record in the store, or that in the backup when the store has none that can be read.
fn readable<R: Record>(name: &str, here: Option<&str>, copy: Option<&str>) -> Result<Option<R>, Unavailable> {
    match record::read(name, here) {
        Ok(Some(record)) => Ok(Some(record)),
        _ => record::read(name, copy),
    }
}

/// The text of a record that the store keeps, unless it has none that can be read.
fn kept<R: Record>(name: &str, here: Option<&str>, copy: Option<&str>) -> Result<Option<String>, Unavailable> {
    readable::<R>(name, here, copy)?.map(|record| record::write(&record)).transpose()
}
