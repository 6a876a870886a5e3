//! Who calls, and whom they may act on (contract sections 1 and 2).
//!
//! Promise: the host vouches for the caller's name; what the caller may do is decided here, and a reseller cannot
//! learn which names exist beyond its own accounts.

use super::registry::{Callers, Function};
use crate::accounts::{ROOT, Subject};
use crate::engine::Tfa;
use crate::engine::reason::Refusal;

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The server's administrator.
    Root,
    /// A reseller.
    Reseller,
    /// Any other account, a mailbox, a team user.
    User,
}

impl Role {
    /// Whether whoever has this role may call `function`.
    pub fn may_call(self, function: &Function) -> bool {
        match function.callers {
            Callers::Root => self == Role::Root,
            Callers::RootAndResellers => self != Role::User,
            Callers::Everybody => true,
        }
    }
}

/// A caller that exists.
pub struct Caller {
    /// What it may be.
    pub role: Role,
    /// Itself.
    pub subject: Subject,
}

impl Caller {
    /// The caller called `name`, when it may call `function`.
    pub fn find(tfa: &Tfa, name: &str, function: &Function) -> Result<Self, Refusal> {
        let refusal = || Refusal::MayNotCall(function.name.to_owned());
        let subject = tfa.directory()?.resolve(name)?.ok_or_else(refusal)?;
        let role = role(tfa, &subject)?;
        if role.may_call(function) { Ok(Caller { role, subject }) } else { Err(refusal()) }
    }

    /// The subject called `name`, when this caller may act on it.
    pub fn manages(&self, tfa: &Tfa, name: &str) -> Result<Subject, Refusal> {
        let directory = tfa.directory()?;
        let subject = directory.resolve(name)?;
        if self.role == Role::Root {
            return subject.ok_or_else(|| Refusal::NoSuchUser(name.to_owned()));
        }
        let itself = self.subject.account();
        if let Some(subject) = subject
            && (subject.account() == itself
                || directory.account(subject.account())?.is_some_and(|account| account.owner == itself))
        {
            return Ok(subject);
        }
        Err(Refusal::MayNotModify(name.to_owned()))
    }
}

fn role(tfa: &Tfa, subject: &Subject) -> Result<Role, Refusal> {
    let Subject::Account { name } = subject else {
        return Ok(Role::User);
    };
    if name == ROOT {
        return Ok(Role::Root);
    }
    let account = tfa.directory()?.account(name)?;
    Ok(if account.is_some_and(|account| account.reseller) { Role::Reseller } else { Role::User })
}
