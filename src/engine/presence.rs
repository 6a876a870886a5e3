//! Proof of presence (contract section 15): a subject that changes its own enrolment gives a current code of it.
//!
//! Promises: the code is verified as at a login, under the same limits, in the transaction of the change; without a valid code
//! nothing is changed but the count of failed attempts; the code is used.

use super::Tfa;
use super::audit::{Actor, Entry};
use super::login::Verdict;
use super::record::Enrolment;
use super::refusal::Refusal;
use crate::accounts::Subject;

/// Whether a change of an existing enrolment needs a current code of it.
#[derive(Clone, Copy, Debug)]
pub enum Presence<'a> {
    /// It needs none: an administrator acts, or the configuration does not ask for one.
    NotRequired,
    /// It needs this one-time or recovery code.
    Required(Option<&'a str>),
}

/// The result of a verification, and its audit entries.
#[derive(Default)]
pub(super) struct Proof<'a> {
    /// Why the change is refused.
    pub(super) refusal: Option<Refusal>,
    /// The entries of the attempt.
    pub(super) entries: Vec<Entry<'a>>,
}

impl Tfa {
    /// Verifies the presence of a subject before its enrolment is changed. The enrolment records the attempt.
    pub(super) fn verify_presence<'a>(
        &self,
        actor: Actor<'a>,
        subject: &'a Subject,
        enrolment: &mut Enrolment,
        presence: Presence<'_>,
    ) -> Result<Proof<'a>, Refusal> {
        let token = match presence {
            Presence::NotRequired => return Ok(Proof::default()),
            Presence::Required(token) => {
                token.filter(|token| !token.is_empty()).ok_or(Refusal::CurrentTokenRequired)?
            }
        };
        let (verdict, entries) = self.attempt(actor, subject, enrolment, token)?;
        let refusal = match verdict {
            Verdict::Denied(refusal, _) => Some(refusal),
            Verdict::Verified(_) | Verdict::NotRequired => None,
        };
        Ok(Proof { refusal, entries })
    }
}
