//! The user who runs the program, and the user that it acts as.
//!
//! Promises: only root and the user who owns the store act as root or as another user. When root uses the store of another
//! user, the program continues with that user's rights, so that it follows none of that user's links as root and leaves no
//! file that the user cannot read.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

use nix::unistd::{Gid, Uid, User, geteuid, setgroups, setresgid, setresuid};
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

/// Whether the user who runs the program may act as root. The owner of the key file owns the store also when the database is
/// lost.
fn is_operator(config: &Config) -> bool {
    let user = geteuid();
    user.is_root() || owner(config).is_some_and(|owner| owner.uid() == user.as_raw())
}

/// What is known of the database, or, if it is lost, of the key file.
fn owner(config: &Config) -> Option<Metadata> {
    let metadata = fs::symlink_metadata(&config.database).or_else(|_| fs::symlink_metadata(&config.key_file));
    metadata.ok()
}

/// Gives up root's rights for those of the owner of the store, if that is another user.
pub fn become_owner(config: &Config) -> Result<(), Failure> {
    let Some(metadata) = owner(config).filter(|_| geteuid().is_root()) else {
        return Ok(());
    };
    let (user, group) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    if user.is_root() {
        return Ok(());
    }
    setgroups(&[group])
        .and_then(|()| setresgid(group, group, group))
        .and_then(|()| setresuid(user, user, user))
        .map_err(|error| Failure::Refused(format!("the rights of the store's owner, {user}, cannot be taken: {error}")))
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
