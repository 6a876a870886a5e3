//! The audit trail: who changed what for whom, through which function, and the verdict on each login.
//!
//! Promises: an entry is committed in the transaction of its change, so that neither exists without the other; every denied
//! login is in an entry, of which there is at most one a second for each subject (`denials`). An entry holds no secret and no
//! code. Sinks beside the table receive an entry, with its number, after its commit, outside of every lock, and cannot change
//! the caller's answer. Entries are kept for the configured time and pruned in small batches.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Tfa;
use super::refusal::Refusal;
use super::sink::{Sink, Syslog};
use crate::clock::milliseconds;
use crate::fork;
use crate::store::{Store, StoredLine, Unavailable};

/// Entries that are examined at once when old ones are pruned: few enough that no call waits for long.
const PRUNED_AT_ONCE: usize = 2000;
/// Entries after which a handle prunes; less than [`PRUNED_AT_ONCE`], so that the table shrinks faster than it grows.
const PRUNED_EVERY: u64 = 1000;

/// The settings of the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Days that an entry is kept; with 0 none is stored, and only the sinks receive it.
    pub days: u64,
    /// Whether entries are sent to syslog as well.
    #[serde(deserialize_with = "super::config::switch")]
    pub syslog: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { days: 400, syslog: false }
    }
}

/// The origin of a call.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The account that the host has authenticated.
    pub caller: &'a str,
    /// The function that it called.
    pub function: &'a str,
    /// The address of the client of a login, if the host passed it.
    pub remote_addr: Option<&'a str>,
}

impl<'a> Actor<'a> {
    /// `caller`, calling `function`.
    pub fn new(caller: &'a str, function: &'a str) -> Self {
        Actor { caller, function, remote_addr: None }
    }
}

/// Declares [`Event`] once, with the name and the meaning of each.
macro_rules! events {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// An event of the audit trail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Event {
            $(#[doc = $about] #[serde(rename = $name)] $variant,)*
        }

        impl Event {
            /// All of them.
            pub const ALL: &[Event] = &[$(Event::$variant),*];

            /// Its name in an entry.
            pub fn name(self) -> &'static str {
                match self { $(Event::$variant => $name,)* }
            }
        }
    };
}

events! {
    PolicyEnabled "policy_enabled" "The policy was turned on."
    PolicyDisabled "policy_disabled" "The policy was turned off."
    IssuerSet "issuer_set" "An account set its issuer."
    IssuerReset "issuer_reset" "An account went back to the default issuer."
    Enrolled "enrolled" "A subject enrolled itself."
    SecretSet "secret_set" "An administrator set the secret of a subject."
    Removed "removed" "An enrolment was removed."
    Renamed "renamed" "An account was renamed."
    AccountRemoved "account_removed" "All data of an account were removed."
    RecoveryCodesMade "recovery_codes_made" "Recovery codes were generated. Earlier ones are revoked."
    Unlocked "unlocked" "Failed attempts were reset and locks lifted."
    Verified "verified" "A login was accepted by a one-time code."
    VerifiedByRecoveryCode "verified_by_recovery_code" "A login was accepted by a recovery code."
    Wrong "wrong" "A login was denied: the code was invalid."
    Replayed "replayed" "A login was denied: the code had been used."
    Locked "locked" "A login was denied: no code was examined."
    KeyAdded "key_added" "A new key became the sealing key."
    KeysRetired "keys_retired" "The older keys were removed: no secret is sealed under them."
    BackedUp "backed_up" "A backup was written."
    Restored "restored" "A backup was restored."
}

/// An entry without its number and its time, which the store has beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The name of the [`Event`], or of one that a newer library has.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// The subject; absent when the whole server is concerned.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'a, str>>,
    /// The caller.
    #[serde(borrow)]
    pub caller: Cow<'a, str>,
    /// The function that was called.
    #[serde(borrow)]
    pub function: Cow<'a, str>,
    /// The address of the login's client, if the host passed it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub remote_addr: Option<Cow<'a, str>>,
    /// The id of the new sealing key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// The number of denied attempts that the entry stands for; absent when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The new name of a renamed account.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    /// An entry for `event`, which `actor` caused for `subject`.
    pub(super) fn new(actor: Actor<'a>, event: Event, subject: Option<&'a str>) -> Self {
        Entry {
            event: event.name().into(),
            subject: subject.map(Cow::from),
            caller: actor.caller.into(),
            function: actor.function.into(),
            remote_addr: actor.remote_addr.map(Cow::from),
            key: None,
            count: None,
            new_name: None,
        }
    }

    /// Adds the new name of an account.
    pub(super) fn with_new_name(self, name: &'a str) -> Self {
        Entry { new_name: Some(name.into()), ..self }
    }

    /// Sets the number of attempts.
    pub(super) fn with_count(self, count: u64) -> Self {
        Entry { count: (count > 1).then_some(count), ..self }
    }

    /// Adds the id of a key.
    pub(super) fn with_key(self, id: &'a str) -> Self {
        Entry { key: Some(id.into()), ..self }
    }

    /// The text that is stored.
    pub(super) fn write(&self) -> Result<String, Refusal> {
        write(self)
    }

    /// Reads a stored entry.
    pub fn read(stored: &'a StoredLine) -> Result<Self, Refusal> {
        serde_json::from_str(&stored.text).map_err(|_| {
            Refusal::Unavailable(format!("The line {} of the audit trail is damaged. Restore a backup", stored.id))
        })
    }

    /// The entry as sinks and exports have it: one JSON object that begins with the number, if the entry is stored, and the
    /// time.
    pub fn to_json(&self, id: Option<u64>, time: u64) -> Result<String, Refusal> {
        #[derive(Serialize)]
        struct Export<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<u64>,
            time: String,
            #[serde(flatten)]
            entry: &'a Entry<'a>,
        }
        write(&Export { id, time: timestamp(time), entry: self })
    }
}

