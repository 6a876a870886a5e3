//! The host's own directory, queried through a callback: three questions, each about one name.
//!
//! Promise: every answer is checked. One of the wrong shape, or with an ill-formed name in it, makes the directory
//! unavailable, and the login is denied.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::draft::Draft;
use super::inline::{Entry, read_name, read_names};
use super::name::{ROOT, folded, folded_domain, plain};
use super::snapshot::Listing;
use super::{Account, LookupError, Subject};

/// The most accounts that one answer may list.
const MAX_ACCOUNTS: usize = 1_000_000;

/// A question to a host's callback. Names in questions are in normalization form C; domains, and accounts in the name of
/// a team user, are folded; other account names are given as they are, then in lower case if there is no such account.
/// The callback compares names byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// About an account. Answer: one entry of the inline map,
    /// `{"owner", "domain", "domains", "reseller", "team", "created"}`, all optional; none when there is no such account.
    Account,
    /// About a domain. Answer: the name of its account, a string; none when it belongs to no account.
    Domain,
    /// About an owner, or `""` for all accounts. Answer: the names of the accounts, an array of strings.
    Accounts,
}

impl Question {
    /// The question in the callback's argument: `account`, `domain` or `accounts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Question::Account => "account",
            Question::Domain => "domain",
            Question::Accounts => "accounts",
        }
    }
}

/// A directory that the host keeps. It is called from any thread, from several at once.
pub trait Lookup: Send + Sync {
    /// Answers `question` about `name`: `Ok(None)` when there is no such account or domain, an error, in words for the
    /// administrator, when there is no answer.
    fn ask(&self, question: Question, name: &str) -> Result<Option<Value>, String>;
}

/// Calls the callback. The error names the question that failed.
fn ask<T>(
    lookup: &dyn Lookup,
    question: Question,
    name: &str,
    read: impl FnOnce(&Value) -> Result<T, String>,
) -> Result<Option<T>, LookupError> {
    let answer = lookup.ask(question, name);
    answer.and_then(|answer| answer.as_ref().map(read).transpose()).map_err(|why| {
        let question = question.as_str();
        LookupError::Unavailable(format!("the host was asked for {question:?}: {why}"))
    })
}

/// The subject called `name`, which is well formed. The part after an `@` is an account, else a domain.
pub(super) fn resolve(lookup: &dyn Lookup, name: &str) -> Result<Option<Subject>, LookupError> {
    let Some((local, place)) = name.split_once('@') else {
        let found = entry(lookup, name, |_| ())?;
        return Ok(found.map(|(name, ())| Subject::Account { name }));
    };
    let account = folded(place);
    if let Some(is_listed) = ask(lookup, Question::Account, &account, |answer| lists(answer, &account, local))? {
        return Ok(is_listed.then(|| team_subject(local, &account)));
    }
    let domain = folded_domain(place);
    if !domain.contains('.') {
        return Ok(None);
    }
    let holder = ask(lookup, Question::Domain, &domain, |answer| read_name("domain", answer).map(str::to_owned))?;
    Ok(holder.map(|account| Subject::Email { name: format!("{}@{domain}", folded(local)), account }))
}

/// The team user with this local part in `account`.
pub(super) fn team_user(lookup: &dyn Lookup, local: &str, account: &str) -> Result<Option<Subject>, LookupError> {
    let account = folded(account);
    let is_listed = ask(lookup, Question::Account, &account, |answer| lists(answer, &account, local))?;
    Ok((is_listed == Some(true)).then(|| team_subject(local, &account)))
}

fn team_subject(local: &str, account: &str) -> Subject {
    Subject::Team { name: format!("{}@{account}", folded(local)), account: account.to_owned() }
}

/// Whether the answer about `account` lists the team user.
fn lists(answer: &Value, account: &str, user: &str) -> Result<bool, String> {
    let user = folded(user);
    Ok(Entry::read(account, answer)?.team.iter().any(|listed| folded(listed) == user))
}

