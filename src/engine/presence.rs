//! Proof of presence (contract section 15): a subject that changes its own enrolment gives a current code of it.
//!
//! Promises: the code is verified as at a login, under the same limits, in the transaction of the change; without a valid code
//! nothing is changed but the count of failed attempts; the code is used.

use super::Tfa;
use super::audit::{Actor, Entry};
use super::login::Verdict;
use super::record::{self, Enrolment};
use super::refusal::Refusal;
use super::transaction::Effects;
use crate::accounts::Subject;
use crate::store::Key;

/// Whether a change of an existing enrolment needs a current code of it.
#[derive(Clone, Copy, Debug)]
pub enum Presence<'a> {
    /// It needs none: an administrator acts, or the configuration does not ask for one.
    NotRequired,
    /// It needs this one-time or recovery code.
    Required(Option<&'a str>),
}

/// The audit entries of the attempt or, without a valid code, the effects of the refusal in place of the change.
type Proof<'a> = Result<Vec<Entry<'a>>, Effects<'a, Result<(), Refusal>>>;

impl Tfa {
    /// Verifies the presence of a subject before its enrolment, the record under `key`, is changed. The enrolment records the
    /// attempt.
    pub(super) fn verify_presence<'a>(
        &self,
        actor: Actor<'a>,
        subject: &'a Subject,
        key: Key<'a>,
        enrolment: &mut Enrolment,
        presence: Presence<'_>,
    ) -> Result<Proof<'a>, Refusal> {
        let token = match presence {
            Presence::NotRequired => return Ok(Ok(Vec::new())),
            Presence::Required(token) => {
                token.filter(|token| !token.is_empty()).ok_or(Refusal::CurrentTokenRequired)?
            }
        };
        let (verdict, entries) = self.attempt(actor, subject, enrolment, token)?;
        Ok(match verdict {
            Verdict::Denied(refusal, _) => {
                Err(Effects::new(Err(refusal)).change(key, Some(record::write(enrolment)?)).entries(entries))
            }
            Verdict::Verified(_) | Verdict::NotRequired => Ok(entries),
        })
    }
}
