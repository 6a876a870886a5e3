//! Login: the state of a user, the verification of a code, and the lifting of locks.

use serde_json::json;
use zeroize::Zeroizing;

use crate::api::answer::{DONE, Data, Outcome, bit};
use crate::api::refusal::Refusal;
use crate::api::request::Request;
use crate::engine::audit::Actor;
use crate::engine::guess::Lock;
use crate::engine::login::{Method, Verdict};

pub fn status(request: &Request<'_>) -> Outcome {
    let status = request.tfa.status(&request.managed("user")?)?;
    Ok(Data::Value(json!({
        "required": bit(status.required),
        "is_enabled": bit(status.is_enabled),
        "locked": bit(status.lock.is_locked()),
        "retry_after": status.lock.retry_after,
        "failures": status.failures,
        "recovery_codes_left": status.recovery_codes_left,
    })))
}

pub fn verify(request: &Request<'_>) -> Outcome {
    let args = request.args;
    args.user("user")?;
    let token = Zeroizing::new(args.token()?);
    let address = args.remote_address()?.map(|address| address.to_string());
    let actor = Actor { remote_addr: address.as_deref(), ..request.actor() };
    let subject = request.managed("user")?;
    request.tfa.refuse_stale(request.view, &subject)?;
    let (required, method, lock, refusal) = match request.tfa.login(actor, &subject, &token)? {
        Verdict::NotRequired => (false, None, Lock::default(), None),
        Verdict::Verified(Method::Totp) => (true, Some("totp"), Lock::default(), None),
        Verdict::Verified(Method::Recovery) => (true, Some("recovery"), Lock::default(), None),
        Verdict::Denied(refusal, lock) => (true, None, lock, Some(Refusal::from(refusal))),
    };
    Ok(Data::Value(json!({
        "required": bit(required),
        "verified": bit(method.is_some()),
        "method": method,
        "locked": bit(lock.is_locked()),
        "retry_after": lock.retry_after,
        "reason": refusal.as_ref().map(Refusal::to_string),
        "reason_code": refusal.map(|refusal| refusal.reason_code().name()),
    })))
}

pub fn unlock(request: &Request<'_>) -> Outcome {
    request.tfa.unlock(request.actor(), &request.managed("user")?)?;
    DONE
}
