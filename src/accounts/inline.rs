//! The inline map of the configuration (contract section 10), and one entry of it, which is also the answer of a host's
//! callback about an account.
//!
//! Promise: a value that is not valid is an error that names the account and the key; nothing is guessed or skipped.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::name::{ROOT, folded, plain, quoted, well_formed};
use super::snapshot::Snapshot;

/// The most domains, and the most team users, that one account may list.
const MAX_LIST: usize = 100_000;

/// One account as the map describes it. All keys are optional.
#[derive(Default)]
pub(super) struct Entry<'a> {
    /// `"owner"`; root when absent.
    pub(super) owner: Option<&'a str>,
    /// `"domain"`: the primary one.
    pub(super) domain: Option<&'a str>,
    /// `"domains"`: the others.
    pub(super) domains: Vec<&'a str>,
    /// `"reseller"`: 0, 1 or a boolean.
    pub(super) reseller: bool,
    /// `"team"`: its team users, without `@`.
    pub(super) team: Vec<&'a str>,
    /// `"created"`: when the account was created, in Unix seconds.
    pub(super) created: Option<u64>,
}

impl<'a> Entry<'a> {
    /// Reads the entry of `account`. The error names the key and says what is wrong with it.
    pub(super) fn read(account: &str, value: &'a Value) -> Result<Entry<'a>, String> {
        let wrong = |why: String| format!("account {}: {why}", quoted(account));
        if !plain(account) {
            return Err(wrong("this is not a well-formed account name".to_owned()));
        }
        let Value::Object(map) = value else {
            return Err(wrong("its entry must be an object".to_owned()));
        };
        let entry = Entry::read_keys(map).map_err(wrong)?;
        if folded(account) == ROOT && entry.owner.is_some_and(|owner| owner != ROOT) {
            return Err(wrong("root has no owner".to_owned()));
        }
        let too_long = |user: &&&str| !well_formed(&format!("{user}@{account}"));
        if let Some(user) = entry.team.iter().find(too_long) {
            return Err(wrong(format!("the name of team user {} is too long", quoted(user))));
        }
        Ok(entry)
    }

    fn read_keys(map: &'a Map<String, Value>) -> Result<Entry<'a>, String> {
        let mut entry = Entry::default();
        for (key, value) in map {
            match key.as_str() {
                "owner" => entry.owner = Some(read_name(key, value)?),
                "domain" => entry.domain = Some(read_name(key, value)?),
                "domains" => entry.domains = read_names(key, value, MAX_LIST)?,
                "reseller" => entry.reseller = read_bool(key, value)?,
                "team" => entry.team = read_names(key, value, MAX_LIST)?,
                "created" => entry.created = Some(read_time(key, value)?),
                _ => return Err(format!("unknown key {}", quoted(key))),
            }
        }
        Ok(entry)
    }
}

/// Reads the map from account names to entries.
pub(super) fn read(value: &Value) -> Result<Snapshot, String> {
    let Value::Object(map) = value else {
        return Err("must be an object that maps account names to objects".to_owned());
    };
    let mut draft = Draft::new();
    draft.only_listed_team_users();
    for (account, value) in map {
        let entry = Entry::read(account, value)?;
        add(&mut draft, account, &entry)?;
    }
    draft.finish()
}

fn add(draft: &mut Draft, account: &str, entry: &Entry) -> Result<(), String> {
    let twice = |what: &str, name: &str, holder: &str| {
        let (name, holder, account) = (quoted(name), quoted(holder), quoted(account));
        format!("{what} {name} is given to both {holder} and {account}")
    };
    draft.account(account);
    if let Some(owner) = entry.owner {
        draft.owner(account, owner);
    }
    if let Some(domain) = entry.domain
        && let Some(holder) = draft.primary_domain(domain, account)
    {
        return Err(twice("domain", domain, holder));
    }
    for domain in &entry.domains {
        if let Some(holder) = draft.domain(domain, account) {
            return Err(twice("domain", domain, holder));
        }
    }
    if entry.reseller {
        draft.reseller(account);
    }
    if let Some(time) = entry.created {
        draft.created(account, time);
    }
    for user in &entry.team {
        if let Some(holder) = draft.team_user(user, account) {
            return Err(twice("team user", user, holder));
        }
    }
    Ok(())
}

/// A well-formed name without `@`; `what` is the name of the value in the error.
pub(super) fn read_name<'a>(what: &str, value: &'a Value) -> Result<&'a str, String> {
    let Value::String(name) = value else {
        return Err(format!("{what:?} must be a string"));
    };
    if plain(name) { Ok(name) } else { Err(format!("{what:?}: {} is not a well-formed name without @", quoted(name))) }
}

/// An array of at most `limit` well-formed names without `@`.
pub(super) fn read_names<'a>(what: &str, value: &'a Value, limit: usize) -> Result<Vec<&'a str>, String> {
    match value {
        Value::Array(names) if names.len() <= limit => names.iter().map(|name| read_name(what, name)).collect(),
        Value::Array(_) => Err(format!("{what:?} has more than {limit} names")),
        _ => Err(format!("{what:?} must be an array of strings")),
    }
}

fn read_time(what: &str, value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| format!("{what:?} must be a time in whole Unix seconds"))
}

/// A switch: 0, 1 or a boolean.
pub(super) fn read_bool(what: &str, value: &Value) -> Result<bool, String> {
    match (value.as_bool(), value.as_u64()) {
        (Some(bool), _) => Ok(bool),
        (_, Some(0)) => Ok(false),
        (_, Some(1)) => Ok(true),
        _ => Err(format!("{what:?} must be 0 or 1")),
    }
}
