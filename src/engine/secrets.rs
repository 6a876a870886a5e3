//! Export: the secrets of an account, its mailboxes and its team users.

use super::Tfa;
use super::record::{self, Enrolment};
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
        for name in self.names_under(Kind::Subject, part)? {
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
        let open = |enrolment: Enrolment| {
            let secret = self.open_secret(subject.name(), &enrolment.secret)?;
            Ok(Credential { secret, code_format: enrolment.code_format() })
        };
        self.enrolment_of(subject)?.map(open).transpose()
    }
}