/// Milliseconds since the epoch in the notation of RFC 3339; the empty text past the year 9999.
pub fn timestamp(milliseconds: u64) -> String {
    let time = std::time::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds));
    let mut text = String::new();
    let written = time
        .map(|time| std::fmt::Write::write_fmt(&mut text, format_args!("{}", humantime::format_rfc3339_millis(time))));
    if matches!(written, Some(Ok(()))) { text } else { String::new() }
}

fn write(line: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(line)
        .map_err(|error| Refusal::Unavailable(format!("An entry of the audit trail cannot be written: {error}")))
}

/// The sinks beside the table, and the count of entries, by which the table is pruned.
pub(super) struct Trail {
    syslog: Option<Syslog>,
    host: RwLock<Option<Arc<dyn Sink>>>,
    written: AtomicU64,
}

impl Trail {
    pub(super) fn new(settings: Settings) -> Self {
        let syslog = settings.syslog.then(Syslog::system);
        Trail { syslog, host: RwLock::new(None), written: AtomicU64::new(0) }
    }
}

/// Removes some of the entries that are older than configured. A failure is ignored: the next call tries again.
pub(super) fn prune(store: &dyn Store, settings: Settings, now: Duration) {
    let kept = Duration::from_secs(settings.days.saturating_mul(86_400));
    let _ = store.prune(milliseconds(now.saturating_sub(kept)), PRUNED_AT_ONCE);
}

impl Tfa {
    /// Sends every entry to `sink` from now on.
    pub fn set_audit(&self, sink: Box<dyn Sink>) -> Result<(), Refusal> {
        let _operation = fork::enter().map_err(Unavailable::from)?;
        *self.trail.host.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(sink));
        Ok(())
    }

    /// Returns at most `limit` entries of the audit trail after the one with the number `after`, oldest first.
    pub fn audit_lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Refusal> {
        Ok(self.store.lines(after, limit)?)
    }

    /// Sends committed entries to the sinks, and prunes every so often. `ids` are their numbers, if they are stored.
    pub(super) fn send(&self, entries: &[Entry<'_>], ids: &[u64], time: u64) {
        if entries.is_empty() {
            return;
        }
        let trail = &self.trail;
        let host = match fork::enter() {
            Ok(_operation) => trail.host.read().unwrap_or_else(PoisonError::into_inner).clone(),
            Err(_) => None,
        };
        if host.is_some() || trail.syslog.is_some() {
            let ids = ids.iter().copied().map(Some).chain(std::iter::repeat(None));
            for text in entries.iter().zip(ids).filter_map(|(entry, id)| entry.to_json(id, time).ok()) {
                if let Some(syslog) = &trail.syslog {
                    syslog.send(&text);
                }
                if let Some(host) = &host {
                    host.send(&text);
                }
            }
        }
        let count = u64::try_from(entries.len()).unwrap_or_default();
        let before = trail.written.fetch_add(count, Ordering::Relaxed);
        if before.checked_div(PRUNED_EVERY) != before.saturating_add(count).checked_div(PRUNED_EVERY) {
            prune(self.store.as_ref(), self.config.audit, self.clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_the_name_that_is_written() {
        for event in Event::ALL {
            assert_eq!(serde_json::to_value(event).unwrap(), event.name());
        }
    }

    #[test]
    fn entries_are_read_back_and_exported_with_their_number_and_time() {
        let actor = Actor { remote_addr: Some("192.0.2.1"), ..Actor::new("root", "tfa_login") };
        let entry = Entry::new(actor, Event::Wrong, Some("us\"er@example.com"));
        let stored = StoredLine { id: 1, time: 1_800_000_015_042, text: write(&entry).unwrap() };
        assert_eq!(Entry::read(&stored).unwrap(), entry);
        assert_eq!(
            entry.to_json(Some(stored.id), stored.time).unwrap(),
            r#"{"id":1,"time":"2027-01-15T08:00:15.042Z","event":"wrong","subject":"us\"er@example.com","caller":"root","function":"tfa_login","remote_addr":"192.0.2.1"}"#
        );
        let counted = entry.clone().with_count(7);
        assert!(counted.to_json(None, stored.time).unwrap().starts_with(r#"{"time":"2027"#));
        assert!(counted.to_json(None, stored.time).unwrap().ends_with(r#","count":7}"#));
        assert_eq!(entry.clone().with_count(1), entry);
        assert!(Entry::read(&StoredLine { text: "{}".into(), ..stored }).is_err());
        assert_eq!(timestamp(u64::MAX), "");
    }
}
