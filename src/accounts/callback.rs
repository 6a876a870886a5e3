//! The host's own directory, asked through a callback: three questions, each about one name.
//!
//! Promise: every answer is checked before it is believed. An answer of the wrong shape, or with an ill-formed name in
//! it, counts as no answer: the directory is unavailable then, and nobody is let in on the strength of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::inline::{Entry, read_name, read_names};
use super::name::{ROOT, folded, plain};
use super::snapshot::{Draft, Listing};
use super::{Account, LookupError, Subject};

/// The most accounts that one answer may list.
const MAX_ACCOUNTS: usize = 1_000_000;

/// What a host's callback is asked. Names are asked for as they are known: domains, and accounts in the name of a team
/// user, in lower case; the callback compares account names byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// About an account. Answer: one entry of the inline map,
    /// `{"owner", "domain", "domains", "reseller", "team"}`, all optional; none when there is no such account.
    Account,
    /// About a domain. Answer: the name of its account, a string; none when it belongs to nobody.
    Domain,
    /// About an owner, or `""` for everybody. Answer: the names of the accounts, an array of strings.
    Accounts,
}

impl Question {
    /// The question as the callback hears it: `account`, `domain` or `accounts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Question::Account => "account",
            Question::Domain => "domain",
            Question::Accounts => "accounts",
        }
    }
}

/// A directory that the host keeps. It is asked from any thread, several at once.
pub trait Lookup: Send + Sync {
    /// Answers `question` about `name`: `Ok(None)` when there is no such thing, an error, in words for the
    /// administrator, when that cannot be told.
    fn ask(&self, question: Question, name: &str) -> Result<Option<Value>, String>;
}

/// Asks, and says in the error which question failed.
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

/// The subject called `name`, which is well formed. The part after an `@` is a domain, else an account.
pub(super) fn resolve(lookup: &dyn Lookup, name: &str) -> Result<Option<Subject>, LookupError> {
    if !name.contains('@') {
        let exists = ask(lookup, Question::Account, name, |answer| Entry::read(name, answer).map(drop))?;
        let name = name.to_owned();
        return Ok(exists.map(|()| Subject::Account { name }));
    }
    let name = folded(name).into_owned();
    let Some((user, place)) = name.split_once('@') else {
        return Ok(None);
    };
    let holder = ask(lookup, Question::Domain, place, |answer| read_name("domain", answer).map(str::to_owned))?;
    if let Some(account) = holder {
        return Ok(Some(Subject::Email { name, account }));
    }
    let listed = ask(lookup, Question::Account, place, |answer| {
        let team = Entry::read(place, answer)?.team;
        Ok(team.iter().any(|listed| folded(listed) == user))
    })?;
    let account = place.to_owned();
    Ok((listed == Some(true)).then_some(Subject::Team { name, account }))
}

/// The account called `name`, which is well formed.
pub(super) fn account(lookup: &dyn Lookup, name: &str) -> Result<Option<Account>, LookupError> {
    let mut account = plain_account(lookup, name)?;
    if let Some(account) = account.as_mut().filter(|_| name != ROOT) {
        account.reseller = account.reseller || owns_another(lookup, name)?;
    }
    Ok(account)
}

/// The account called `name`; `reseller` tells only whether it is listed as one.
fn plain_account(lookup: &dyn Lookup, name: &str) -> Result<Option<Account>, LookupError> {
    if !plain(name) {
        return Ok(None);
    }
    let found = ask(lookup, Question::Account, name, |answer| {
        let entry = Entry::read(name, answer)?;
        Ok(Account {
            name: name.to_owned(),
            owner: entry.owner.unwrap_or(ROOT).to_owned(),
            primary_domain: folded(entry.domain.unwrap_or_default()).into_owned(),
            reseller: entry.reseller && name != ROOT,
        })
    })?;
    Ok(found.or_else(|| (name == ROOT).then(|| Account::of_root(ROOT))))
}

/// The domains of the account called `name`, in order.
pub(super) fn domains(lookup: &dyn Lookup, name: &str) -> Result<Vec<String>, LookupError> {
    let domains = ask(lookup, Question::Account, name, |answer| {
        let entry = Entry::read(name, answer)?;
        let all = entry.domain.into_iter().chain(entry.domains).map(|domain| folded(domain).into_owned());
        Ok(all.collect::<BTreeSet<_>>())
    })?;
    Ok(domains.into_iter().flatten().collect())
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

/// All accounts, or those that `owner` owns. The host is asked about each account that it lists, for its domain and
/// its owner; one that is gone by then, or owned by another, is left out.
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
        // The owners of a listing of all do not matter, and they are no accounts unless the host lists them.
        draft.owner(&account.name, owner.unwrap_or(ROOT));
        if !account.primary_domain.is_empty() {
            draft.primary_domain(&account.primary_domain, &account.name);
        }
    }
    let snapshot = draft.finish().map_err(LookupError::Unavailable)?;
    Ok(Listing::new(Arc::new(snapshot), owner))
}
