//! A function of the API, and one permitted call of it on the way to its handler.

use std::ops::Range;

use zeroize::Zeroizing;

use super::answer::{Outcome, UapiAnswer, WhmAnswer};
use super::args::Args;
use super::caller::{Caller, Callers};
use crate::accounts::{Subject, SubjectKind, View};
use crate::engine::Tfa;
use crate::engine::audit::Actor;
use crate::engine::presence::Presence;

use super::refusal::Refusal;

/// The API that a function belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// WHM API 1.
    Whm,
    /// UAPI, module `TwoFactorAuth`.
    Uapi,
}

impl Api {
    /// Its name in lists of functions.
    pub fn name(self) -> &'static str {
        match self {
            Api::Whm => "whm",
            Api::Uapi => "uapi",
        }
    }
}

/// Whether a function changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It reads.
    Reads,
    /// It changes something, or can.
    Changes,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type: `string` or `object`.
    pub kind: &'static str,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// A call that succeeds, for documentation and tests.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Who calls.
    pub caller: &'static str,
    /// The parameters as a JSON object, in which `{secret}` and `{code}` stand for a secret and its present code.
    pub parameters: &'static str,
}

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its API.
    pub api: Api,
    /// Who may call it.
    pub callers: Callers,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// What it does, in a sentence.
    pub about: &'static str,
    /// A call that succeeds.
    pub example: Example,
    pub(super) handler: fn(&Request<'_>) -> Outcome,
}

/// What begins the names of the WHM functions that are about two-factor authentication. The others are about calls.
const PREFIX: &str = "twofactorauth_";

impl Function {
    /// The C symbol that calls it. The functions about other calls have none: `tfa_whmapi1` reaches them by name.
    pub fn symbol(&self) -> Option<String> {
        match self.api {
            Api::Whm => self.name.starts_with(PREFIX).then(|| format!("tfa_{}", self.name)),
            Api::Uapi => Some(format!("tfa_uapi_{}", self.name)),
        }
    }
}

/// What the functions about other calls need of the API above them.
pub(super) trait Calls {
    /// All functions.
    fn functions(&self) -> &'static [Function];
    /// Calls a WHM function for `caller`.
    fn whm(&self, caller: &Subject, name: &str, args: &Args) -> WhmAnswer;
    /// Calls a UAPI function for `caller`.
    fn uapi(&self, caller: &Subject, module: &str, name: &str, args: &Args) -> UapiAnswer;
}

/// One permitted call on the way to its handler.
pub struct Request<'a> {
    /// The library.
    pub tfa: &'a Tfa,
    /// The account directory, as it is during this request.
    pub view: &'a View,
    /// The function that is called.
    pub function: &'static Function,
    /// The caller.
    pub caller: Caller,
    /// The account that the host authenticated: the caller, or an account that acts for it.
    pub authenticated: &'a str,
    /// The parameters.
    pub args: &'a Args,
    /// The part of a list that the answer shows. Only this part is looked up.
    pub part: Range<usize>,
    /// The API, for the functions about other calls.
    pub(super) calls: &'a dyn Calls,
}

impl Request<'_> {
    /// The actor in the audit trail.
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor::new(self.authenticated, self.function.name)
    }

    /// Whether a change of the enrolment of `subject` needs a current code of it. It does when the configuration says so and
    /// the subject itself acts; an administrator who acts for another does not need one.
    pub(super) fn presence<'t>(&self, subject: &Subject, token: Option<&'t str>) -> Result<Presence<'t>, Refusal> {
        let authenticated = Caller::find(self.tfa, self.view, self.authenticated)?;
        let is_other = authenticated.is_some_and(|authenticated| authenticated.subject != *subject);
        if !self.tfa.config().change_requires_code || is_other {
            return Ok(Presence::NotRequired);
        }
        Ok(Presence::Required(token))
    }

    /// The parameter `current_token`, if it is given.
    pub(super) fn current_token(&self) -> Result<Zeroizing<Option<String>>, Refusal> {
        Ok(Zeroizing::new(self.args.optional_token("current_token")?))
    }

    /// The subject that the parameter `name` names, if the caller may act on it. The parameter `kind` decides between a
    /// mailbox and a team user.
    pub(super) fn managed(&self, name: &str) -> Result<Subject, Refusal> {
        let kind = self.args.kind()?;
        self.manages(self.args.user(name)?, kind)
    }

    /// The subject that acts in the place of the caller, by the parameter `name`. It is no alias.
    pub(super) fn acting_for(&self, name: &str) -> Result<Subject, Refusal> {
        let name = self.args.user(name)?;
        let subject = self.view.resolve(name)?;
        self.manages(name, subject.map(|subject| subject.kind()))
    }

    /// The subject called `name`, if the caller may act on it.
    pub(super) fn manages(&self, name: &str, kind: Option<SubjectKind>) -> Result<Subject, Refusal> {
        self.caller.manages(self.tfa, self.view, name, kind)
    }
}
