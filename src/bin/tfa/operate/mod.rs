//! The operators' commands. They call the engine, for root or the owner of the store.

pub mod audit;
pub mod backup;
pub mod doctor;
pub mod init;
pub mod issuer;
pub mod keys;
pub mod login;
pub mod policy;
pub mod qr;
pub mod recovery;
pub mod remove;
pub mod status;
pub mod unlock;

mod table;

use tfa::accounts::{ROOT, Subject, View};
use tfa::api::refusal::Refusal;
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;

use crate::commands::Global;
use crate::failure::Failure;
use crate::{person, settings, suggestion};

/// The library, opened for an operator, and one view of the account directory.
pub struct Operator {
    /// The library.
    pub tfa: Tfa,
    /// The account directory.
    pub view: View,
    /// The user who runs the program.
    name: String,
}

impl Operator {
    /// Opens the library, if the user who runs the program is an operator.
    pub fn open(global: &Global) -> Result<Self, Failure> {
        let config = settings::config(global)?;
        let name = person::operator(&config)?;
        Self::with(config, name)
    }

    /// Opens the library for the operator called `name`.
    pub fn with(config: Config, name: String) -> Result<Self, Failure> {
        person::become_owner(&config)?;
        let tfa = Tfa::open(config).map_err(Failure::Refused)?;
        let view = tfa.view()?;
        Ok(Operator { tfa, view, name })
    }

    /// The actor in the audit trail for the command called `command`.
    pub fn actor<'a>(&'a self, command: &'a str) -> Actor<'a> {
        Actor::new(&self.name, command)
    }

    /// Returns the subject that the directory has under `name`. The error suggests a name that exists.
    pub fn resolve(&self, name: &str) -> Result<Subject, Failure> {
        match self.tfa.subject(&self.view, name, None)? {
            Some(subject) => Ok(subject),
            None => {
                let (refusal, suggestion) = (Refusal::NoSuchUser(name.to_owned()), self.suggestion(name)?);
                Err(Failure::Refused(format!("{refusal}{suggestion}")))
            }
        }
    }

    /// Returns the subject called `name` as [`Operator::resolve`] does. Without a directory every well-formed name is an
    /// account, so there the subject must be root or enrolled.
    pub fn subject(&self, name: &str) -> Result<Subject, Failure> {
        let subject = self.resolve(name)?;
        if !self.view.is_open() || subject.name() == ROOT || self.tfa.is_enrolled(&subject)? {
            return Ok(subject);
        }
        Err(Failure::Refused(format!(
            "\"{name}\" is not enrolled, and there is no account directory to find it in.{}",
            self.suggestion(name)?
        )))
    }

    /// Returns the subject called `name`, or the one that is gone from the directory and left its enrolment.
    pub fn subject_or_leftover(&self, name: &str) -> Result<Subject, Failure> {
        match self.tfa.enrolled_without_account(&self.view, name)? {
            Some(leftover) => Ok(leftover),
            None => self.subject(name),
        }
    }

    /// The account or enrolled subject with the name that is most like `name`.
    fn suggestion(&self, name: &str) -> Result<String, Failure> {
        let names = self.tfa.enrolled()?;
        let accounts = self.view.accounts(None).map_err(Refusal::from)?;
        let accounts = accounts.iter().map(|(account, _)| account);
        Ok(suggestion::for_word(name, accounts.chain(names.iter().map(String::as_str))))
    }
}

/// The first ten of `names` in one line; an ellipsis stands for the others.
fn first_names<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<_> = names.by_ref().take(SHOWN).collect();
    if names.next().is_some() {
        shown.push("…");
    }
    shown.join(", ")
}
