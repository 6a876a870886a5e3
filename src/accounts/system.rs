//! The accounts of the operating system, looked up through the name service switch (NSS): `getpwnam_r`.
//!
//! Promises: a lookup that fails is an error, never an absent account. The spelling of an account is the one that NSS
//! returns. Every account is owned by root; there are no domains, and so no mailboxes and team users. A fork waits for
//! lookups under way, so that a child finds no lock of the C library held.

use nix::unistd::User;

use super::LookupError;
use super::name::{folded, well_formed};
use crate::fork;

/// The account called `name`, which is well formed: with this spelling, else in lower case.
pub(super) fn find(name: &str) -> Result<Option<String>, LookupError> {
    if let Some(found) = look_up(name)? {
        return Ok(Some(found));
    }
    let lower = folded(name);
    if lower == name { Ok(None) } else { look_up(&lower) }
}

fn look_up(name: &str) -> Result<Option<String>, LookupError> {
    let unavailable = |why: String| LookupError::Unavailable(format!("the system's accounts: {why}"));
    let _operation = fork::enter().map_err(|error| unavailable(error.to_string()))?;
    let user = User::from_name(name).map_err(|error| unavailable(error.to_string()))?;
    Ok(user.map(|user| user.name).filter(|found| well_formed(found)))
}
