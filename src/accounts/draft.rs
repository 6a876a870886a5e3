//! What a source says about accounts, collected while it is read, and made into a [`Snapshot`] at the end.
//!
//! Promises: where a source contradicts itself, what it said first holds. A domain without a dot, and one that is also
//! the name of an account, is no mail domain (contract section 11).

use std::collections::BTreeMap;

use super::name::{ROOT, folded, folded_domain, normalized};
use super::names::{Index, Text, number_at};
use super::snapshot::{Row, Snapshot};

/// A directory that is being read. Names given to it are well formed and without `@`. Accounts are numbered as they
/// come; root is the first.
pub(super) struct Draft {
    text: Text,
    accounts: Vec<Row>,
    names: Index,
    domains: Index,
    team: Option<Index>,
    created: BTreeMap<u32, u64>,
}

/// Root's number.
const ROOT_NUMBER: u32 = 0;

impl Draft {
    /// Only root, so far; any well-formed team user exists.
    pub(super) fn new() -> Draft {
        let mut draft = Draft {
            text: Text::default(),
            accounts: Vec::new(),
            names: Index::default(),
            domains: Index::default(),
            team: None,
            created: BTreeMap::new(),
        };
        draft.owner(ROOT, ROOT);
        draft
    }

    /// Makes room for about so many accounts and domains. This saves time and changes nothing else.
    pub(super) fn expect(&mut self, accounts: usize, domains: usize) {
        self.names.reserve(&self.text, accounts);
        self.domains.reserve(&self.text, domains);
    }

    /// `name` exists. Returns its number.
    pub(super) fn account(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        // A name that is ill formed once it is normalized is found by no question, so it stays as it is.
        let name = normalized(name).unwrap_or_else(|| name.into());
        let (span, number) = self.names.claim(&mut self.text, &name, next);
        if number == next {
            self.accounts.push(Row { name: span, owner: ROOT_NUMBER, ..Row::default() });
        }
        number
    }

    /// `account` and `owner` exist, and `owner` owns `account`.
    pub(super) fn owner(&mut self, account: &str, owner: &str) {
        let account = self.account(account);
        let owner = self.account(owner);
        if let Some(row) = self.row(account).filter(|row| !row.owner_known) {
            row.owner = owner;
            row.owner_known = true;
        }
    }

    /// `account` exists and is a reseller.
    pub(super) fn reseller(&mut self, account: &str) {
        let account = self.account(account);
        if let Some(row) = self.row(account) {
            row.reseller = true;
        }
    }

    /// `account` exists and was created at this Unix time.
    pub(super) fn created(&mut self, account: &str, time: u64) {
        let account = self.account(account);
        self.created.entry(account).or_insert(time);
    }

    /// `account` exists, and `domain` is its primary domain, or one of its domains when it has a primary one. Returns the
    /// other account that has the domain already, if there is one.
    pub(super) fn primary_domain(&mut self, domain: &str, account: &str) -> Option<&str> {
        let account = self.account(account);
        let (span, holder) = self.domains.claim(&mut self.text, &folded_domain(domain), account);
        if let Some(row) = self.row(account).filter(|row| holder == account && row.domain.is_empty()) {
            row.domain = span;
        }
        self.other(holder, account)
    }

    /// `domain` belongs to `account`, if such an account was named before. Returns the other account that has the domain
    /// already, if there is one.
    pub(super) fn domain(&mut self, domain: &str, account: &str) -> Option<&str> {
        let account = self.names.find(&self.text, &normalized(account)?)?;
        let (_, holder) = self.domains.claim(&mut self.text, &folded_domain(domain), account);
        self.other(holder, account)
    }

    /// From now on, only those team users exist that [`Draft::team_user`] names.
    pub(super) fn only_listed_team_users(&mut self) {
        self.team.get_or_insert_default();
    }

