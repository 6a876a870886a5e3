//! The life of an account: it is renamed or removed (contract section 15).

use serde_json::json;

use crate::accounts::ROOT;
use crate::api::answer::{DONE, Data, Outcome};
use crate::api::args::not_valid;
use crate::api::refusal::Refusal;
use crate::api::request::Request;

pub fn rename(request: &Request<'_>) -> Outcome {
    let (user, new_name) = (account(request, "user")?, account(request, "new_name")?);
    if user == new_name {
        return Err(not_valid("new_name", "it is the present name.").into());
    }
    request.tfa.rename_user(request.actor(), user, new_name)?;
    DONE
}

pub fn remove(request: &Request<'_>) -> Outcome {
    let removed = request.tfa.remove_account(request.actor(), request.view, account(request, "user")?)?;
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
