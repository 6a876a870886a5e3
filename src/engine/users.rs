//! The list of users and whether each is enrolled, behind `twofactorauth_get_user_configs`.
//!
//! Promises: names and domains are borrowed from the directory's snapshot and a row costs one flag, so a list of
//! 100,000 accounts is small; for a part of the list, only that part is looked up in the store; no secret is read.

use std::ops::Range;

use super::refusal::Refusal;
use super::{Tfa, record};
use crate::accounts::{Account, Listing, ROOT, Subject, View};
use crate::store::Kind;

/// Names read from the store at once.
const PAGE: usize = 4096;

/// Subjects in the order of their names, not yet looked up in the store.
pub enum Users {
    /// Accounts of the directory.
    Listed {
        /// All of them, or those that a reseller owns.
        listing: Listing,
        /// The reseller itself, when it is not among them, and its place.
        caller: Option<(usize, Account)>,
    },
    /// Subjects that have been looked up: name, primary domain, whether enrolled.
    Known(Vec<(String, String, bool)>),
}

/// Some of [`Users`], looked up.
pub struct UserConfigs {
    users: Users,
    range: Range<usize>,
    /// Whether the user at each place of `range` is enrolled.
    enabled: Vec<bool>,
}

/// One subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserConfig<'a> {
    /// Its name.
    pub user: &'a str,
    /// Whether it is enrolled.
    pub is_enabled: bool,
    /// The primary domain of its account, empty when there is none.
    pub primary_domain: &'a str,
}

impl Users {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Users::Listed { listing, caller } => listing.len().saturating_add(caller.iter().len()),
            Users::Known(known) => known.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name and primary domain at `place`.
    fn get(&self, place: usize) -> Option<(&str, &str)> {
        match self {
            Users::Listed { listing, caller: None } => listing.get(place),
            Users::Listed { listing, caller: Some((own_place, account)) } => match place.checked_sub(*own_place) {
                None => listing.get(place),
                Some(0) => Some((&account.name, &account.primary_domain)),
                Some(_) => listing.get(place.checked_sub(1)?),
            },
            Users::Known(known) => known.get(place).map(|(name, domain, _)| (name.as_str(), domain.as_str())),
        }
    }
}

impl UserConfigs {
    /// The rows, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = UserConfig<'_>> {
        self.enabled.iter().enumerate().map(|(place, is_enabled)| {
            let (user, primary_domain) = self.users.get(self.range.start.saturating_add(place)).unwrap_or_default();
            UserConfig { user, is_enabled: *is_enabled, primary_domain }
        })
    }

    /// How many users there are in all, of which these may be a part.
    pub fn total(&self) -> usize {
        self.users.len()
    }
}

impl Tfa {
    /// Every account, root among them; where the directory cannot list them, root and every enrolled subject.
    pub fn all_users(&self, view: &View) -> Result<Users, Refusal> {
        if !view.lists_accounts() {
            return self.enrolled_users();
        }
        Ok(Users::Listed { listing: view.accounts(None)?, caller: None })
    }

    /// `reseller` and the accounts that it owns.
    pub fn users_of(&self, view: &View, reseller: &str) -> Result<Users, Refusal> {
        let listing = view.accounts(Some(reseller))?;
        let place = partition_point(&listing, reseller);
        let caller = match listing.get(place) {
            Some((name, _)) if name == reseller => None,
            _ => view.account(reseller)?.map(|account| (place, account)),
        };
        Ok(Users::Listed { listing, caller })
    }

    /// `subject` alone.
    pub fn one_user(&self, view: &View, subject: &Subject) -> Result<Users, Refusal> {
        let account = view.account(subject.account())?;
        let domain = account.map(|account| account.primary_domain).unwrap_or_default();
        Ok(Users::Known(vec![(subject.name().to_owned(), domain, self.is_enrolled(subject)?)]))
    }

    /// Looks up the users at the places of `range`; what lies past the end is left out.
    pub fn user_configs(&self, users: Users, range: Range<usize>) -> Result<UserConfigs, Refusal> {
        let range = range.start.min(users.len())..range.end.min(users.len());
        let enabled = match &users {
            Users::Known(known) => known.get(range.clone()).unwrap_or_default().iter().map(|row| row.2).collect(),
            Users::Listed { .. } => self.enabled(&users, range.clone())?,
        };
        Ok(UserConfigs { users, range, enabled })
    }

    /// The names of all enrolled subjects, in the order of their records. They may include subjects that the directory no
    /// longer has.
    pub fn enrolled(&self) -> Result<Vec<String>, Refusal> {
        let names = self.store.names(Kind::Subject, "", None, usize::MAX)?;
        Ok(names.iter().map(|name| record::name_subject(name)).collect())
    }

    /// The number of enrolled subjects.
    pub fn enrolled_count(&self) -> Result<u64, Refusal> {
        Ok(self.store.count(Kind::Subject)?)
    }

    /// The names of the records of `kind` of all subjects whose name ends with `@part`.
    pub(super) fn names_under(&self, kind: Kind, part: &str) -> Result<Vec<String>, Refusal> {
        // In the order of bytes, the names with this prefix end where the character after the slash begins.
        Ok(self.store.names(kind, &format!("{part}/"), Some(&format!("{part}0")), usize::MAX)?)
    }

    /// Walks accounts and enrolled names side by side: both are in the order of their bytes.
    fn enabled(&self, users: &Users, range: Range<usize>) -> Result<Vec<bool>, Refusal> {
        let mut enabled = Vec::with_capacity(range.len());
        let mut page: Vec<String> = Vec::new();
        let mut place = 0;
        let mut more = true;
        for (name, _) in range.filter_map(|place| users.get(place)) {
            loop {
                while page.get(place).is_some_and(|enrolled| enrolled.as_str() < name) {
                    place = place.saturating_add(1);
                }
                if place < page.len() || !more {
                    break;
                }
                page = self.store.names(Kind::Subject, name, None, PAGE)?;
                more = page.len() == PAGE;
                place = 0;
            }
            enabled.push(page.get(place).is_some_and(|enrolled| enrolled == name));
        }
        Ok(enabled)
    }

    /// Root and every enrolled subject.
    fn enrolled_users(&self) -> Result<Users, Refusal> {
        let mut known: Vec<_> = self.enrolled()?.into_iter().map(|name| (name, String::new(), true)).collect();
        if !known.iter().any(|(name, ..)| name == ROOT) {
            known.push((ROOT.to_owned(), String::new(), false));
        }
        known.sort_unstable();
        Ok(Users::Known(known))
    }
}

/// How many names of the listing are before `name`.
fn partition_point(listing: &Listing, name: &str) -> usize {
    let (mut from, mut to) = (0, listing.len());
    while from < to {
        let middle = from.midpoint(to);
        match listing.get(middle) {
            Some((other, _)) if other < name => from = middle.saturating_add(1),
            _ => to = middle,
        }
    }
    from
}
