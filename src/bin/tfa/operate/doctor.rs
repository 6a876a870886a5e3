//! `tfa doctor`: checks what two-factor authentication depends on, with one line and one remedy for each check.
//!
//! Promises: it creates nothing; it changes something only with `--fix`; the exit status is 0 only when nothing is wrong.
//! Warnings do not change it.

use std::fs;
use std::io::ErrorKind;
use std::iter;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use tfa::accounts::Subject;
use tfa::api::refusal::Refusal;
use tfa::clock::{Clock, SystemClock};
use tfa::engine::config::{Config, file as configuration};
use tfa::engine::enrolment::Unreadable;
use tfa::ffi::kernel;
use tfa::store::private;

use super::{Operator, first_names};
use crate::commands::{Doctor, Global};
use crate::failure::Failure;
use crate::{escape, person, settings, terminal};

/// The age of the last backup that is not warned of.
const BACKUP_DAYS: u64 = 7;
const SECONDS_PER_DAY: u64 = 86_400;

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Warning,
    Wrong,
}

/// What a check found, with the remedy.
struct Finding {
    check: &'static str,
    state: State,
    message: String,
}

fn ok(check: &'static str, message: impl Into<String>) -> Finding {
    Finding { check, state: State::Ok, message: message.into() }
}

fn warning(check: &'static str, message: impl Into<String>) -> Finding {
    Finding { check, state: State::Warning, message: message.into() }
}

fn wrong(check: &'static str, message: impl Into<String>) -> Finding {
    Finding { check, state: State::Wrong, message: message.into() }
}

/// Checks everything.
pub fn run(global: &Global, options: &Doctor) -> Result<ExitCode, Failure> {
    let mut findings: Vec<_> = match settings::config(global) {
        Ok(config) => {
            let found = configuration(global, &config);
            iter::once(found).chain(server(config, options.fix)).collect()
        }
        Err(failure) => vec![wrong("configuration", failure.why())],
    };
    if !options.no_clock {
        findings.push(clock());
    }
    let is_healthy = findings.iter().all(|finding| finding.state != State::Wrong);
    let text = if options.json { as_json(&findings, is_healthy) } else { as_lines(&findings) };
    terminal::say(&text)?;
    Ok(terminal::exit_code(is_healthy))
}

fn as_lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let mark = match finding.state {
            State::Ok => "ok   ",
            State::Warning => "WARN ",
            State::Wrong => "WRONG",
        };
        format!("{mark} {}: {}\n", finding.check, escape::line(&finding.message))
    };
    findings.iter().map(line).collect()
}

fn as_json(findings: &[Finding], is_healthy: bool) -> String {
    let checks: Vec<_> = findings
        .iter()
        .map(|finding| {
            let state = match finding.state {
                State::Ok => "ok",
                State::Warning => "warning",
                State::Wrong => "wrong",
            };
            json!({"check": finding.check, "state": state, "message": finding.message})
        })
        .collect();
    let text = json!({"is_healthy": u8::from(is_healthy), "checks": checks}).to_string();
    format!("{}\n", escape::json(&text))
}

fn configuration(global: &Global, config: &Config) -> Finding {
    let path = settings::file(global).ok().flatten().unwrap_or_else(|| configuration::TOML.into());
    let path = path.display();
    if config.accounts.is_some() {
        return ok("configuration", path.to_string());
    }
    warning(
        "configuration",
        format!("{path} has no \"accounts\", so that every name counts as a user. Set it to where the users are"),
    )
}

/// The files, and what they hold.
fn server(config: Config, is_fixing: bool) -> Vec<Finding> {
    let name = person::operator(&config);
    if let Err(failure) = person::become_owner(&config) {
        return vec![wrong("user", failure.why())];
    }
    let mut findings = files(&config);
    if findings.iter().all(|finding| finding.state != State::Wrong) {
        match name.and_then(|name| Operator::with(config, name)) {
            Ok(operator) => findings.extend(contents(&operator, is_fixing)),
            Err(failure) => findings.push(wrong("opening", failure.why())),
        }
    }
    findings
}

/// The database and the key file. A file that was lost is to be restored, not created anew: that would accept every
/// password without a code.
fn files(config: &Config) -> Vec<Finding> {
    let (database, key_file) = (config.database.as_path(), config.key_file.as_path());
    let is_absent = |path: &Path| fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let found = |check, path: &Path, lost: String| if is_absent(path) { wrong(check, lost) } else { file(check, path) };
    match (is_absent(database), is_absent(key_file)) {
        (true, true) => vec![wrong(
            "store",
            format!(
                "there is no {}. If there was one, mount its file system or restore a backup; only on a new server, run: tfa init",
                database.display()
            ),
        )],
        _ => vec![
            found(
                "store",
                database,
                format!(
                    "{} is gone, and its key file is there. To restore it, run: tfa restore FILE",
                    database.display()
                ),
            ),
            found(
                "keys",
                key_file,
                format!(
                    "{} is gone, and no secret can be read without it. Restore it from a backup",
                    key_file.display()
                ),
            ),
        ],
    }
}

