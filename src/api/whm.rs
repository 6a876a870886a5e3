//! The WHM API 1 functions (contract sections 2 and 4): each reads its parameters, asks the engine, and shapes the
//! answer. Who may call was decided before.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::answer::{Data, Outcome};
use super::args::{API, not_valid, read_secret};
use super::caller::Role;
use super::{DONE, Request, bit};
use crate::accounts::{Subject, well_formed};
use crate::engine::audit::Actor;
use crate::engine::guess::Lock;
use crate::engine::issuer;
use crate::engine::login::{Method, Verdict};
use crate::engine::reason::Refusal;
use crate::otp::secret::Secret;

pub(super) fn enable_policy(request: &Request<'_>) -> Outcome {
    request.tfa.set_policy(request.actor(), true)?;
    DONE
}

pub(super) fn disable_policy(request: &Request<'_>) -> Outcome {
    request.tfa.set_policy(request.actor(), false)?;
    DONE
}

pub(super) fn policy_status(request: &Request<'_>) -> Outcome {
    Ok(Data::Value(json!({ "is_enabled": bit(request.tfa.policy()?) })))
}

pub(super) fn generate_tfa_config(request: &Request<'_>) -> Outcome {
    let proposal = request.tfa.propose(&request.caller.subject)?;
    Ok(Data::Value(json!({ "otpauth_str": proposal.otpauth.as_str(), "secret": proposal.secret.as_str() })))
}

pub(super) fn set_tfa_config(request: &Request<'_>) -> Outcome {
    enrol_caller(request)?;
    Ok(Data::Value(json!({ "success": 1 })))
}

/// Enrols the caller with the parameters `secret` and `tfa_token`.
pub(super) fn enrol_caller(request: &Request<'_>) -> Result<(), Refusal> {
    let (tfa, args) = (request.tfa, request.args);
    args.text("secret")?;
    let token = Zeroizing::new(args.token(tfa.config().parameters.digits)?);
    tfa.enrol(request.actor(), &request.caller.subject, &args.secret()?, &token)
}

pub(super) fn get_issuer(request: &Request<'_>) -> Outcome {
    let own = request.tfa.own_issuer(request.caller.subject.account())?;
    Ok(Data::Value(json!({ "issuer": own, "system_wide_issuer": request.tfa.system_issuer()? })))
}

pub(super) fn set_issuer(request: &Request<'_>) -> Outcome {
    // Missing is an error; empty is the default.
    let issuer = request.args.optional_text("issuer")?.ok_or_else(|| Refusal::Required("issuer".to_owned()))?;
    issuer::check(issuer).map_err(|why| not_valid("issuer", why))?;
    request.tfa.set_issuer(request.actor(), request.caller.subject.account(), issuer)?;
    DONE
}

pub(super) fn get_user_configs(request: &Request<'_>) -> Outcome {
    let (tfa, caller) = (request.tfa, &request.caller);
    let users = match request.args.optional_user("user")? {
        Some(name) => tfa.one_user(&caller.manages(tfa, name)?)?,
        None if caller.role == Role::Root => tfa.all_users()?,
        None => tfa.users_of(caller.subject.account())?,
    };
    Ok(Data::Users(tfa.user_configs(users, request.part.clone())?))
}

pub(super) fn remove_user_config(request: &Request<'_>) -> Outcome {
    let names = users_named(request)?;
    let (mut failed, mut modified, mut subjects) = (Map::new(), Vec::new(), Vec::new());
    for name in names {
        match removable(request, name) {
            Ok(subject) => {
                subjects.push(subject);
                modified.push(json!(name));
            }
            Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
            Err(refusal) => {
                failed.insert(name.to_owned(), json!(refusal.to_string()));
            }
        }
    }
    request.tfa.remove(request.actor(), &subjects)?;
    Ok(Data::Value(json!({ "failed": failed, "users_modified": modified })))
}

/// The values of `user`, `user-0`, `user-1` and so on, each name once.
fn users_named<'a>(request: &'a Request<'_>) -> Result<Vec<&'a str>, Refusal> {
    let mut seen = HashSet::new();
    let names: Vec<_> = request.args.texts("user")?.into_iter().filter(|name| seen.insert(*name)).collect();
    if names.is_empty() { Err(Refusal::Required("user".to_owned())) } else { Ok(names) }
}

/// The subject called `name`, when the caller may remove it. Root also tidies up after accounts that are gone.
fn removable(request: &Request<'_>, name: &str) -> Result<Subject, Refusal> {
    match request.caller.manages(request.tfa, name) {
        Err(Refusal::NoSuchUser(_)) if well_formed(name) => {
            let gone = Subject::Account { name: name.to_owned() };
            if request.tfa.is_enrolled(&gone)? { Ok(gone) } else { Err(Refusal::NoSuchUser(name.to_owned())) }
        }
        decided => decided,
    }
}

