//! Two logins at once: the second one runs between the moment when the first has read its records and its commit.
//!
//! Nothing is left to chance: the store of the first login runs the second one at that moment, and waits for it as long
//! as a store that lets it through would take. A store that makes it wait runs it afterwards.

use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use super::*;
use crate::store::Kind;
use crate::store::{Decision, Durability, Key, StoredLine, Texts};

/// A store that starts a thread when the first decision has been taken, before it is committed.
struct Interleaving {
    store: Box<dyn Store>,
    other: Arc<Mutex<Other>>,
}

/// The other thread: what it does, and, once it has been started, its verdict.
enum Other {
    Waiting(Box<dyn FnOnce() -> Verdict + Send>),
    Started(JoinHandle<Verdict>),
    Joined,
}

impl Other {
    /// Starts the thread, and returns when it has ended or half a second has passed.
    fn start(&mut self) {
        *self = match std::mem::replace(self, Other::Joined) {
            Other::Waiting(login) => {
                let (ended, end) = mpsc::channel();
                let thread = thread::spawn(move || {
                    let verdict = login();
                    let _ = ended.send(());
                    verdict
                });
                let _ = end.recv_timeout(Duration::from_millis(500));
                Other::Started(thread)
            }
            started => started,
        }
    }
}

impl Store for Interleaving {
    fn transact<'k>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        decide: &mut dyn FnMut(Texts) -> Decision<'k>,
    ) -> Result<Vec<u64>, Unavailable> {
        self.store.transact(keys, durability, &mut |texts| {
            let decision = decide(texts);
            self.other.lock().unwrap().start();
            decision
        })
    }

    fn names(&self, kind: Kind, from: &str, before: Option<&str>, limit: usize) -> Result<Vec<String>, Unavailable> {
        self.store.names(kind, from, before, limit)
    }

    fn bind(&self, key: Key<'_>, text: &str) {
        self.store.bind(key, text);
    }

    fn count(&self, kind: Kind) -> Result<u64, Unavailable> {
        self.store.count(kind)
    }

    fn lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Unavailable> {
        self.store.lines(after, limit)
    }

    fn prune(&self, time: u64, limit: usize) -> Result<(), Unavailable> {
        self.store.prune(time, limit)
    }

    fn forgets_on_power_cut(&self) -> bool {
        self.store.forgets_on_power_cut()
    }

    fn copy_to(&self, file: &std::path::Path) -> Result<(), Unavailable> {
        self.store.copy_to(file)
    }
}

/// The verdicts on two logins of `subject` with `tokens`, the second of which runs before the first one's commit.
fn concurrent_logins(server: &Server, subject: &Subject, tokens: [&str; 2]) -> [Verdict; 2] {
    let (second, subject_of_second, token) = (server.reopened(), subject.clone(), tokens[1].to_owned());
    let login = move || second.login(ROOT, &subject_of_second, &token).unwrap();
    let other = Arc::new(Mutex::new(Other::Waiting(Box::new(login))));
    let mut first = server.reopened();
    first.store = Box::new(Interleaving { store: server.reopened().store, other: other.clone() });
    let verdict = first.login(ROOT, subject, tokens[0]).unwrap();
    let Other::Started(thread) = std::mem::replace(&mut *other.lock().unwrap(), Other::Joined) else {
        panic!("the second login was not started");
    };
    [verdict, thread.join().unwrap()]
}

#[test]
fn of_two_concurrent_logins_with_one_code_one_is_accepted() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    let mut verdicts = concurrent_logins(&server, &subject, [&code, &code]);
    verdicts.sort_by_key(|verdict| *verdict != VERIFIED);
    assert_eq!(verdicts[0], VERIFIED);
    assert_eq!(reason(verdicts[1].clone()), Refusal::UsedCode);
}

#[test]
fn of_two_concurrent_logins_with_one_recovery_code_one_is_accepted() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    let code = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap()[0].to_string();
    let verdicts = concurrent_logins(&server, &subject, [&code, &code]);
    let accepted = verdicts.iter().filter(|verdict| **verdict == Verdict::Verified(Method::Recovery)).count();
    assert_eq!(accepted, 1, "{verdicts:?}");
    assert_eq!(server.tfa.status(&subject).unwrap().recovery_codes_left, 9);
}

#[test]
fn two_concurrent_invalid_codes_are_both_counted() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.wrong_code(&secret);
    for verdict in concurrent_logins(&server, &subject, [&code, &code]) {
        assert_eq!(reason(verdict), Refusal::InvalidCode);
    }
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 2);
}
