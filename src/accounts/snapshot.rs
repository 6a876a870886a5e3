//! One picture of the directory: every account, domain and team user that a source names, looked up by name.
//!
//! A [`Draft`] collects what a source says; [`Draft::finish`] turns it into a [`Snapshot`], which never changes again
//! and is shared by reference. All names lie in one text and the tables point into it, so 100,000 accounts with their
//! domains take some ten megabytes. `root` is always there, and so is everyone who owns an account: an owner that the source does not describe
//! is an account of root's.

use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};

use super::name::{ROOT, folded};
use super::{Account, Subject};

/// Where a name lies in a [`Text`].
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// All names, one after the other.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Positions past 4 GiB are cut; [`Draft::finish`] refuses such a text.
    fn push(&mut self, name: &str) -> Span {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let start = position(self.0.len());
        self.0.push_str(name);
        let end = position(self.0.len());
        Span { start, end }
    }

    #[inline]
    fn get(&self, span: Span) -> &str {
        let range = span.start as usize..span.end as usize;
        self.0.get(range).unwrap_or_default()
    }
}

/// A table that leads from names to accounts.
#[derive(Default)]
struct Index {
    table: HashTable<(Span, u32)>,
    hasher: DefaultHashBuilder,
}

impl Index {
    fn find(&self, text: &Text, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        let found = self.table.find(hash, |(span, _)| text.get(*span) == name);
        found.map(|(_, account)| *account)
    }

    fn reserve(&mut self, text: &Text, names: usize) {
        let hasher = &self.hasher;
        self.table.reserve(names, |(span, _)| hasher.hash_one(text.get(*span)));
    }

    /// Gives `name` to `account` unless somebody has it; tells where the name lies and who has it now.
    fn claim(&mut self, text: &mut Text, name: &str, account: u32) -> (Span, u32) {
        let hasher = &self.hasher;
        let same = |(span, _): &(Span, u32)| text.get(*span) == name;
        let rehash = |(span, _): &(Span, u32)| hasher.hash_one(text.get(*span));
        match self.table.entry(hasher.hash_one(name), same, rehash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => *free.insert((text.push(name), account)).get(),
        }
    }

