//! `tfa status`: the policy, and who is enrolled, as a table that people can read.

use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;
use tfa::engine::Tfa;

use super::{is_set, number, table, text, whm};
use crate::failure::Failure;
use crate::{person, settings, terminal};

const HEADINGS: [&str; 6] = ["USER", "DOMAIN", "2FA", "LOCKED", "WRONG CODES", "RECOVERY CODES"];

/// A line of the table.
type Row = [String; HEADINGS.len()];

/// Shows the table.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let (caller, tfa) = (person::caller()?, settings::open(matches)?);
    let subject = matches.get_one::<String>("subject").map(String::as_str).unwrap_or_default();
    let policy = whm(&tfa, &caller, "twofactorauth_policy_status", [])?;
    let issuer = whm(&tfa, &caller, "twofactorauth_get_issuer", [])?;
    let users = whm(&tfa, &caller, "twofactorauth_get_user_configs", [("user", subject)])?;
    let users = users.as_object().into_iter().flatten();
    let is_shown = |config: &Value| is_set(config, "is_enabled") || matches.get_flag("all") || !subject.is_empty();
    let total = users.clone().count();
    let enrolled = users.clone().filter(|(_, config)| is_set(config, "is_enabled")).count();
    let shown = users.filter(|(_, config)| is_shown(config));
    let rows = shown.map(|(user, config)| row(&tfa, &caller, user, config)).collect::<Result<Vec<_>, _>>()?;

    let policy = if is_set(&policy, "is_enabled") { "enabled" } else { "disabled" };
    let mut shown =
        format!("Policy:   {policy}\nIssuer:   {}\nEnrolled: {enrolled} of {total}\n", text(&issuer, "issuer"));
    if !rows.is_empty() {
        shown.push('\n');
        shown.push_str(&table(HEADINGS, &rows));
    }
    terminal::print(shown.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn row(tfa: &Tfa, caller: &str, user: &str, config: &Value) -> Result<Row, Failure> {
    let domain = text(config, "primary_domain").to_owned();
    if !is_set(config, "is_enabled") {
        return Ok([user.to_owned(), domain, "off".to_owned(), String::new(), String::new(), String::new()]);
    }
    let status = whm(tfa, caller, "twofactorauth_login_status", [("user", user)])?;
    let locked = match (is_set(&status, "locked"), number(&status, "retry_after")) {
        (false, _) => "no".to_owned(),
        (true, 0) => "until unlocked".to_owned(),
        (true, seconds) => format!("for {seconds} s"),
    };
    let count = |key| number(&status, key).to_string();
    Ok([user.to_owned(), domain, "on".to_owned(), locked, count("failures"), count("recovery_codes_left")])
}
