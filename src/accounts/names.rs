//! Names in one text, and tables from names to accounts that point into it.
//!
//! 100,000 accounts with their domains take some ten megabytes this way.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};

/// The place of a name in a [`Text`].
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// All names, one after the other.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Appends `name`. Positions past 4 GiB are cut; [`Text::fits`] is false then.
    fn push(&mut self, name: &str) -> Span {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let start = position(self.0.len());
        self.0.push_str(name);
        let end = position(self.0.len());
        Span { start, end }
    }

    #[inline]
    pub(super) fn get(&self, span: Span) -> &str {
        let range = span.start as usize..span.end as usize;
        self.0.get(range).unwrap_or_default()
    }

    /// Whether every position is below 4 GiB.
    pub(super) fn fits(&self) -> bool {
        u32::try_from(self.0.len()).is_ok()
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }
}

/// A table from names to the numbers of accounts.
#[derive(Default)]
pub(super) struct Index {
    table: HashTable<(Span, u32)>,
    hasher: DefaultHashBuilder,
}

impl Index {
    pub(super) fn find(&self, text: &Text, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        let found = self.table.find(hash, |(span, _)| text.get(*span) == name);
        found.map(|(_, account)| *account)
    }

    pub(super) fn reserve(&mut self, text: &Text, names: usize) {
        let hasher = &self.hasher;
        self.table.reserve(names, |(span, _)| hasher.hash_one(text.get(*span)));
    }

    /// Adds `name` for `account` unless it is there. Returns the place of the name and the account that it leads to.
    pub(super) fn claim(&mut self, text: &mut Text, name: &str, account: u32) -> (Span, u32) {
        let hasher = &self.hasher;
        let same = |(span, _): &(Span, u32)| text.get(*span) == name;
        let rehash = |(span, _): &(Span, u32)| hasher.hash_one(text.get(*span));
        match self.table.entry(hasher.hash_one(name), same, rehash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => *free.insert((text.push(name), account)).get(),
        }
    }

    /// Removes the names that `keep` returns false for.
    pub(super) fn retain(&mut self, text: &Text, keep: impl Fn(&str) -> bool) {
        self.table.retain(|(span, _)| keep(text.get(*span)));
    }

    /// Removes `name`.
    pub(super) fn remove(&mut self, text: &Text, name: &str) {
        let hash = self.hasher.hash_one(name);
        if let Ok(found) = self.table.find_entry(hash, |(span, _)| text.get(*span) == name) {
            found.remove();
        }
    }

    /// The names that lead to `account`, in order.
    pub(super) fn names_of(&self, text: &Text, account: u32) -> Vec<String> {
        let own = self.table.iter().filter(|(_, holder)| *holder == account);
        let mut names: Vec<_> = own.map(|(span, _)| text.get(*span).to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Changes every account `n` to `to[n]`.
    pub(super) fn renumber(&mut self, to: &[u32]) {
        for (_, account) in &mut self.table {
            *account = number_at(to, *account);
        }
    }
}

/// `numbers[index]`; 0 past the end.
pub(super) fn number_at(numbers: &[u32], index: u32) -> u32 {
    numbers.get(index as usize).copied().unwrap_or_default()
}
