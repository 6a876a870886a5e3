//! Faults of disks, clocks and operating systems.
//!
//! Promises for each: the caller gets an error that names the cause, no login is accepted because of it, nothing is lost,
//! and everything works again when the cause is gone.

mod disk;
mod files;
mod process;

use std::path::{Path, PathBuf};

use tfa::engine::Tfa;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;
use tfa::otp::secret::Secret;

use crate::Test;
use crate::fixture::{ACTOR, NOW, PERIOD, VERIFIED, account, assert_sound, code, enrol, open, open_at, reason};

pub use process::{without_descriptors, without_permission};

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    [disk::TESTS, files::TESTS, process::TESTS].concat()
}

/// A store with the policy enabled and `example` enrolled, one time step before the one that tests log in at.
struct Server {
    folder: PathBuf,
    secret: Secret,
    _place: tempfile::TempDir,
}

impl Server {
    fn new() -> Server {
        let place = tempfile::tempdir().unwrap();
        Server::within(place.path().to_owned(), place)
    }

    fn within(folder: PathBuf, place: tempfile::TempDir) -> Server {
        let (tfa, _) = open_at(&folder, NOW);
        tfa.set_policy(ACTOR, true).unwrap();
        let secret = enrol(&tfa, "example", NOW / PERIOD);
        Server { folder, secret, _place: place }
    }

    fn open(&self) -> Tfa {
        open_at(&self.folder, NOW + PERIOD).0
    }

    fn code(&self) -> String {
        code(&self.secret, NOW / PERIOD + 1)
    }

    fn login(&self, tfa: &Tfa) -> Result<Verdict, Refusal> {
        tfa.login(ACTOR, &account("example"), &self.code())
    }

    /// Checks that the valid code is accepted once: the enrolment is there, and the code was not used.
    fn assert_working(&self, tfa: &Tfa) {
        assert_eq!(self.login(tfa).unwrap(), VERIFIED);
        assert_eq!(reason(self.login(tfa).unwrap()), Refusal::UsedCode);
        assert_sound(&self.folder);
    }
}

/// Why a request could not be answered.
fn why_unavailable<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
    match answer {
        Err(Refusal::Unavailable(why)) => why,
        other => panic!("answered with {other:?}"),
    }
}

/// Why opening the store in `folder` fails.
fn opening_error(folder: &Path) -> String {
    open(folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap()
}
