//! The secrets of an account, its mailboxes and its team users, out and in (contract section 2).

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::accounts::{Subject, SubjectKind};
use crate::api::answer::{DONE, Data, Outcome};
use crate::api::args::{API, not_valid};
use crate::api::refusal::Refusal;
use crate::api::request::Request;
use crate::otp::code::{self, Algorithm, CodeFormat};
use crate::otp::credential::Credential;
use crate::otp::secret::Secret;
use crate::wire::ParameterError;

pub fn get(request: &Request<'_>) -> Outcome {
    let name = request.args.user("user")?;
    let account = account(request, name)?;
    let secrets = request.tfa.secrets_of(request.view, &account)?;
    let section = |members: &[(String, Credential)]| -> Map<String, Value> {
        members.iter().map(|(name, credential)| (name.clone(), entry(credential))).collect()
    };
    Ok(Data::Value(json!({ name: {
        "email": section(&secrets.mailboxes),
        "primary_account": secrets.account.as_ref().map_or_else(|| json!({}), entry),
        "team": section(&secrets.team),
    }})))
}

/// The keys that say how codes are made. They are left out where they have their usual values.
const ALGORITHM: &str = "algorithm";
const DIGITS: &str = "digits";
const PERIOD: &str = "period";

/// A credential as it is exported.
fn entry(credential: &Credential) -> Value {
    let (ours, usual) = (credential.code_format, CodeFormat::default());
    let mut entry = Map::from_iter([("secret".to_owned(), json!(credential.secret.to_base32().as_str()))]);
    if ours.algorithm != usual.algorithm {
        entry.insert(ALGORITHM.to_owned(), json!(ours.algorithm.name()));
    }
    for (key, value, usual) in [(DIGITS, ours.digits, usual.digits), (PERIOD, ours.period, usual.period)] {
        if value != usual {
            entry.insert(key.to_owned(), json!(value));
        }
    }
    Value::Object(entry)
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
    request.tfa.set_credentials(request.actor(), &secrets)?;
    DONE
}

/// Refuses a subject that is named twice, in two spellings: it is unclear which secret is meant.
fn named_once(secrets: &[(Subject, Credential)]) -> Result<(), Refusal> {
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
    secrets: &mut Vec<(Subject, Credential)>,
) -> Result<(), Refusal> {
    let account = account(request, name)?;
    let empty = Map::new();
    for (section, value) in object(name, sections)? {
        // PHP writes a section with nothing in it as an empty list.
        let is_empty_list = value.as_array().is_some_and(Vec::is_empty);
        let entries = if is_empty_list { &empty } else { object(section, value)? };
        match section.as_str() {
            "primary_account" if entries.is_empty() => {}
            "primary_account" => secrets.push((account.clone(), credential(request, name, entries)?)),
            "email" | "team" => {
                for (user, value) in entries {
                    let subject = member(request, &account, section, user)?;
                    secrets.push((subject, credential(request, user, object(user, value)?)?));
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

/// The credential in the entry of `user`. Each error names the user, since a request can be about many.
fn credential(request: &Request<'_>, user: &str, entry: &Map<String, Value>) -> Result<Credential, Refusal> {
    let named = |key: &str| format!("{user}: {key}");
    let known = ["secret", ALGORITHM, DIGITS, PERIOD];
    if let Some(key) = entry.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(not_valid(&named(key), &format!("the keys are {}.", known.join(", "))).into());
    }
    let text = entry.get("secret").ok_or_else(|| ParameterError::Required(named("secret")))?;
    let secret = Secret::from_base32(text.as_str().unwrap_or_default());
    let secret = secret.map_err(|_| ParameterError::NotBase32(named("secret")))?;
    if secret.is_uniform() {
        return Err(not_valid(&named("secret"), "all of its bytes are equal.").into());
    }
    let mut code_format = request.tfa.config().code_format;
    if let Some(value) = entry.get(ALGORITHM) {
        let algorithm = value.as_str().and_then(Algorithm::from_name);
        code_format.algorithm =
            algorithm.ok_or_else(|| not_valid(&named(ALGORITHM), "it is not SHA1, SHA256 or SHA512."))?;
    }
    let number = |key: &str, range: &RangeInclusive<u32>, usual: u32| -> Result<u32, Refusal> {
        let Some(value) = entry.get(key) else { return Ok(usual) };
        let number =
            value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
        let range = format!("it is not a whole number from {} to {}.", range.start(), range.end());
        Ok(number.ok_or_else(|| not_valid(&named(key), &range))?)
    };
    code_format.digits = number(DIGITS, &code::DIGITS, code_format.digits)?;
    code_format.period = number(PERIOD, &code::PERIODS, code_format.period)?;
    Ok(Credential { secret, code_format })
}