/// What `read` makes of the entry of the account called `name`, and the account's name: the one given, else that in
/// lower case.
fn entry<T>(
    lookup: &dyn Lookup,
    name: &str,
    read: impl Fn(Entry<'_>) -> T,
) -> Result<Option<(String, T)>, LookupError> {
    let lower = folded(name);
    for name in [Some(name), Some(lower.as_ref()).filter(|lower| *lower != name)].into_iter().flatten() {
        let found = ask(lookup, Question::Account, name, |answer| Entry::read(name, answer).map(&read))?;
        if let Some(found) = found {
            return Ok(Some((name.to_owned(), found)));
        }
    }
    Ok(None)
}

/// The account called `name`, which is well formed.
pub(super) fn account(lookup: &dyn Lookup, name: &str) -> Result<Option<Account>, LookupError> {
    let mut account = plain_account(lookup, name)?;
    if let Some(account) = account.as_mut().filter(|account| account.name != ROOT) {
        account.reseller = account.reseller || owns_another(lookup, &account.name)?;
    }
    Ok(account)
}

/// The account called `name`; `reseller` is only whether it is listed as one.
fn plain_account(lookup: &dyn Lookup, name: &str) -> Result<Option<Account>, LookupError> {
    if !plain(name) {
        return Ok(None);
    }
    let found = entry(lookup, name, |entry| Account {
        owner: entry.owner.unwrap_or(ROOT).to_owned(),
        primary_domain: folded_domain(entry.domain.unwrap_or_default()).into_owned(),
        reseller: entry.reseller,
        created: entry.created,
        ..Account::of_root("")
    })?;
    let account = found.map(|(name, account)| Account { reseller: account.reseller && name != ROOT, name, ..account });
    Ok(account.or_else(|| (folded(name) == ROOT).then(|| Account::of_root(ROOT))))
}

/// The mail domains of the account called `name`, in order. The host gives a domain to one account only.
pub(super) fn domains(lookup: &dyn Lookup, name: &str) -> Result<Vec<String>, LookupError> {
    let found = entry(lookup, name, |entry| {
        let all = entry.domain.into_iter().chain(entry.domains).map(|domain| folded_domain(domain).into_owned());
        all.filter(|domain| domain.contains('.')).collect::<BTreeSet<_>>()
    })?;
    let mut domains = Vec::new();
    for domain in found.into_iter().flat_map(|(_, domains)| domains) {
        if ask(lookup, Question::Account, &domain, |_| Ok(()))?.is_none() {
            domains.push(domain);
        }
    }
    Ok(domains)
}

fn owns_another(lookup: &dyn Lookup, owner: &str) -> Result<bool, LookupError> {
    Ok(names(lookup, owner)?.iter().any(|name| name != owner))
}

fn names(lookup: &dyn Lookup, owner: &str) -> Result<BTreeSet<String>, LookupError> {
    let names = ask(lookup, Question::Accounts, owner, |answer| {
        let names = read_names("accounts", answer, MAX_ACCOUNTS)?;
        Ok(names.into_iter().map(str::to_owned).collect())
    })?;
    Ok(names.unwrap_or_default())
}

/// All accounts, or those that `owner` owns. Each account that the host lists is looked up for its domain and its owner;
/// one that is gone by then, or owned by another, is left out.
pub(super) fn accounts(lookup: &dyn Lookup, owner: Option<&str>) -> Result<Listing, LookupError> {
    let asked = match owner {
        Some(owner) if !plain(owner) => BTreeSet::new(),
        _ => names(lookup, owner.unwrap_or_default())?,
    };
    let mut found = Vec::new();
    for name in asked {
        let account = plain_account(lookup, &name)?;
        found.extend(account.filter(|account| owner.is_none_or(|owner| account.owner == owner)));
    }
    let mut draft = Draft::new();
    for account in &found {
        // In a list of all accounts, owners do not matter, and are no accounts unless the host lists them.
        draft.owner(&account.name, owner.unwrap_or(ROOT));
        if !account.primary_domain.is_empty() {
            draft.primary_domain(&account.primary_domain, &account.name);
        }
    }
    let snapshot = draft.finish().map_err(LookupError::Unavailable)?;
    Ok(Listing::new(Arc::new(snapshot), owner))
}
