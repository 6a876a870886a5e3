//! The life of an account: it is renamed or removed (contract section 15).

use serde_json::json;

use crate::accounts::{ROOT, SubjectKind};
use crate::api::answer::{DONE, Data, Outcome};
use crate::api::args::not_valid;
use crate::api::refusal::Refusal;
use crate::api::request::Request;

pub fn rename(request: &Request<'_>) -> Outcome {
    let (user, new_name) = (enrolled_account(request)?, account(request, "new_name")?);
    if user == new_name {
        return Err(not_valid("new_name", "it is the present name.").into());
    }
    request.tfa.rename_user(request.actor(), &user, new_name)?;
    DONE
}

pub fn remove(request: &Request<'_>) -> Outcome {
    let removed = request.tfa.remove_account(request.actor(), request.view, &enrolled_account(request)?)?;
    Ok(Data::Value(json!({ "users_modified": removed })))
}

/// The name of an account in the parameter `name`. The directory is not asked: the panel can have renamed or removed the
/// account already.
fn account<'a>(request: &'a Request<'_>, name: &str) -> Result<&'a str, Refusal> {
    match request.args.user(name)? {
        ROOT => Err(not_valid(name, "root is neither renamed nor removed.").into()),
        user if user.contains('@') => Err(not_valid(name, "it is not the name of an account.").into()),
        user => Ok(user),
    }
}

/// The name of the account in the parameter `user`, as it is enrolled.
fn enrolled_account(request: &Request<'_>) -> Result<String, Refusal> {
    let (tfa, view, user) = (request.tfa, request.view, account(request, "user")?);
    let subject = match tfa.subject(view, user, Some(SubjectKind::Account))? {
        None => tfa.enrolled_without_account(view, user)?,
        found => found,
    };
    Ok(subject.map_or_else(|| user.to_owned(), |subject| subject.name().to_owned()))
}
