//! Callers: their roles, and the subjects that they may act on (contract sections 1 and 2).
//!
//! Promise: the host vouches for the caller's name; this module decides what the caller may do, and a reseller cannot
//! learn which names exist beyond its own accounts.

use super::refusal::Refusal;
use crate::accounts::{ROOT, Subject, SubjectKind, View};
use crate::engine::Tfa;

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Root alone.
    Root,
    /// Root and resellers.
    RootAndResellers,
    /// Every subject that exists.
    Everybody,
}

/// The role of a caller.
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
    /// Whether this role is among `callers`.
    pub fn is_among(self, callers: Callers) -> bool {
        match callers {
            Callers::Root => self == Role::Root,
            Callers::RootAndResellers => self != Role::User,
            Callers::Everybody => true,
        }
    }

    fn of(subject: &Subject, view: &View) -> Result<Self, Refusal> {
        let Subject::Account { name } = subject else {
            return Ok(Role::User);
        };
        if name == ROOT {
            return Ok(Role::Root);
        }
        let account = view.account(name)?;
        Ok(if account.is_some_and(|account| account.reseller) { Role::Reseller } else { Role::User })
    }
}

/// A caller that exists.
pub struct Caller {
    /// Its role.
    pub role: Role,
    /// Itself.
    pub subject: Subject,
}

impl Caller {
    /// The caller called `name`, if it exists. The name is never an alias, and root's is spelled `root` exactly: an
    /// operating system can have another user `Root`.
    pub fn find(tfa: &Tfa, view: &View, name: &str) -> Result<Option<Self>, Refusal> {
        let Some(subject) = tfa.caller(view, name)? else {
            return Ok(None);
        };
        if subject.name() == ROOT && name != ROOT {
            return Ok(None);
        }
        Ok(Some(Caller { role: Role::of(&subject, view)?, subject }))
    }

    /// The subject called `name`, if this caller may act on it. Without a `kind`, a name that can be a mailbox or a team
    /// user is the one that is enrolled.
    pub fn manages(&self, tfa: &Tfa, view: &View, name: &str, kind: Option<SubjectKind>) -> Result<Subject, Refusal> {
        let subject = tfa.subject(view, name, kind)?;
        if self.role == Role::Root {
            return subject.ok_or_else(|| Refusal::NoSuchUser(name.to_owned()));
        }
        let itself = self.subject.account();
        if let Some(subject) = subject
            && (subject.account() == itself
                || view.account(subject.account())?.is_some_and(|account| account.owner == itself))
        {
            return Ok(subject);
        }
        Err(Refusal::NotAuthorizedToModify(name.to_owned()))
    }
}
