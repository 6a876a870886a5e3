//! The audit trail: who did what to whom, through which function, and what came of each login.
//!
//! Promises: a line is written in the transaction of the change that it tells of, so neither is there without the
//! other; a verdict that changes nothing (a replayed code, a lock) is a line alone, and is written before it is told. A
//! line has no secret and no code. Sinks beside the table hear of a line after its commit, outside of every lock, and
//! cannot change what the caller is told. Lines are kept for the configured time, and pruned a few at a time.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Tfa;
use super::refusal::Refusal;
use super::sink::{Sink, Syslog};
use crate::fork;
use crate::store::{Store, StoredLine, Unavailable};

/// How many lines are looked at when old ones are pruned: few enough to keep nobody waiting.
const PRUNED_AT_ONCE: usize = 2000;
/// After how many lines a handle prunes; less than [`PRUNED_AT_ONCE`], so that the table shrinks faster than it grows.
const PRUNED_EVERY: u64 = 1000;

/// What is kept and where it goes beside the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Days that a line is kept; with 0 none is written, and only the sinks hear of it.
    pub days: u64,
    /// Whether lines go to syslog as well.
    pub syslog: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { days: 400, syslog: false }
    }
}

/// Who asks, through which function, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The account that the host has authenticated.
    pub caller: &'a str,
    /// What it called.
    pub function: &'a str,
    /// Where a login comes from, when the host told.
    pub remote_addr: Option<&'a str>,
}

impl<'a> Actor<'a> {
    /// `caller`, calling `function`.
    pub fn new(caller: &'a str, function: &'a str) -> Self {
        Actor { caller, function, remote_addr: None }
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The policy was turned on.
    PolicyEnabled,
    /// The policy was turned off.
    PolicyDisabled,
    /// An account set its issuer.
    IssuerSet,
    /// An account went back to the default issuer.
    IssuerReset,
    /// A subject enrolled itself.
    Enrolled,
    /// A subject was given a secret by an administrator.
    SecretSet,
    /// An enrolment was removed.
    Removed,
    /// Recovery codes were made, and the ones before died.
    RecoveryCodesMade,
    /// Wrong codes and locks were forgotten.
    Unlocked,
    /// A login: a one-time code was right.
    Verified,
    /// A login: a recovery code was right.
    VerifiedByRecoveryCode,
    /// A login: the code was wrong.
    Wrong,
    /// A login: the code was right, and had been used.
    Replayed,
    /// A login: no code was looked at.
    Locked,
    /// A new key seals secrets from now on.
    KeyAdded,
    /// No secret is sealed under the older keys any more.
    KeysRetired,
}

impl Event {
    /// All of them.
    pub const ALL: [Event; 16] = [
        Event::PolicyEnabled,
        Event::PolicyDisabled,
        Event::IssuerSet,
        Event::IssuerReset,
        Event::Enrolled,
        Event::SecretSet,
        Event::Removed,
        Event::RecoveryCodesMade,
        Event::Unlocked,
        Event::Verified,
        Event::VerifiedByRecoveryCode,
        Event::Wrong,
        Event::Replayed,
        Event::Locked,
        Event::KeyAdded,
        Event::KeysRetired,
    ];

    /// Its name in a line.
    pub fn name(self) -> &'static str {
        match self {
            Event::PolicyEnabled => "policy_enabled",
            Event::PolicyDisabled => "policy_disabled",
            Event::IssuerSet => "issuer_set",
            Event::IssuerReset => "issuer_reset",
            Event::Enrolled => "enrolled",
            Event::SecretSet => "secret_set",
            Event::Removed => "removed",
            Event::RecoveryCodesMade => "recovery_codes_made",
            Event::Unlocked => "unlocked",
            Event::Verified => "verified",
            Event::VerifiedByRecoveryCode => "verified_by_recovery_code",
            Event::Wrong => "wrong",
            Event::Replayed => "replayed",
            Event::Locked => "locked",
            Event::KeyAdded => "key_added",
            Event::KeysRetired => "keys_retired",
        }
    }
}

