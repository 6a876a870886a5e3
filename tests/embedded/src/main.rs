//! Enrols a subject and accepts one login, in a program with a global allocator of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use tfa::{Actor, Config, Method, Secret, Tfa, Verdict};

/// Counts allocations, which a program with the library's own allocator would not do.
struct Counting(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

// SAFETY: it is the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = format!(r#"{{"create": true, "store": "sqlite:{}/tfa.db", "skew": 10}}"#, folder.path().display());
    let tfa = Tfa::open(Config::parse(Some(&config)).expect("a valid configuration")).expect("a store");
    let actor = Actor::new("root", "embedded");
    tfa.set_policy(actor, true).expect("the policy is set");
    let subject = tfa.view().expect("a directory").resolve("example").expect("an answer").expect("a subject");
    let secret = Secret::generate(32).expect("entropy");
    let format = tfa.config().code_format;
    let step = format.step(std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_secs());
    let code = |step| format!("{:06}", format.code(secret.bytes(), step));
    tfa.enrol(actor, &subject, &secret, &code(step)).expect("the enrolment is accepted");
    let verdict = tfa.login(actor, &subject, &code(step + 1)).expect("an answer");
    assert_eq!(verdict, Verdict::Verified(Method::Totp));
    assert!(ALLOCATOR.0.load(Ordering::Relaxed) > 100, "the program's own allocator is in use");
    println!("crate: used by a program with its own allocator");
}
