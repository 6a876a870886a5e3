//! `tfa audit`: shows the entries of the audit trail, and follows it.
//!
//! Promise: standard output has whole entries, oldest first, each once. A damaged entry is reported on standard error and
//! hides no other; the exit status is 1 then.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tfa::engine::Tfa;
use tfa::engine::audit::{Entry, timestamp};
use tfa::engine::refusal::Refusal;

use super::Operator;
use crate::commands::{Audit, Global};
use crate::failure::Failure;
use crate::{escape, terminal};

/// Entries read at once.
const PAGE: usize = 1000;
/// The time between two looks for new entries.
const PAUSE: Duration = Duration::from_millis(250);

/// The entries to show.
struct Filter<'a> {
    options: &'a Audit,
    /// Milliseconds since the epoch, as is `until`.
    since: u64,
    until: u64,
}

/// Shows the trail.
pub fn run(global: &Global, options: &Audit) -> Result<ExitCode, Failure> {
    let moment = |name, text: &Option<String>| text.as_deref().map(|text| moment(name, text)).transpose();
    let filter = Filter {
        options,
        since: moment("since", &options.since)?.unwrap_or_default(),
        until: moment("until", &options.until)?.unwrap_or(u64::MAX),
    };
    let tfa = Operator::open(global)?.tfa;
    let mut shown = Shown { last: 0, is_whole: true };
    loop {
        shown = show(&tfa, &filter, shown)?;
        if !options.follow {
            return Ok(terminal::exit_code(shown.is_whole));
        }
        thread::sleep(PAUSE);
    }
}

/// How far the trail was shown.
struct Shown {
    /// The number of the last entry that was read.
    last: u64,
    /// Whether all of them could be read.
    is_whole: bool,
}

/// Shows the entries after those that were `shown`.
fn show(tfa: &Tfa, filter: &Filter<'_>, mut shown: Shown) -> Result<Shown, Failure> {
    loop {
        let lines = tfa.audit_lines(shown.last, PAGE)?;
        let mut text = String::new();
        for line in &lines {
            shown.last = line.id;
            match Entry::read(line) {
                Ok(entry) if filter.wants(line.time, &entry) => {
                    text.push_str(&filter.write(&entry, line.id, line.time)?);
                    text.push('\n');
                }
                Ok(_) => {}
                Err(refusal) => {
                    shown.is_whole = false;
                    Failure::from(refusal).report();
                }
            }
        }
        terminal::print(text.as_bytes())?;
        if lines.len() < PAGE {
            return Ok(shown);
        }
    }
}

impl Filter<'_> {
    fn wants(&self, time: u64, entry: &Entry<'_>) -> bool {
        let Audit { user, caller, event, function, address, .. } = self.options;
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        (self.since..self.until).contains(&time)
            && is(user, entry.subject.as_deref())
            && is(caller, Some(&entry.caller))
            && is(event, Some(&entry.event))
            && is(function, Some(&entry.function))
            && is(address, entry.remote_addr.as_deref())
    }

    /// The entry as JSON, or for people: time, event, user, caller, function, and what else it has. A dash stands for no
    /// user.
    fn write(&self, entry: &Entry<'_>, id: u64, time: u64) -> Result<String, Refusal> {
        if self.options.json {
            return Ok(escape::json(&entry.to_json(Some(id), time)?).into_owned());
        }
        let (event, subject) = (&entry.event, entry.subject.as_deref().unwrap_or("-"));
        let mut line =
            format!("{}  {event:<24}  {subject}  by {} through {}", timestamp(time), entry.caller, entry.function);
        for (what, value) in [("from", &entry.remote_addr), ("key", &entry.key)] {
            if let Some(value) = value {
                line.push_str(&format!(" {what} {value}"));
            }
        }
        if let Some(count) = entry.count {
            line.push_str(&format!(" {count} times"));
        }
        Ok(escape::line(&line).into_owned())
    }
}

/// The moment that the option `name` gives, in milliseconds since the epoch: how long ago ("2h", "7days"), a day or a
/// time in UTC.
fn moment(name: &str, text: &str) -> Result<u64, Failure> {
    let ago = humantime::parse_duration(text).ok().and_then(|ago| SystemTime::now().checked_sub(ago));
    let moment = ago
        .or_else(|| humantime::parse_rfc3339_weak(text).ok())
        .or_else(|| humantime::parse_rfc3339_weak(&format!("{text}T00:00:00")).ok());
    let moment = moment.and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
    moment.and_then(|moment| u64::try_from(moment.as_millis()).ok()).ok_or_else(|| {
        Failure::Usage(format!(
            "--{name} is neither a duration (2h, 7days) nor a day or time in UTC (2026-01-31T12:00:00)"
        ))
    })
}
