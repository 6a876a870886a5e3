//! The secrets of an account, its mailboxes and its team users, out and in (contract section 2).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::accounts::{Subject, SubjectKind};
use crate::api::answer::{DONE, Data, Outcome};
use crate::api::args::{API, not_valid, read_secret};
use crate::api::refusal::Refusal;
use crate::api::request::Request;
use crate::otp::secret::Secret;
use crate::wire::ParameterError;

pub fn get(request: &Request<'_>) -> Outcome {
    let name = request.args.user("user")?;
    let account = account(request, name)?;
    let secrets = request.tfa.secrets_of(request.view, &account)?;
    let entry = |secret: &Secret| json!({ "secret": secret.to_base32().as_str() });
    let section = |members: &[(String, Secret)]| -> Map<String, Value> {
        members.iter().map(|(name, secret)| (name.clone(), entry(secret))).collect()
    };
    Ok(Data::Value(json!({ name: {
        "email": section(&secrets.mailboxes),
        "primary_account": secrets.account.as_ref().map_or_else(|| json!({}), entry),
        "team": section(&secrets.team),
    }})))
}

/// The account called `name`.
fn account(request: &Request<'_>, name: &str) -> Result<Subject, Refusal> {
    match request.manages(name, None)? {
        account @ Subject::Account { .. } => Ok(account),
        _ => Err(Refusal::NoSuchUser(name.to_owned())),
    }
}

pub fn set(request: &Request<'_>) -> Outcome {
    let mut secrets = Vec::new();
    let mut users = request.args.iter().filter(|(name, _)| !name.starts_with(API)).peekable();
    if users.peek().is_none() {
        return Err(ParameterError::Required("user".to_owned()).into());
    }
    for (name, sections) in users {
        add_secrets(request, name, sections, &mut secrets)?;
    }
    named_once(&secrets)?;
    request.tfa.set_secrets(request.actor(), &secrets)?;
    DONE
}

/// Refuses a subject that is named twice, in two spellings: it is unclear which secret is meant.
fn named_once(secrets: &[(Subject, Secret)]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    match secrets.iter().find(|(subject, _)| !names.insert(subject.name())) {
        Some((subject, _)) => Err(not_valid(subject.name(), "it is named twice.").into()),
        None => Ok(()),
    }
}

/// Adds the secrets of one account's sections, each checked.
fn add_secrets(
    request: &Request<'_>,
    name: &str,
    sections: &Value,
    secrets: &mut Vec<(Subject, Secret)>,
) -> Result<(), Refusal> {
    let account = account(request, name)?;
    let empty = Map::new();
    for (section, value) in object(name, sections)? {
        // PHP writes a section with nothing in it as an empty list.
        let is_empty_list = value.as_array().is_some_and(Vec::is_empty);
        let entries = if is_empty_list { &empty } else { object(section, value)? };
        match section.as_str() {
            "primary_account" if entries.is_empty() => {}
            "primary_account" => secrets.push((account.clone(), secret_in(section, value)?)),
            "email" | "team" => {
                for (user, value) in entries {
                    secrets.push((member(request, &account, section, user)?, secret_in(user, value)?));
                }
            }
            _ => return Err(not_valid(section, "a user has \"email\", \"primary_account\" and \"team\".").into()),
        }
    }
    Ok(())
}

/// The mailbox (`section` is "email") or team user ("team") called `name` of `account`.
fn member(request: &Request<'_>, account: &Subject, section: &str, name: &str) -> Result<Subject, Refusal> {
    let kind = if section == "team" { SubjectKind::Team } else { SubjectKind::Mailbox };
    let subject = request.manages(name, Some(kind))?;
    let belongs = match &subject {
        Subject::Email { account: owner, .. } => section == "email" && owner == account.name(),
        Subject::Team { account: owner, .. } => section == "team" && owner == account.name(),
        // Without a directory, the account can only be seen from the name.
        Subject::Account { name } => name
            .split_once('@')
            .is_some_and(|(_, part)| (section == "team") == (part == request.view.team_part(account.name()))),
    };
    if belongs { Ok(subject) } else { Err(not_valid(name, "it does not belong to this user in this section.").into()) }
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Refusal> {
    Ok(value.as_object().ok_or_else(|| not_valid(name, "it is not an object."))?)
}

fn secret_in(name: &str, value: &Value) -> Result<Secret, Refusal> {
    let secret = object(name, value)?.get("secret").ok_or_else(|| ParameterError::Required("secret".to_owned()))?;
    Ok(read_secret(secret.as_str().unwrap_or_default())?)
}
