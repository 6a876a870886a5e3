//! The policy and the issuers.

use serde_json::json;

use crate::api::answer::{DONE, Data, Outcome, bit};
use crate::api::args::not_valid;
use crate::api::request::Request;
use crate::engine::issuer;
use crate::wire::ParameterError;

pub fn enable(request: &Request<'_>) -> Outcome {
    request.tfa.set_policy(request.actor(), true)?;
    DONE
}

pub fn disable(request: &Request<'_>) -> Outcome {
    request.tfa.set_policy(request.actor(), false)?;
    DONE
}

pub fn status(request: &Request<'_>) -> Outcome {
    Ok(Data::Value(json!({ "is_enabled": bit(request.tfa.policy()?) })))
}

pub fn get_issuer(request: &Request<'_>) -> Outcome {
    let own = request.tfa.own_issuer(request.caller.subject.account())?;
    Ok(Data::Value(json!({ "issuer": own, "system_wide_issuer": request.tfa.system_issuer()? })))
}

pub fn set_issuer(request: &Request<'_>) -> Outcome {
    // A missing issuer is an error; an empty one restores the default.
    let issuer = request.args.optional_text("issuer")?.ok_or_else(|| ParameterError::Required("issuer".to_owned()))?;
    issuer::check(issuer).map_err(|why| not_valid("issuer", why))?;
    request.tfa.set_issuer(request.actor(), request.caller.subject.account(), issuer)?;
    DONE
}
