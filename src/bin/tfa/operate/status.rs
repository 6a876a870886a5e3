//! `tfa status`: the policy, the issuer, and a table of who is enrolled.

use std::process::ExitCode;

use tfa::engine::users::UserConfig;

use super::Operator;
use super::table::table;
use crate::commands::{Global, Status};
use crate::failure::Failure;
use crate::terminal;

const HEADINGS: [&str; 6] = ["USER", "DOMAIN", "2FA", "LOCKED", "WRONG CODES", "RECOVERY CODES"];

type Row = [String; HEADINGS.len()];

/// Shows the table.
pub fn run(global: &Global, Status { user, all }: &Status) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    let (tfa, view) = (&operator.tfa, &operator.view);
    let users = match user {
        Some(user) => tfa.one_user(view, &operator.subject(user)?)?,
        None => tfa.all_users(view)?,
    };
    let users = tfa.user_configs(users, 0..usize::MAX)?;
    let enrolled = users.iter().filter(|user| user.is_enabled).count();
    let shown = users.iter().filter(|config| config.is_enabled || *all || user.is_some());
    let rows = shown.map(|user| row(&operator, user)).collect::<Result<Vec<_>, _>>()?;
    let policy = if tfa.policy()? { "enabled" } else { "disabled" };
    let (issuer, total) = (tfa.system_issuer()?, users.total());
    let mut text = format!("Policy:   {policy}\nIssuer:   {issuer}\nEnrolled: {enrolled} of {total}\n");
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(HEADINGS, &rows));
    }
    terminal::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(operator: &Operator, user: UserConfig<'_>) -> Result<Row, Failure> {
    let (name, domain) = (user.user.to_owned(), user.primary_domain.to_owned());
    let subject = if user.is_enabled { operator.tfa.subject(&operator.view, user.user, None)? } else { None };
    let Some(subject) = subject else {
        return Ok([name, domain, "off".to_owned(), String::new(), String::new(), String::new()]);
    };
    let status = operator.tfa.status(&subject)?;
    let locked = match (status.lock.is_locked(), status.lock.retry_after) {
        (false, _) => "no".to_owned(),
        (true, 0) => "until unlocked".to_owned(),
        (true, seconds) => format!("for {seconds} s"),
    };
    let (failures, codes) = (status.failures.to_string(), status.recovery_codes_left.to_string());
    Ok([name, domain, "on".to_owned(), locked, failures, codes])
}
