//! The user who runs the program, and the user that it acts as.
//!
//! Promise: only root and the user who owns the store act as root or as another user.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::unistd::{User, geteuid};
use tfa::accounts::ROOT;
use tfa::engine::config::Config;

use crate::failure::Failure;

/// The user who runs the program, and the user that it acts as.
pub struct Person {
    /// The user who runs the program, by the name that the audit trail gives.
    pub authenticated: String,
    /// The user whose rights apply.
    pub caller: String,
}

/// Returns the user who runs the program, acting as `user`. The default is root for root and for the owner of the store, and
/// the operating system's user otherwise.
pub fn acting(config: &Config, user: Option<&str>) -> Result<Person, Failure> {
    let authenticated = own_name()?;
    if is_operator(config) {
        let caller = user.unwrap_or(ROOT).to_owned();
        return Ok(Person { authenticated, caller });
    }
    match user {
        Some(user) if user != authenticated => Err(Failure::Usage(format!(
            "only root and the owner of the store may act as another user than {authenticated}"
        ))),
        _ => Ok(Person { caller: authenticated.clone(), authenticated }),
    }
}

/// Returns the name of the user who runs the program, if that is root or the owner of the store.
pub fn operator(config: &Config) -> Result<String, Failure> {
    if is_operator(config) {
        return own_name();
    }
    Err(Failure::Refused("only root and the owner of the store may do this".to_owned()))
}

/// Whether the user who runs the program may act as root.
fn is_operator(config: &Config) -> bool {
    let user = geteuid();
    let owner = fs::symlink_metadata(&config.database).map(|metadata| metadata.uid());
    user.is_root() || owner.is_ok_and(|owner| owner == user.as_raw())
}

fn own_name() -> Result<String, Failure> {
    let number = geteuid();
    if number.is_root() {
        return Ok(ROOT.to_owned());
    }
    match User::from_uid(number) {
        Ok(Some(user)) if user.name == ROOT => Err(Failure::Usage("only the superuser may act as root".to_owned())),
        Ok(Some(user)) => Ok(user.name),
        Ok(None) => Err(Failure::Usage(format!("the user with the number {number} has no name"))),
        Err(error) => {
            Err(Failure::Usage(format!("the name of the user with the number {number} cannot be read: {error}")))
        }
    }
}