pub(super) fn get_tfa_config_for_user(request: &Request<'_>) -> Outcome {
    let name = request.args.user("user")?;
    let account = account(request, name)?;
    Ok(Data::Value(json!({ name: request.tfa.secrets_of(&account)? })))
}

/// The account called `name`.
fn account(request: &Request<'_>, name: &str) -> Result<Subject, Refusal> {
    match request.caller.manages(request.tfa, name)? {
        account @ Subject::Account { .. } => Ok(account),
        _ => Err(Refusal::NoSuchUser(name.to_owned())),
    }
}

pub(super) fn set_tfa_config_for_user(request: &Request<'_>) -> Outcome {
    let mut secrets = Vec::new();
    for (name, sections) in request.args.iter().filter(|(name, _)| !name.starts_with(API)) {
        add_secrets(request, name, sections, &mut secrets)?;
    }
    if secrets.is_empty() {
        return Err(Refusal::Required("user".to_owned()));
    }
    named_once(&secrets)?;
    request.tfa.set_secrets(request.actor(), &secrets)?;
    DONE
}

/// Refuses a subject that is named twice, in two spellings: nobody can tell which secret is meant.
fn named_once(secrets: &[(Subject, Secret)]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    match secrets.iter().find(|(subject, _)| !names.insert(subject.name())) {
        Some((subject, _)) => Err(not_valid(subject.name(), "it is named twice.")),
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
    for (section, value) in object(name, sections)? {
        let entries = object(section, value)?;
        match section.as_str() {
            "primary_account" if entries.is_empty() => {}
            "primary_account" => secrets.push((account.clone(), secret_in(section, value)?)),
            "email" | "team" => {
                for (user, value) in entries {
                    secrets.push((member(request, &account, section, user)?, secret_in(user, value)?));
                }
            }
            _ => return Err(not_valid(section, "a user has \"email\", \"primary_account\" and \"team\".")),
        }
    }
    Ok(())
}

/// The mailbox (`section` is "email") or team user ("team") called `name` of `account`.
fn member(request: &Request<'_>, account: &Subject, section: &str, name: &str) -> Result<Subject, Refusal> {
    let subject = request.caller.manages(request.tfa, name)?;
    let belongs = match &subject {
        Subject::Email { account: owner, .. } => section == "email" && owner == account.name(),
        Subject::Team { account: owner, .. } => section == "team" && owner == account.name(),
        // Without a directory, the name itself is all that tells whose it is.
        Subject::Account { name } => {
            name.split_once('@').is_some_and(|(_, part)| (section == "team") == (part == account.name()))
        }
    };
    if belongs { Ok(subject) } else { Err(not_valid(name, "it does not belong to this user in this section.")) }
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| not_valid(name, "it is not an object."))
}

fn secret_in(name: &str, value: &Value) -> Result<Secret, Refusal> {
    let secret = object(name, value)?.get("secret").ok_or_else(|| Refusal::Required("secret".to_owned()))?;
    read_secret(secret.as_str().unwrap_or_default())
}

pub(super) fn login_status(request: &Request<'_>) -> Outcome {
    let subject = request.caller.manages(request.tfa, request.args.user("user")?)?;
    let status = request.tfa.status(&subject)?;
    Ok(Data::Value(json!({
        "required": bit(status.required),
        "is_enabled": bit(status.is_enabled),
        "locked": bit(status.lock.is_locked()),
        "retry_after": status.lock.retry_after,
        "failures": status.failures,
        "recovery_codes_left": status.recovery_codes_left,
    })))
}

pub(super) fn verify_login(request: &Request<'_>) -> Outcome {
    let (tfa, args) = (request.tfa, request.args);
    let name = args.user("user")?;
    let token = Zeroizing::new(args.token(tfa.config().parameters.digits)?);
    let actor = Actor { remote_addr: args.remote_address()?, ..request.actor() };
    let subject = request.caller.manages(tfa, name)?;
    let (required, method, lock, reason) = match tfa.login(actor, &subject, &token)? {
        Verdict::NotRequired => (false, None, Lock::default(), None),
        Verdict::Verified(Method::Totp) => (true, Some("totp"), Lock::default(), None),
        Verdict::Verified(Method::Recovery) => (true, Some("recovery"), Lock::default(), None),
        Verdict::Denied(refusal, lock) => (true, None, lock, Some(refusal.to_string())),
    };
    Ok(Data::Value(json!({
        "required": bit(required),
        "verified": bit(method.is_some()),
        "method": method,
        "locked": bit(lock.is_locked()),
        "retry_after": lock.retry_after,
        "reason": reason,
    })))
}

pub(super) fn unlock_user(request: &Request<'_>) -> Outcome {
    let subject = request.caller.manages(request.tfa, request.args.user("user")?)?;
    request.tfa.unlock(request.actor(), &subject)?;
    DONE
}

pub(super) fn generate_recovery_codes(request: &Request<'_>) -> Outcome {
    let codes = request.tfa.make_recovery_codes(request.actor(), &request.caller.subject)?;
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    Ok(Data::Value(json!({ "recovery_codes": codes })))
}