/// A line: what happened, but for the time, which stands beside it in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// What happened: an [`Event`]'s name, or one that a newer library knows.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// Whom it is about; absent when it is about the whole server.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'a, str>>,
    /// Who asked.
    #[serde(borrow)]
    pub caller: Cow<'a, str>,
    /// Through which function.
    #[serde(borrow)]
    pub function: Cow<'a, str>,
    /// Where a login came from, when the host told.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub remote_addr: Option<Cow<'a, str>>,
    /// The id of the key that seals secrets from then on.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    /// `event`, brought about by `actor`, about `subject`.
    pub(super) fn new(actor: Actor<'a>, event: Event, subject: Option<&'a str>) -> Self {
        Entry {
            event: event.name().into(),
            subject: subject.map(Cow::from),
            caller: actor.caller.into(),
            function: actor.function.into(),
            remote_addr: actor.remote_addr.map(Cow::from),
            key: None,
        }
    }

    /// About the key called `id`.
    pub(super) fn with_key(self, id: &'a str) -> Self {
        Entry { key: Some(id.into()), ..self }
    }

    /// The text of the line.
    pub(super) fn write(&self) -> Result<String, Refusal> {
        write(self)
    }

    /// The line that `stored` is.
    pub fn read(stored: &'a StoredLine) -> Result<Self, Refusal> {
        serde_json::from_str(&stored.text).map_err(|_| {
            Refusal::Unavailable(format!("The line {} of the audit trail is damaged. Restore a backup", stored.id))
        })
    }

    /// The line as sinks and exports have it: one JSON object, with the time in front.
    pub fn to_json(&self, time: u64) -> Result<String, Refusal> {
        #[derive(Serialize)]
        struct Told<'a> {
            time: String,
            #[serde(flatten)]
            entry: &'a Entry<'a>,
        }
        write(&Told { time: timestamp(time), entry: self })
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
        .map_err(|error| Refusal::Unavailable(format!("A line of the audit trail cannot be written: {error}")))
}

/// The sinks beside the table, and when to prune it.
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

/// Takes away some of the lines that are older than they have to be. A failure is no reason to keep anybody waiting or
/// out: the next one tries again.
pub(super) fn prune(store: &dyn Store, settings: Settings, now: Duration) {
    let kept = Duration::from_secs(settings.days.saturating_mul(86_400));
    let _ = store.prune(milliseconds(now.saturating_sub(kept)), PRUNED_AT_ONCE);
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Tfa {
    /// Tells `sink` of every line from now on.
    pub fn set_audit(&self, sink: Box<dyn Sink>) -> Result<(), Refusal> {
        let _operation = fork::enter().map_err(Unavailable::from)?;
        *self.trail.host.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(sink));
        Ok(())
    }

    /// At most `limit` lines of the audit trail after the one with the number `after`, oldest first.
    pub fn audit_lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Refusal> {
        Ok(self.store.lines(after, limit)?)
    }

    /// Tells the sinks of lines that are committed, and prunes now and then.
    pub(super) fn tell(&self, entries: &[Entry<'_>], time: u64) {
        if entries.is_empty() {
            return;
        }
        let trail = &self.trail;
        let host = match fork::enter() {
            Ok(_operation) => trail.host.read().unwrap_or_else(PoisonError::into_inner).clone(),
            Err(_) => None,
        };
        if host.is_some() || trail.syslog.is_some() {
            for line in entries.iter().filter_map(|entry| entry.to_json(time).ok()) {
                if let Some(syslog) = &trail.syslog {
                    syslog.tell(&line);
                }
                if let Some(host) = &host {
                    host.tell(&line);
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
    fn lines_are_read_back_and_told_with_their_time() {
        let actor = Actor { remote_addr: Some("192.0.2.1"), ..Actor::new("root", "tfa_login") };
        let entry = Entry::new(actor, Event::Wrong, Some("us\"er@example.com"));
        let stored = StoredLine { id: 1, time: 1_800_000_015_042, text: write(&entry).unwrap() };
        assert_eq!(Entry::read(&stored).unwrap(), entry);
        assert_eq!(
            entry.to_json(stored.time).unwrap(),
            r#"{"time":"2027-01-15T08:00:15.042Z","event":"wrong","subject":"us\"er@example.com","caller":"root","function":"tfa_login","remote_addr":"192.0.2.1"}"#
        );
        assert!(Entry::read(&StoredLine { text: "{}".into(), ..stored }).is_err());
        assert_eq!(timestamp(u64::MAX), "");
    }
}
