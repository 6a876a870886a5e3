//! Export: the secrets of an account, its mailboxes and its team users.

use super::Tfa;
use super::record::{self, Enrolment, enrolment_in, enrolment_key};
use super::refusal::Refusal;
use crate::accounts::{Subject, View};
use crate::otp::credential::Credential;
use crate::store::Kind;

/// The secrets of an account and of the subjects that belong to it.
pub struct AccountSecrets {
    /// The account's own, if it is enrolled.
    pub account: Option<Credential>,
    /// Those of its mailboxes, by name.
    pub mailboxes: Vec<(String, Credential)>,
    /// Those of its team users, by name.
    pub team: Vec<(String, Credential)>,
}

impl Tfa {
    /// The secrets of an account, its mailboxes and its team users.
    pub fn secrets_of(&self, view: &View, account: &Subject) -> Result<AccountSecrets, Refusal> {
        let mut mailboxes = Vec::new();
        for domain in view.domains(account.account())? {
            self.add_secrets_under(view, account, &domain, &mut mailboxes)?;
        }
        let mut team = Vec::new();
        self.add_secrets_under(view, account, &view.team_part(account.account()), &mut team)?;
        Ok(AccountSecrets { account: self.credential_of(account)?, mailboxes, team })
    }

    /// Adds the secrets of all subjects of `account` whose name ends with `@part`, in the order of their names.
    fn add_secrets_under(
        &self,
        view: &View,
        account: &Subject,
        part: &str,
        secrets: &mut Vec<(String, Credential)>,
    ) -> Result<(), Refusal> {
        // In the order of bytes, the names with this prefix end where the character after the slash begins.
        let (from, before) = (format!("{part}/"), format!("{part}0"));
        for name in self.store.names(Kind::Subject, &from, Some(&before), usize::MAX)? {
            let name = record::name_subject(&name);
            if let Some(subject) = view.resolve(&name)?
                && (subject.account() == account.account() || !view.lists_accounts())
                && let Some(secret) = self.credential_of(&subject)?
            {
                secrets.push((name, secret));
            }
        }
        Ok(())
    }

    fn credential_of(&self, subject: &Subject) -> Result<Option<Credential>, Refusal> {
        let name = record::subject_name(subject.name());
        let enrolment = enrolment_in(subject, self.store.read(&[enrolment_key(&name)])?.at(0))?;
        let open = |enrolment: Enrolment| {
            let secret = self.open_secret(subject.name(), &enrolment.secret)?;
            Ok(Credential { secret, code_format: enrolment.code_format() })
        };
        enrolment.map(open).transpose()
    }
}
