//! The keys that secrets are sealed under, and changing them while logins go on.
//!
//! The record `keys` names the key that seals; without one it is the key file's current key. Every enrolment is settled
//! together with it. A rotation takes four steps, each of which may be cut off:
//!
//! 1. a new key joins the key file, as its current one;
//! 2. the record names it: from here on no secret can be sealed under an older key;
//! 3. every secret that is under an older key is resealed, in small batches;
//! 4. when none is left, the older keys leave the key file.
//!
//! Promises: a secret's key leaves the file only after the secret is safely under the new one; a rotation that was cut
//! off is finished by the next; a handle that meets an unknown key reads the key file again, once.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Tfa;
use super::audit::{Actor, Entry, Event};
use super::record::{self, Enrolment, KEYS, Keys, enrolment_key};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::fork;
use crate::otp::secret::Secret;
use crate::store::seal::{KeyRing, Sealed};
use crate::store::{Durability, Kind, Unavailable, private};

/// Records that are resealed in one commit: few enough to keep no login waiting.
const BATCH: usize = 64;
/// The longest that it waits between two commits.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// Names asked of the store at once.
const PAGE: usize = 64 * BATCH;

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The id of the key that seals now.
    pub current: String,
    /// Whether an earlier rotation had been cut off, and was finished instead of a new one.
    pub is_resumed: bool,
    /// How many secrets were resealed.
    pub resealed: usize,
}

/// How a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Its id.
    pub id: String,
    /// Whether it seals.
    pub is_current: bool,
    /// Whether it is in the key file.
    pub is_present: bool,
    /// How many secrets are sealed under it.
    pub secrets: usize,
}

/// The key that seals at one moment.
pub(super) struct Sealing {
    keys: Arc<KeyRing>,
    id: String,
}

impl Sealing {
    /// Seals a subject's secret.
    pub(super) fn seal(&self, subject: &str, secret: &Secret) -> Result<Sealed, Unavailable> {
        self.keys.seal(&self.id, subject, secret)
    }
}

/// What became of the secrets that were to be resealed.
#[derive(Default)]
struct Resealed {
    done: usize,
    failed: usize,
    first_failure: Option<Refusal>,
}

impl Tfa {
    /// Opens the secret of the subject called `name`.
    pub(super) fn open_secret(&self, name: &str, sealed: &Sealed) -> Result<Secret, Refusal> {
        Ok(self.keys_with(sealed.key())?.open(name, sealed)?)
    }

    /// The key that seals when `text` is in the record [`KEYS`].
    pub(super) fn sealing(&self, text: Option<&str>) -> Result<Sealing, Refusal> {
        let record: Option<Keys> = record::read(KEYS.name, text)?;
        let Some(Keys { current: id, .. }) = record else {
            let keys = self.keys()?;
            return Ok(Sealing { id: keys.current().to_owned(), keys });
        };
        Ok(Sealing { keys: self.keys_with(&id)?, id })
    }

