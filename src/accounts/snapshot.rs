//! The directory at one moment: every account, domain and team user that a source names, looked up by name.
//!
//! A snapshot is made by a [`Draft`](super::draft::Draft), never changes, and is shared by reference. `root` is always an
//! account, and so is every owner: one that the source does not describe is owned by root.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::name::{folded, folded_domain};
use super::names::{Index, Span, Text};
use super::{Account, Subject};

/// One account; `owner` is a position in the table of accounts, an empty `domain` means none.
#[derive(Clone, Copy, Default)]
pub(super) struct Row {
    pub(super) name: Span,
    pub(super) domain: Span,
    pub(super) owner: u32,
    pub(super) owner_known: bool,
    pub(super) reseller: bool,
}

/// The directory at one moment. It never changes.
pub struct Snapshot {
    pub(super) text: Text,
    /// Sorted by name.
    pub(super) accounts: Vec<Row>,
    /// Positions of accounts, sorted by owner, then by name.
    pub(super) by_owner: Vec<u32>,
    pub(super) names: Index,
    /// Mail domains, folded.
    pub(super) domains: Index,
    /// Accounts whose name differs from its folded form, by that form.
    pub(super) folded: Index,
    /// `team_user@account`, folded; `None` when any well-formed one exists.
    pub(super) team: Option<Index>,
    /// Creation stamps, by position of the account.
    pub(super) created: BTreeMap<u32, u64>,
}

impl Snapshot {
    /// The subject called `name`, which is well formed. The part after an `@` is an account, else a domain.
    pub(super) fn resolve(&self, name: &str) -> Option<Subject> {
        let Some((local, place)) = name.split_once('@') else {
            let name = self.name(self.find(name)?).to_owned();
            return Some(Subject::Account { name });
        };
        if let Some(account) = self.find(&folded(place)) {
            return self.team_user(local, self.name(account));
        }
        let domain = folded_domain(place);
        let account = self.domains.find(&self.text, &domain)?;
        let (name, account) = (format!("{}@{domain}", folded(local)), self.name(account).to_owned());
        Some(Subject::Email { name, account })
    }

    /// The team user with this local part in `account`.
    pub(super) fn team_user(&self, local: &str, account: &str) -> Option<Subject> {
        let place = folded(account);
        let name = format!("{}@{place}", folded(local));
        let found = match &self.team {
            Some(team) => team.find(&self.text, &name),
            None => self.find(&place),
        };
        // Of two accounts that differ only in case, one has the team users.
        let account = found.map(|found| self.name(found)).filter(|found| *found == account)?.to_owned();
        Some(Subject::Team { name, account })
    }

    /// The account called `name`: of several that differ only in case, the one with this spelling, else the one in lower
    /// case, else the first.
    fn find(&self, name: &str) -> Option<u32> {
        self.names.find(&self.text, name).or_else(|| {
            let name = folded(name);
            self.names.find(&self.text, &name).or_else(|| self.folded.find(&self.text, &name))
        })
    }

    /// The account called `name`.
    pub(super) fn account(&self, name: &str) -> Option<Account> {
        let number = self.find(name)?;
        let row = self.row(number)?;
        Some(Account {
            name: self.text.get(row.name).to_owned(),
            owner: self.name(row.owner).to_owned(),
            primary_domain: self.text.get(row.domain).to_owned(),
            reseller: row.reseller,
            created: self.created.get(&number).copied(),
        })
    }

    /// The mail domains of the account called `name`, in order.
    pub(super) fn domains(&self, name: &str) -> Vec<String> {
        self.find(name).map(|account| self.domains.names_of(&self.text, account)).unwrap_or_default()
    }

    /// The positions in `by_owner` of the accounts that `owner` owns.
    fn owned(&self, owner: &str) -> Range<usize> {
        let Some(owner) = self.find(owner) else {
            return 0..0;
        };
        let owner_of = |at: u32| self.row(at).map_or(u32::MAX, |row| row.owner);
        let start = self.by_owner.partition_point(|&at| owner_of(at) < owner);
        let end = self.by_owner.partition_point(|&at| owner_of(at) <= owner);
        start..end
    }

    fn row(&self, number: u32) -> Option<&Row> {
        self.accounts.get(number as usize)
    }

    fn name(&self, number: u32) -> &str {
        self.row(number).map_or("", |row| self.text.get(row.name))
    }
}

/// Accounts with their primary domains, sorted by name in byte order. Cloning one copies no names, and it stays the
/// same when the directory changes. `root` is an account, owned by itself.
#[derive(Clone)]
pub struct Listing {
    snapshot: Arc<Snapshot>,
    /// Positions in `by_owner`; `None` for all accounts.
    owned: Option<Range<usize>>,
}

impl Listing {
    /// All accounts of the snapshot, or those that `owner` owns.
    pub(super) fn new(snapshot: Arc<Snapshot>, owner: Option<&str>) -> Listing {
        let owned = owner.map(|owner| snapshot.owned(owner));
        Listing { snapshot, owned }
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        match &self.owned {
            Some(range) => range.len(),
            None => self.snapshot.accounts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The account at `index`, counted from 0, as (name, primary domain or `""`); `None` past the end.
    pub fn get(&self, index: usize) -> Option<(&str, &str)> {
        let snapshot = &*self.snapshot;
        let row = match &self.owned {
            None => snapshot.accounts.get(index)?,
            Some(range) => snapshot.row(*snapshot.by_owner.get(range.clone())?.get(index)?)?,
        };
        Some((snapshot.text.get(row.name), snapshot.text.get(row.domain)))
    }

    /// Every account as (name, primary domain or `""`), in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}
