//! Who runs the program, and as whom it acts.

use clap::ArgMatches;
use nix::unistd::{User, geteuid};
use tfa::accounts::ROOT;

use crate::failure::Failure;

/// Root for the superuser, else the operating system's user.
pub fn caller() -> Result<String, Failure> {
    if geteuid().is_root() { Ok(ROOT.to_owned()) } else { own_name() }
}

/// The account to act as: the caller, or `--user`, which is for the superuser and for that same user.
pub fn acting(matches: &ArgMatches) -> Result<String, Failure> {
    let caller = caller()?;
    match matches.get_one::<String>("user") {
        Some(user) if *user == caller || caller == ROOT => Ok(user.clone()),
        Some(_) => Err(Failure::Usage(format!("only the superuser may act as another user than {caller}"))),
        None => Ok(caller),
    }
}

fn own_name() -> Result<String, Failure> {
    let number = geteuid();
    match User::from_uid(number) {
        Ok(Some(user)) if user.name == ROOT => Err(Failure::Usage("only the superuser may act as root".to_owned())),
        Ok(Some(user)) => Ok(user.name),
        Ok(None) => Err(Failure::Usage(format!("the user with the number {number} has no name"))),
        Err(error) => {
            Err(Failure::Usage(format!("the name of the user with the number {number} cannot be read: {error}")))
        }
    }
}
