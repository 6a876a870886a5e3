//! The directory as its callers see it: the same questions to every source. The tests of a source's internals are beside
//! its code.

mod callback;
mod configuration;
mod files;
mod resolve;

use serde_json::json;

use super::*;

/// A directory that answers each question from a view of its own, as separate requests do.
struct Directory(Arc<super::Directory>);

impl Directory {
    fn from_config(value: Option<&Value>) -> Result<Self, String> {
        super::Directory::from_config(value).map(|directory| Directory(Arc::new(directory)))
    }

    fn callback(lookup: Box<dyn Lookup>) -> Self {
        Directory(Arc::new(super::Directory::callback(lookup)))
    }

    fn resolve(&self, name: &str) -> Result<Option<Subject>, LookupError> {
        self.0.view().resolve(name)
    }

    fn account(&self, name: &str) -> Result<Option<Account>, LookupError> {
        self.0.view().account(name)
    }

    fn candidates(&self, name: &str) -> Vec<Subject> {
        self.0.view().candidates(name).unwrap()
    }

    fn domains(&self, name: &str) -> Vec<String> {
        self.0.view().domains(name).unwrap()
    }

    fn accounts(&self, owner: Option<&str>) -> Result<Listing, LookupError> {
        self.0.view().accounts(owner)
    }
}

fn configured(accounts: Value) -> Directory {
    Directory::from_config(Some(&accounts)).unwrap()
}

fn refusal(accounts: Value) -> String {
    Directory::from_config(Some(&accounts)).err().unwrap()
}

fn example() -> Directory {
    configured(json!({"inline": {
        "example": {"owner": "reseller1", "domain": "Example.com", "domains": ["addon.example"], "reseller": 0,
            "team": ["Team_User"]},
        "listed": {"reseller": true, "domain": "example"},
        "Cased": {"owner": "Cased", "team": ["one"]},
        "bare": {},
    }}))
}

fn email(name: &str, account: &str) -> Option<Subject> {
    let (name, account) = (name.to_owned(), account.to_owned());
    Some(Subject::Email { name, account })
}

fn team(name: &str, account: &str) -> Option<Subject> {
    let (name, account) = (name.to_owned(), account.to_owned());
    Some(Subject::Team { name, account })
}

fn plain_account(name: &str) -> Option<Subject> {
    let name = name.to_owned();
    Some(Subject::Account { name })
}

fn names(directory: &Directory, owner: Option<&str>) -> Vec<String> {
    let listing = directory.accounts(owner).unwrap();
    let names: Vec<_> = listing.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names.len(), listing.len());
    assert_eq!(names.is_empty(), listing.is_empty());
    assert!(listing.get(listing.len()).is_none());
    names
}