    /// The keys as they were last read.
    fn keys(&self) -> Result<Arc<KeyRing>, Refusal> {
        let _operation = fork::enter().map_err(Unavailable::from)?;
        Ok(self.keys.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The keys, read again when `id` is not among them.
    fn keys_with(&self, id: &str) -> Result<Arc<KeyRing>, Refusal> {
        let keys = self.keys()?;
        if keys.has(id) { Ok(keys) } else { self.read_keys(id) }
    }

    /// Reads the key file again, for the key called `id`.
    fn read_keys(&self, id: &str) -> Result<Arc<KeyRing>, Refusal> {
        let path = &self.config.key_file;
        let keys = KeyRing::read(path)?.ok_or_else(|| {
            Unavailable(format!(
                "The key file {} with the key \"{id}\" is gone. Restore it from a backup",
                path.display()
            ))
        })?;
        self.use_keys(keys)
    }

    fn use_keys(&self, keys: KeyRing) -> Result<Arc<KeyRing>, Refusal> {
        let keys = Arc::new(keys);
        let _operation = fork::enter().map_err(Unavailable::from)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.clone();
        Ok(keys)
    }

    /// Changes the key, or finishes a rotation that was cut off.
    pub fn rotate_keys(&self, actor: Actor<'_>) -> Result<Rotation, Refusal> {
        let Some(_lock) = private::lock(&self.config.key_file)? else {
            return Err(Refusal::Unavailable("another key rotation is under way. Wait for it".to_owned()));
        };
        let (keys, is_resumed) = self.begin_rotation()?;
        let current = keys.current().to_owned();
        self.name_current(&current, actor)?;
        let resealed = self.reseal_all(&current)?;
        if let Some(failure) = resealed.first_failure {
            return Err(Refusal::Unavailable(format!(
                "{} secrets could not be resealed, and the older keys are kept; {} were. The first failure: {failure}",
                resealed.failed, resealed.done
            )));
        }
        self.retire_older(&keys, actor)?;
        Ok(Rotation { current, is_resumed, resealed: resealed.done })
    }

    /// The keys with a new current one, in the key file; and whether it was there already.
    fn begin_rotation(&self) -> Result<(Arc<KeyRing>, bool), Refusal> {
        let keys = self.read_keys(self.keys()?.current())?;
        let record: Option<Keys> = self.record(KEYS)?;
        if keys.ids().len() > 1 || record.is_some_and(|record| record.current != keys.current()) {
            return Ok((keys, true));
        }
        let keys = keys.with_new_key()?;
        keys.write(&self.config.key_file)?;
        Ok((self.use_keys(keys)?, false))
    }

    /// Has the key called `id` seal from now on.
    fn name_current(&self, id: &str, actor: Actor<'_>) -> Result<(), Refusal> {
        self.transact(&[KEYS], Durability::Power, |texts| {
            let record: Option<Keys> = record::read(KEYS.name, texts.at(0))?;
            if record.is_some_and(|record| record.current == id) {
                return Ok(Effects::new(()));
            }
            let new = record::write(&Keys { current: id.to_owned(), is_only: false })?;
            let entry = Entry::new(actor, Event::KeyAdded, None).with_key(id);
            Ok(Effects::new(()).change(KEYS, Some(new)).entry(entry))
        })
    }

    /// Reseals every secret that is not under the key called `id`. It rests between commits, as long as each took, so
    /// that logins get their turns at the store.
    fn reseal_all(&self, id: &str) -> Result<Resealed, Refusal> {
        let mut resealed = Resealed::default();
        self.each_batch(|names| {
            let begin = Instant::now();
            if !self.reseal(id, names, &mut resealed)? {
                return Ok(());
            }
            thread::sleep(begin.elapsed().min(LONGEST_PAUSE));
            Ok(())
        })?;
        Ok(resealed)
    }

    /// Calls `visit` with the names of all enrolled subjects, a batch at a time.
    fn each_batch(&self, mut visit: impl FnMut(&[String]) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut from = String::new();
        loop {
            let names = self.store.names(Kind::Subject, &from, None, PAGE)?;
            for batch in names.chunks(BATCH) {
                visit(batch)?;
            }
            let Some(last) = names.last().filter(|_| names.len() == PAGE) else {
                return Ok(());
            };
            // The first name after the last one.
            from = format!("{last}\0");
        }
    }

    /// Reseals the secrets of some subjects, in one commit; whether there were any to reseal.
    fn reseal(&self, id: &str, names: &[String], resealed: &mut Resealed) -> Result<bool, Refusal> {
        let keys: Vec<_> = names.iter().map(|name| enrolment_key(name)).collect();
        let (done, failures) = self.transact(&keys, Durability::Power, |texts| {
            let (mut effects, mut done, mut failures) = (Effects::new(()), 0usize, Vec::new());
            for (place, (key, name)) in keys.iter().zip(names).enumerate() {
                match self.resealed(id, name, texts.at(place)) {
                    Ok(None) => {}
                    Ok(new) => {
                        effects = effects.change(*key, new);
                        done = done.saturating_add(1);
                    }
                    Err(refusal) => failures.push(refusal),
                }
            }
            Ok(effects.answer((done, failures)))
        })?;
        resealed.done = resealed.done.saturating_add(done);
        resealed.failed = resealed.failed.saturating_add(failures.len());
        resealed.first_failure = resealed.first_failure.take().or_else(|| failures.into_iter().next());
        Ok(done > 0)
    }

    /// The record under `name` with its secret under the key called `id`; `None` when it is so already, or is gone.
    fn resealed(&self, id: &str, name: &str, text: Option<&str>) -> Result<Option<String>, Refusal> {
        let subject = record::name_subject(name);
        let record: Option<Enrolment> = record::read(&subject, text)?;
        let Some(enrolment) = record.filter(|enrolment| enrolment.secret.key() != id) else {
            return Ok(None);
        };
        let secret = self.open_secret(&subject, &enrolment.secret)?;
        let secret = self.keys_with(id)?.seal(id, &subject, &secret)?;
        Ok(Some(record::write(&Enrolment { secret, ..enrolment })?))
    }

    /// Removes the older keys from the key file, after the record says so: a rotation that is interrupted in between is
    /// finished by the next one, and the audit trail has one entry.
    fn retire_older(&self, keys: &KeyRing, actor: Actor<'_>) -> Result<(), Refusal> {
        if keys.ids().len() == 1 {
            return Ok(());
        }
        let new = record::write(&Keys { current: keys.current().to_owned(), is_only: true })?;
        self.transact(&[KEYS], Durability::Power, |texts| {
            if texts.at(0) == Some(&new) {
                return Ok(Effects::new(()));
            }
            let entry = Entry::new(actor, Event::KeysRetired, None).with_key(keys.current());
            Ok(Effects::new(()).change(KEYS, Some(new.clone())).entry(entry))
        })?;
        let current = keys.current_alone();
        current.write(&self.config.key_file)?;
        self.use_keys(current).map(drop)
    }

    /// All keys, in the key file or under which a secret is sealed, in the order of their ids.
    pub fn key_uses(&self) -> Result<Vec<KeyUse>, Refusal> {
        let sealing = self.sealing(self.store.read(&[KEYS])?.at(0))?;
        let keys = self.read_keys(&sealing.id)?;
        let mut secrets: BTreeMap<String, usize> = keys.ids().map(|id| (id.to_owned(), 0)).collect();
        self.each_batch(|names| {
            let records: Vec<_> = names.iter().map(|name| enrolment_key(name)).collect();
            let texts = self.store.read(&records)?;
            for (place, name) in names.iter().enumerate() {
                let record: Option<Enrolment> = record::read(&record::name_subject(name), texts.at(place))?;
                if let Some(enrolment) = record {
                    let count = secrets.entry(enrolment.secret.key().to_owned()).or_default();
                    *count = count.saturating_add(1);
                }
            }
            Ok(())
        })?;
        let uses = secrets.into_iter().map(|(id, secrets)| KeyUse {
            is_current: id == sealing.id,
            is_present: keys.has(&id),
            id,
            secrets,
        });
        Ok(uses.collect())
    }
}
