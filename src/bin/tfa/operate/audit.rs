//! `tfa audit`: shows the audit trail, all of it or what is asked for, and what is added to it.
//!
//! Promise: what is written to the standard output is whole lines, oldest first, each once. A damaged line is told on
//! standard error and hides no other; the exit status is 1 then.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use tfa::engine::Tfa;
use tfa::engine::audit::{Entry, timestamp};
use tfa::engine::refusal::Refusal;

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
    function: Option<&'a str>,
    address: Option<&'a str>,
    /// Milliseconds since the epoch, as is `until`.
    since: u64,
    until: u64,
    is_json: bool,
}

/// Shows the trail.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let text = |name| matches.get_one::<String>(name).map(String::as_str);
    let moment = |name| text(name).map(|text| moment(name, text)).transpose();
    let filter = Filter {
        user: text("user"),
        caller: text("caller"),
        event: text("event"),
        function: text("function"),
        address: text("address"),
        since: moment("since")?.unwrap_or_default(),
        until: moment("until")?.unwrap_or(u64::MAX),
        is_json: matches.get_flag("json"),
    };
    let tfa = settings::open(matches)?;
    let mut shown = Shown { last: 0, is_whole: true };
    loop {
        shown = show(&tfa, &filter, shown)?;
        if !matches.get_flag("follow") {
            return Ok(terminal::exit_code(shown.is_whole));
        }
        thread::sleep(PAUSE);
    }
}

/// How far the trail was shown.
struct Shown {
    /// The number of the last line that was looked at.
    last: u64,
    /// Whether all of them could be read.
    is_whole: bool,
}

/// Shows the lines after those that were `shown`.
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
        let is = |wanted: Option<&str>, found: Option<&str>| wanted.is_none() || wanted == found;
        (self.since..self.until).contains(&time)
            && is(self.user, entry.subject.as_deref())
            && is(self.caller, Some(&entry.caller))
            && is(self.event, Some(&entry.event))
            && is(self.function, Some(&entry.function))
            && is(self.address, entry.remote_addr.as_deref())
    }

    /// The line as JSON, or for people: time, event, user, caller, function, and what else there is. A dash stands for
    /// no user.
    fn write(&self, entry: &Entry<'_>, id: u64, time: u64) -> Result<String, Refusal> {
        if self.is_json {
            return entry.to_json(Some(id), time);
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
        Ok(line)
    }
}

/// The moment that the option `name` tells, in milliseconds since the epoch: how long ago ("2h", "7days"), a day or a
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
