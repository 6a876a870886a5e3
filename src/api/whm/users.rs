//! The list of users, and the removal of their enrolments.

use std::collections::HashSet;

use serde_json::{Map, json};

use crate::accounts::{Subject, well_formed};
use crate::api::answer::{Data, Outcome};
use crate::api::caller::Role;
use crate::api::refusal::{ReasonCode, Refusal};
use crate::api::request::Request;
use crate::engine::enrolment::{FailedRemoval, Unreadable};
use crate::engine::presence::Presence;
use crate::wire::ParameterError;

pub fn list(request: &Request<'_>) -> Outcome {
    let (tfa, view, caller) = (request.tfa, request.view, &request.caller);
    let users = match request.args.optional_user("user")? {
        Some(name) => tfa.one_user(view, &request.manages(name, None)?)?,
        None if caller.role == Role::Root => tfa.all_users(view)?,
        None => tfa.users_of(view, caller.subject.account())?,
    };
    Ok(Data::Users(tfa.user_configs(users, request.part.clone())?))
}

pub fn resolve(request: &Request<'_>) -> Outcome {
    let subject = request.managed("user")?;
    let owner = request.view.account(subject.account())?.map(|account| account.owner);
    Ok(Data::Value(json!({
        "user": subject.name(),
        "kind": subject.kind().name(),
        "account": subject.account(),
        "owner": owner,
    })))
}

pub fn remove(request: &Request<'_>) -> Outcome {
    let (mut failed, mut subjects) = (Map::new(), Vec::new());
    for name in users_named(request)? {
        match removable(request, name) {
            Ok(subject) => subjects.push((name, subject)),
            Err(refusal) if refusal.reason_code() == ReasonCode::Unavailable => return Err(refusal),
            Err(refusal) => {
                failed.insert(name.to_owned(), json!(refusal.to_string()));
            }
        }
    }
    // Root removes an enrolment that cannot be read as well: this is how its owner becomes able to enrol again.
    let unreadable = if request.caller.role == Role::Root { Unreadable::Remove } else { Unreadable::Keep };
    let (names, subjects): (Vec<_>, Vec<_>) = subjects.into_iter().unzip();
    let refused = remove_subjects(request, &subjects, unreadable)?;
    let mut modified = Vec::new();
    for (name, subject) in names.into_iter().zip(&subjects) {
        match refused.iter().find(|(refused, _)| refused == subject) {
            Some((_, refusal)) => drop(failed.insert(name.to_owned(), json!(refusal.to_string()))),
            None => modified.push(json!(name)),
        }
    }
    Ok(Data::Value(json!({ "failed": failed, "users_modified": modified })))
}

/// Removes enrolments: the caller's own with proof of its presence, if that is required, and the others as one. Returns those
/// that were not removed.
fn remove_subjects(
    request: &Request<'_>,
    subjects: &[Subject],
    unreadable: Unreadable,
) -> Result<Vec<FailedRemoval>, Refusal> {
    let (tfa, own, current) = (request.tfa, &request.caller.subject, request.current_token()?);
    let presence = request.presence(own, current.as_deref())?;
    if matches!(presence, Presence::NotRequired) || !subjects.contains(own) {
        return Ok(tfa.remove(request.actor(), subjects, unreadable)?);
    }
    let others: Vec<_> = subjects.iter().filter(|subject| *subject != own).cloned().collect();
    let mut failed = match tfa.remove_own(request.actor(), own, unreadable, presence) {
        Ok(()) => Vec::new(),
        Err(refusal) => vec![(own.clone(), refusal)],
    };
    failed.extend(tfa.remove(request.actor(), &others, unreadable)?);
    Ok(failed)
}

/// The values of `user`, `user-0`, `user-1` and so on, each name once, in the order of the request.
fn users_named<'a>(request: &'a Request<'_>) -> Result<Vec<&'a str>, Refusal> {
    let mut seen = HashSet::new();
    let names: Vec<_> = request.args.texts("user")?.into_iter().filter(|name| seen.insert(*name)).collect();
    if names.is_empty() { Err(ParameterError::Required("user".to_owned()).into()) } else { Ok(names) }
}

/// The subject called `name`, if the caller may remove it. Root may also remove the enrolment of an account that no
/// longer exists.
fn removable(request: &Request<'_>, name: &str) -> Result<Subject, Refusal> {
    match request.manages(name, None) {
        Err(Refusal::NoSuchUser(_)) if well_formed(name) => {
            let gone = request.tfa.enrolled_without_account(request.view, name)?;
            gone.ok_or_else(|| Refusal::NoSuchUser(name.to_owned()))
        }
        decided => decided,
    }
}