    /// `account` exists and has the team user `user`. Returns the other account that has it already, if there is one: its
    /// name differs in case only.
    pub(super) fn team_user(&mut self, user: &str, account: &str) -> Option<&str> {
        let name = format!("{}@{}", folded(user), folded(account));
        let account = self.account(account);
        let team = self.team.get_or_insert_default();
        let (_, holder) = team.claim(&mut self.text, &name, account);
        self.other(holder, account)
    }

    /// The finished snapshot. Fails only when there is too much text to index.
    pub(super) fn finish(mut self) -> Result<Snapshot, String> {
        if !self.text.fits() {
            return Err("it names too many accounts".to_owned());
        }
        self.sort();
        self.mark_resellers();
        let folded = self.fold();
        self.text.shrink_to_fit();
        Ok(Snapshot {
            by_owner: by_owner(&self.accounts),
            text: self.text,
            accounts: self.accounts,
            names: self.names,
            domains: self.domains,
            folded,
            team: self.team,
            created: self.created,
        })
    }

    fn row(&mut self, number: u32) -> Option<&mut Row> {
        self.accounts.get_mut(number as usize)
    }

    /// The name of `holder`, if that is not `account`.
    fn other(&self, holder: u32, account: u32) -> Option<&str> {
        let row = self.accounts.get(holder as usize);
        row.filter(|_| holder != account).map(|row| self.text.get(row.name))
    }

    /// Numbers the accounts anew, in the order of their names.
    fn sort(&mut self) {
        let mut order: Vec<(&str, u32)> = self.accounts.iter().map(|row| self.text.get(row.name)).zip(0..).collect();
        order.sort(); // quick, because panels write their files sorted
        let mut sorted: Vec<Row> = Vec::with_capacity(order.len());
        let mut renumbered = vec![0; order.len()];
        for ((_, old), new) in order.into_iter().zip(0..) {
            sorted.extend(self.accounts.get(old as usize));
            if let Some(number) = renumbered.get_mut(old as usize) {
                *number = new;
            }
        }
        for row in &mut sorted {
            row.owner = number_at(&renumbered, row.owner);
        }
        self.accounts = sorted;
        self.names.renumber(&renumbered);
        self.domains.renumber(&renumbered);
        if let Some(team) = &mut self.team {
            team.renumber(&renumbered);
        }
        let created = std::mem::take(&mut self.created).into_iter();
        self.created = created.map(|(account, time)| (number_at(&renumbered, account), time)).collect();
    }

    /// Marks the owners of other accounts as resellers. Root is none.
    fn mark_resellers(&mut self) {
        for number in 0..self.accounts.len() {
            let owner = self.accounts.get(number).map(|row| row.owner as usize);
            let owner = owner.filter(|owner| *owner != number);
            if let Some(row) = owner.and_then(|owner| self.accounts.get_mut(owner)) {
                row.reseller = true;
            }
        }
        let root = self.names.find(&self.text, ROOT);
        if let Some(row) = root.and_then(|root| self.row(root)) {
            row.reseller = false;
        }
    }

    /// Indexes the accounts by their folded names where these differ, and removes the domains that are no mail domains.
    fn fold(&mut self) -> Index {
        let mut index = Index::default();
        self.domains.retain(&self.text, |domain| domain.contains('.'));
        for (row, number) in self.accounts.iter().zip(0..) {
            let name = self.text.get(row.name);
            if name.contains('.') {
                self.domains.remove(&self.text, &folded_domain(name));
            }
            let lower = folded(name);
            if lower != name {
                let lower = lower.into_owned();
                index.claim(&mut self.text, &lower, number);
            }
        }
        index
    }
}

/// The positions of all accounts, sorted by owner, then by name.
fn by_owner(rows: &[Row]) -> Vec<u32> {
    let mut pairs: Vec<(u32, u32)> = rows.iter().zip(0..).map(|(row, at)| (row.owner, at)).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, at)| at).collect()
}
