//! `tfa audit`: shows the audit trail, all of it or what is asked for, and what is added to it.
//!
//! Promise: what is written to the standard output is whole lines, oldest first, each once.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use tfa::engine::Tfa;
use tfa::engine::audit::{Entry, timestamp};
use tfa::engine::reason::Refusal;

use crate::failure::Failure;
use crate::{settings, terminal};

/// Lines read at once.
const PAGE: usize = 1000;
/// How often a follower looks for new lines.
const PAUSE: Duration = Duration::from_millis(250);

/// What is asked for.
struct Filter<'a> {
    user: Option<&'a str>,
    caller: Option<&'a str>,
    event: Option<&'a str>,
    /// Milliseconds since the epoch.
    since: u64,
    is_json: bool,
}

/// Shows the trail.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let text = |name| matches.get_one::<String>(name).map(String::as_str);
    let since = text("since").map(moment).transpose()?.unwrap_or_default();
    let (user, caller, event, is_json) = (text("user"), text("caller"), text("event"), matches.get_flag("json"));
    let filter = Filter { user, caller, event, since, is_json };
    let tfa = settings::open(matches)?;
    let mut after = 0;
    loop {
        after = show(&tfa, &filter, after)?;
        if !matches.get_flag("follow") {
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(PAUSE);
    }
}

/// Shows the lines after the one with the number `after`; the number of the last one there is.
fn show(tfa: &Tfa, filter: &Filter<'_>, mut after: u64) -> Result<u64, Failure> {
    loop {
        let lines = tfa.audit_lines(after, PAGE)?;
        let mut shown = String::new();
        for line in &lines {
            let entry = Entry::read(line)?;
            if line.time >= filter.since && filter.wants(&entry) {
                shown.push_str(&filter.write(&entry, line.time)?);
                shown.push('\n');
            }
            after = line.id;
        }
        terminal::print(shown.as_bytes())?;
        if lines.len() < PAGE {
            return Ok(after);
        }
    }
}

impl Filter<'_> {
    fn wants(&self, entry: &Entry<'_>) -> bool {
        let is = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
        is(self.user, entry.subject.as_deref().unwrap_or_default())
            && is(self.caller, &entry.caller)
            && is(self.event, &entry.event)
    }

    /// The line as JSON, or for people: time, event, user, caller, function, and what else there is. A dash stands for
    /// no user.
    fn write(&self, entry: &Entry<'_>, time: u64) -> Result<String, Refusal> {
        if self.is_json {
            return entry.to_json(time);
        }
        let (event, subject) = (&entry.event, entry.subject.as_deref().unwrap_or("-"));
        let mut line =
            format!("{}  {event:<24}  {subject}  by {} through {}", timestamp(time), entry.caller, entry.function);
        for (what, value) in [("from", &entry.remote_addr), ("key", &entry.key)] {
            if let Some(value) = value {
                line.push_str(&format!(" {what} {value}"));
            }
        }
        Ok(line)
    }
}

/// A moment, in milliseconds since the epoch: how long ago ("2h", "7days"), a day or a time in UTC.
fn moment(text: &str) -> Result<u64, Failure> {
    let ago = humantime::parse_duration(text).ok().and_then(|ago| SystemTime::now().checked_sub(ago));
    let moment = ago
        .or_else(|| humantime::parse_rfc3339_weak(text).ok())
        .or_else(|| humantime::parse_rfc3339_weak(&format!("{text}T00:00:00")).ok());
    let moment = moment.and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
    moment.and_then(|moment| u64::try_from(moment.as_millis()).ok()).ok_or_else(|| {
        Failure::Usage(
            "--since is neither a duration (2h, 7days) nor a day or time in UTC (2026-01-31T12:00:00)".to_owned(),
        )
    })
}
