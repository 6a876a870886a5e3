//! Enrolment of the caller, and its recovery codes.

use serde_json::json;
use zeroize::Zeroizing;

use crate::api::answer::{Data, Outcome};
use crate::api::refusal::Refusal;
use crate::api::request::Request;

pub fn generate(request: &Request<'_>) -> Outcome {
    let proposal = request.tfa.propose(request.view, &request.caller.subject)?;
    Ok(Data::Value(json!({ "otpauth_str": proposal.otpauth.as_str(), "secret": proposal.secret.as_str() })))
}

pub fn set(request: &Request<'_>) -> Outcome {
    enrol_caller(request)?;
    Ok(Data::Value(json!({ "success": 1 })))
}

/// Enrols the caller with the parameters `secret` and `tfa_token`.
pub fn enrol_caller(request: &Request<'_>) -> Result<(), Refusal> {
    let args = request.args;
    args.text("secret")?;
    let token = Zeroizing::new(args.token()?);
    let (subject, current) = (&request.caller.subject, request.current_token()?);
    let presence = request.presence(subject, current.as_deref())?;
    request.tfa.enrol_with(request.actor(), subject, &args.secret()?, &token, presence)?;
    Ok(())
}

pub fn generate_recovery_codes(request: &Request<'_>) -> Outcome {
    let (subject, current) = (&request.caller.subject, request.current_token()?);
    let presence = request.presence(subject, current.as_deref())?;
    let codes = request.tfa.generate_recovery_codes_with(request.actor(), subject, presence)?;
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    Ok(Data::Value(json!({ "recovery_codes": codes })))
}
