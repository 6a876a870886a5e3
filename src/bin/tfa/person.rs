//! Who runs the program, and as whom it acts.

use clap::ArgMatches;
use nix::unistd::{User, geteuid};
use tfa::accounts::ROOT;

use crate::failure::Failure;

/// Root for the superuser, else the operating system's user.
pub fn caller() -> Result<String, Failure> {
    if geteuid().is_root() { Ok(ROOT.to_owned()) } else { own_name() }
}

/// Who runs the program, and as whom it acts.
pub struct Person {
    /// Root for the superuser, else the operating system's user: whom the audit trail names.
    pub authenticated: String,
    /// The account whose rights hold.
    pub caller: String,
}

/// The account to act as is whoever runs the program, or `--user`, which is for the superuser and for that same user.
pub fn acting(matches: &ArgMatches) -> Result<Person, Failure> {
    let authenticated = caller()?;
    let caller = matches.get_one::<String>("user").unwrap_or(&authenticated).clone();
    if caller != authenticated && authenticated != ROOT {
        return Err(Failure::Usage(format!("only the superuser may act as another user than {authenticated}")));
    }
    Ok(Person { authenticated, caller })
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