    /// The names that lead to `account`, in order.
    fn names_of(&self, text: &Text, account: u32) -> Vec<String> {
        let own = self.table.iter().filter(|(_, holder)| *holder == account);
        let mut names: Vec<_> = own.map(|(span, _)| text.get(*span).to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Changes every account `n` to `to[n]`.
    fn renumber(&mut self, to: &[u32]) {
        for (_, account) in &mut self.table {
            *account = at(to, *account);
        }
    }
}

fn at(numbers: &[u32], index: u32) -> u32 {
    numbers.get(index as usize).copied().unwrap_or_default()
}

/// One account; `owner` is a position in the table of accounts, an empty `domain` means none.
#[derive(Clone, Copy, Default)]
struct Row {
    name: Span,
    domain: Span,
    owner: u32,
    owner_known: bool,
    reseller: bool,
}

/// The directory at one moment. It never changes.
pub struct Snapshot {
    text: Text,
    /// Sorted by name.
    accounts: Vec<Row>,
    /// Positions of accounts, sorted by owner, then by name.
    by_owner: Vec<u32>,
    names: Index,
    /// Domains in lower case.
    domains: Index,
    /// Accounts with an upper-case letter in their name, by their name in lower case: team users are looked up so.
    cased: Index,
    /// `team_user@account` in lower case; `None` when any well-formed one exists.
    team: Option<Index>,
}

impl Snapshot {
    /// The subject called `name`, which is well formed. The part after an `@` is a domain, else an account.
    pub(super) fn resolve(&self, name: &str) -> Option<Subject> {
        if !name.contains('@') {
            self.names.find(&self.text, name)?;
            let name = name.to_owned();
            return Some(Subject::Account { name });
        }
        let name = folded(name).into_owned();
        let (_, place) = name.split_once('@')?;
        if let Some(account) = self.domains.find(&self.text, place) {
            let account = self.name(account).to_owned();
            return Some(Subject::Email { name, account });
        }
        let account = self.team_account(&name, place)?;
        let account = self.name(account).to_owned();
        Some(Subject::Team { name, account })
    }

    /// The account of the team user `name`, whose part after the `@` is `place`; both are in lower case.
    fn team_account(&self, name: &str, place: &str) -> Option<u32> {
        match &self.team {
            Some(team) => team.find(&self.text, name),
            None => {
                let exact = self.names.find(&self.text, place);
                exact.or_else(|| self.cased.find(&self.text, place))
            }
        }
    }

    /// The account called `name`, compared byte by byte.
    pub(super) fn account(&self, name: &str) -> Option<Account> {
        let row = self.row(self.names.find(&self.text, name)?)?;
        Some(Account {
            name: name.to_owned(),
            owner: self.name(row.owner).to_owned(),
            primary_domain: self.text.get(row.domain).to_owned(),
            reseller: row.reseller,
        })
    }

    /// The domains of the account called `name`, in order.
    pub(super) fn domains(&self, name: &str) -> Vec<String> {
        let account = self.names.find(&self.text, name);
        account.map(|account| self.domains.names_of(&self.text, account)).unwrap_or_default()
    }

    /// The positions in `by_owner` of the accounts that `owner` owns.
    fn owned(&self, owner: &str) -> Range<usize> {
        let Some(owner) = self.names.find(&self.text, owner) else {
            return 0..0;
        };
        let owner_of = |at: u32| self.row(at).map_or(u32::MAX, |row| row.owner);
        let start = self.by_owner.partition_point(|&at| owner_of(at) < owner);
        let end = self.by_owner.partition_point(|&at| owner_of(at) <= owner);
        start..end
    }

    fn row(&self, at: u32) -> Option<&Row> {
        self.accounts.get(at as usize)
    }

    fn name(&self, at: u32) -> &str {
        self.row(at).map_or("", |row| self.text.get(row.name))
    }
}

/// Accounts with their primary domains, sorted by name in byte order. Cloning one copies no names, and it stays as
/// it is when the directory changes. `root` is an account, owned by itself.
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

/// What a source says, while it is being read. Names given to it are well formed and without `@`. Where a source
/// contradicts itself, what it said first holds. Accounts are numbered as they come; root is the first.
pub(super) struct Draft {
    text: Text,
    accounts: Vec<Row>,
    names: Index,
    domains: Index,
    team: Option<Index>,
}

/// Root's number in a [`Draft`].
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
        };
        draft.owner(ROOT, ROOT);
        draft
    }

    /// Makes room for about so many accounts and domains, which saves time and changes nothing.
    pub(super) fn expect(&mut self, accounts: usize, domains: usize) {
        self.names.reserve(&self.text, accounts);
        self.domains.reserve(&self.text, domains);
    }

    /// `name` exists. Gives its number.
    pub(super) fn account(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        let (span, number) = self.names.claim(&mut self.text, name, next);
        if number == next {
            self.accounts.push(Row { name: span, owner: ROOT_NUMBER, ..Row::default() });
        }
        number
    }

    /// `account` and `owner` exist, and the one belongs to the other.
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

    /// `account` exists, and `domain` is its primary domain; just one of its domains when it has a primary one. Gives
    /// the other account that has the domain already, if one does.
    pub(super) fn primary_domain(&mut self, domain: &str, account: &str) -> Option<&str> {
        let account = self.account(account);
        let (span, holder) = self.domains.claim(&mut self.text, &folded(domain), account);
        if let Some(row) = self.row(account).filter(|row| holder == account && row.domain.is_empty()) {
            row.domain = span;
        }
        self.other(holder, account)
    }

    /// `domain` belongs to `account`, if such an account was named before. Gives the other account that has the domain
    /// already, if one does.
    pub(super) fn domain(&mut self, domain: &str, account: &str) -> Option<&str> {
        let account = self.names.find(&self.text, account)?;
        let (_, holder) = self.domains.claim(&mut self.text, &folded(domain), account);
        self.other(holder, account)
    }

    /// From now on only those team users exist that [`Draft::team_user`] names.
    pub(super) fn only_listed_team_users(&mut self) {
        self.team.get_or_insert_default();
    }

    /// `account` exists and has the team user `user`. Gives the other account that has it already, if one does: its name
    /// differs in case only.
    pub(super) fn team_user(&mut self, user: &str, account: &str) -> Option<&str> {
        let name = format!("{user}@{account}").to_ascii_lowercase();
        let account = self.account(account);
        let team = self.team.get_or_insert_default();
        let (_, holder) = team.claim(&mut self.text, &name, account);
        self.other(holder, account)
    }

    /// The finished picture. Fails only when there is too much text to index.
    pub(super) fn finish(mut self) -> Result<Snapshot, String> {
        if u32::try_from(self.text.0.len()).is_err() {
            return Err("it names too many accounts".to_owned());
        }
        self.sort();
        self.mark_resellers();
        let mut cased = Index::default();
        for (row, at) in self.accounts.iter().zip(0..) {
            let name = self.text.get(row.name);
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let name = name.to_ascii_lowercase();
                cased.claim(&mut self.text, &name, at);
            }
        }
        self.text.0.shrink_to_fit();
        Ok(Snapshot {
            by_owner: by_owner(&self.accounts),
            text: self.text,
            accounts: self.accounts,
            names: self.names,
            domains: self.domains,
            cased,
            team: self.team,
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
        order.sort(); // panels write their files sorted, which this sort is quick with
        let mut sorted: Vec<Row> = Vec::with_capacity(order.len());
        let mut renumbered = vec![0; order.len()];
        for ((_, old), new) in order.into_iter().zip(0..) {
            sorted.extend(self.accounts.get(old as usize));
            if let Some(number) = renumbered.get_mut(old as usize) {
                *number = new;
            }
        }
        for row in &mut sorted {
            row.owner = at(&renumbered, row.owner);
        }
        self.accounts = sorted;
        self.names.renumber(&renumbered);
        self.domains.renumber(&renumbered);
        if let Some(team) = &mut self.team {
            team.renumber(&renumbered);
        }
    }

    /// Whoever owns another account is a reseller; root is none.
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
}

/// The positions of all accounts, sorted by owner, then by name.
fn by_owner(rows: &[Row]) -> Vec<u32> {
    let mut pairs: Vec<(u32, u32)> = rows.iter().zip(0..).map(|(row, at)| (row.owner, at)).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, at)| at).collect()
}
