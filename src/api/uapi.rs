//! The UAPI functions of the module TwoFactorAuth (contract section 3): the caller acts for itself.

use serde_json::json;

use super::answer::{Data, Outcome, bit};
use super::refusal::Refusal;
use super::request::Request;
use super::whm::enrolment;
use crate::accounts::{Subject, SubjectKind};
use crate::engine::enrolment::Unreadable;

pub fn generate_user_configuration(request: &Request<'_>) -> Outcome {
    can_enrol(request)?;
    enrolment::generate(request)
}

pub fn get_user_configuration(request: &Request<'_>) -> Outcome {
    configuration(request, &request.caller.subject)
}

pub fn set_user_configuration(request: &Request<'_>) -> Outcome {
    can_enrol(request)?;
    enrolment::enrol_caller(request)?;
    Ok(Data::Value(json!({ "tfa_configured": 1 })))
}

pub fn remove_user_configuration(request: &Request<'_>) -> Outcome {
    let (subject, current) = (&request.caller.subject, request.current_token()?);
    let presence = request.presence(subject, current.as_deref())?;
    request.tfa.remove_own(request.actor(), subject, Unreadable::Keep, presence)?;
    Ok(Data::Value(json!({ "tfa_removed": 1 })))
}

pub fn get_team_user_configuration(request: &Request<'_>) -> Outcome {
    configuration(request, &team_user(request)?)
}

fn configuration(request: &Request<'_>, subject: &Subject) -> Outcome {
    let is_enabled = request.tfa.is_enrolled(subject)?;
    let issuer = request.tfa.issuer_for(request.view, subject)?;
    Ok(Data::Value(json!({ "is_enabled": bit(is_enabled), "issuer": issuer })))
}

/// Refuses an enrolment while the policy is disabled, unless the configuration lets accounts prepare theirs.
fn can_enrol(request: &Request<'_>) -> Result<(), Refusal> {
    let can_enrol = request.tfa.policy()? || request.tfa.config().enrol_while_disabled;
    if can_enrol { Ok(()) } else { Err(Refusal::PolicyDisabled) }
}

/// The caller's team user that the parameter names: alone, with the account, or with a domain of the account.
fn team_user(request: &Request<'_>) -> Result<Subject, Refusal> {
    let given = request.args.user("team_user")?;
    let account = request.caller.subject.account();
    let name = if given.contains('@') { given.to_owned() } else { format!("{given}@{account}") };
    let kind = Some(SubjectKind::Team);
    let subject = request.tfa.subject(request.view, &name, kind)?.filter(|subject| {
        // Without a directory, the account can only be seen from the name.
        let part = subject.name().split_once('@').map(|(_, part)| part);
        subject.account() == account || part == Some(&request.view.team_part(account))
    });
    subject.ok_or_else(|| Refusal::NoSuchUser(given.to_owned()))
}