/// A private file in a private folder.
fn file(check: &'static str, path: &Path) -> Finding {
    match private::check(path).and_then(|_| private::check_directory(path)) {
        Ok(_) => ok(check, format!("{} is for its owner alone", path.display())),
        Err(error) => wrong(check, error.to_string()),
    }
}

/// What the store, the key file and the account directory hold.
fn contents(operator: &Operator, is_fixing: bool) -> Vec<Finding> {
    let checked = |check, finding: Result<Finding, Failure>| finding.unwrap_or_else(|why| wrong(check, why.why()));
    vec![
        checked("sealing keys", sealing_keys(operator)),
        checked("policy", policy(operator)),
        checked("accounts", accounts(operator)),
        checked("enrolments", enrolments(operator, is_fixing)),
        checked("backup", backup(operator)),
    ]
}

fn sealing_keys(operator: &Operator) -> Result<Finding, Failure> {
    let uses = operator.tfa.key_uses()?;
    let missing: Vec<_> = uses.iter().filter(|key| !key.is_present).map(|key| key.id.as_str()).collect();
    Ok(if !missing.is_empty() {
        wrong(
            "sealing keys",
            format!(
                "the key file lacks {}, under which secrets are sealed. Restore it from a backup",
                missing.join(", ")
            ),
        )
    } else if !uses.iter().any(|key| key.is_current) {
        wrong("sealing keys", "the key file lacks the key that seals new secrets. Restore it from a backup")
    } else {
        ok("sealing keys", format!("{} in the key file, and no other is needed", uses.len()))
    })
}

fn policy(operator: &Operator) -> Result<Finding, Failure> {
    Ok(ok(
        "policy",
        if operator.tfa.policy()? {
            "two-factor authentication is enabled"
        } else {
            "two-factor authentication is disabled. To enable it, run: tfa policy enable"
        },
    ))
}

fn accounts(operator: &Operator) -> Result<Finding, Failure> {
    if operator.view.is_open() {
        return Ok(ok("accounts", "none are configured"));
    }
    if !operator.view.lists_accounts() {
        return Ok(ok("accounts", "those of the operating system"));
    }
    Ok(match operator.view.accounts(None) {
        Ok(listing) if listing.len() <= 1 => {
            wrong("accounts", "the account directory has no account but root. Check \"accounts\" in the configuration")
        }
        Ok(listing) => ok("accounts", format!("{} of them, root among them", listing.len())),
        Err(error) => wrong("accounts", format!("{error}. Check \"accounts\" in the configuration")),
    })
}

/// Enrolments of users who do not exist any more: a user who gets the name would have to use the old secret.
fn enrolments(operator: &Operator, is_fixing: bool) -> Result<Finding, Failure> {
    let (count, leftovers) = (operator.tfa.enrolled_count()?, operator.tfa.orphans(&operator.view)?);
    if leftovers.is_empty() {
        return Ok(ok("enrolments", format!("{count}, each of a user who exists")));
    }
    let names = first_names(leftovers.iter().map(String::as_str));
    // A directory that was lost looks as if every user were gone.
    let is_plausible = if operator.view.lists_accounts() {
        operator.view.accounts(None).map_err(Refusal::from)?.len() > 1
    } else {
        u64::try_from(leftovers.len()).is_ok_and(|leftovers| leftovers < count)
    };
    if !is_plausible {
        let remedy = "Check \"accounts\" in the configuration";
        return Ok(wrong("enrolments", format!("the account directory has nobody who is enrolled: {names}. {remedy}")));
    }
    if !is_fixing {
        return Ok(wrong("enrolments", format!("no user exists for {names}. To remove them, run: tfa doctor --fix")));
    }
    let removed: Vec<_> = leftovers.into_iter().map(|name| Subject::Account { name }).collect();
    operator.tfa.remove(operator.actor("doctor --fix"), &removed, Unreadable::Remove)?;
    Ok(ok("enrolments", format!("{} of users who do not exist were removed: {names}", removed.len())))
}

fn backup(operator: &Operator) -> Result<Finding, Failure> {
    let now = SystemClock.now().as_secs();
    Ok(match operator.tfa.last_backup()?.map(|time| now.saturating_sub(time) / SECONDS_PER_DAY) {
        None => warning("backup", "there is none. To write one, run: tfa backup FILE"),
        Some(days) if days > BACKUP_DAYS => {
            warning("backup", format!("the last one is {days} days old. To write one, run: tfa backup FILE"))
        }
        Some(days) => ok("backup", format!("the last one is {days} days old")),
    })
}

/// The clock: a code is valid for seconds.
fn clock() -> Finding {
    match kernel::clock_is_synchronised() {
        Ok(true) => ok("clock", "the kernel reports that it is synchronised"),
        Ok(false) => wrong(
            "clock",
            "the kernel reports that it is not synchronised, so that valid codes may be denied. Install and start chrony or \
             systemd-timesyncd on this machine, or on its host if it is a container",
        ),
        Err(error) => wrong(
            "clock",
            format!("the kernel does not report whether it is synchronised: {error}. Compare it with: date -u"),
        ),
    }
}
