//! Fork: keeps a preforking panel from losing a commit or hanging in a child.
//!
//! SQLite must not cross `fork()`: its connections, and its process-wide table of locks, would go on in the child as if the
//! child held the parent's file locks. A lock that another thread holds at the moment of the fork is held in the child
//! for ever. So every operation that takes a lock or uses a connection enters here, and a fork waits for the running
//! operations, closes all connections, and only then happens. Parent and child both go on with nothing open and nothing
//! locked.
//!
//! Promises: no deadlock (every wait is bounded); a process that was forked without this preparation (an operation did not
//! end in time, or the process was made by a bare `clone`) is refused, and denies every login.
//!
//! The handlers [`prepare`], [`parent`] and [`child`] are hung on `pthread_atfork` by the C border. A Rust program
//! that forks does the same, or its children are refused.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long a fork waits for operations: longer than any of them waits for another process's database lock.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a waiting thread looks again.
const PAUSE: Duration = Duration::from_micros(50);

/// Operations under way in this process.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// A fork is being prepared: no operation may begin.
static FORKING: AtomicBool = AtomicBool::new(false);
/// The process that the library's state belongs to; 0 before there is any.
static OWNER: AtomicU32 = AtomicU32::new(0);
/// A word that the kernel clears in every child, which tells one without a system call; [`MARKED`] where it is not.
static MARK: OnceLock<&AtomicU32> = OnceLock::new();
/// What stands in [`MARK`] in the process that the state belongs to.
const MARKED: u32 = 1;
/// What a fork closes.
static CLOSABLE: Mutex<Vec<Weak<dyn CloseBeforeFork>>> = Mutex::new(Vec::new());

thread_local! {
    /// This thread holds [`FORKING`].
    static PREPARING: Cell<bool> = const { Cell::new(false) };
    /// Its preparation succeeded: nothing is open, nothing is under way.
    static CLEAN: Cell<bool> = const { Cell::new(false) };
    /// Operations of this thread that are under way, each within the one before.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Something that holds connections which must not cross a fork.
pub trait CloseBeforeFork: Send + Sync {
    /// Closes them; called with no operation under way.
    fn close_before_fork(&self);
}

/// This process is the child of a fork that could not be prepared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this process was forked in the middle of an operation; start it again")]
pub struct ForkedMidway;

/// An operation under way; a fork waits until it is dropped. Never held while the host's own code runs, and never given
/// to another thread.
#[must_use]
pub struct Operation(PhantomData<*const ()>);

impl Drop for Operation {
    fn drop(&mut self) {
        let depth = DEPTH.get().saturating_sub(1);
        DEPTH.set(depth);
        if depth == 0 {
            UNDER_WAY.fetch_sub(1, SeqCst);
        }
    }
}

/// Begins an operation, after any fork that is being prepared. One within another of the same thread is a part of it: it
/// does not wait for a fork that waits for the outer one.
pub fn enter() -> Result<Operation, ForkedMidway> {
    belongs_here()?;
    let depth = DEPTH.get();
    if depth == 0 {
        join();
    }
    DEPTH.set(depth.saturating_add(1));
    Ok(Operation(PhantomData))
}

/// Joins the operations under way, after any fork that is being prepared.
fn join() {
    loop {
        UNDER_WAY.fetch_add(1, SeqCst);
        if !FORKING.load(SeqCst) {
            return;
        }
        UNDER_WAY.fetch_sub(1, SeqCst);
        thread::sleep(PAUSE);
    }
}

/// Whether the library's state belongs to this process.
pub fn belongs_here() -> Result<(), ForkedMidway> {
    if MARK.get().is_some_and(|mark| mark.load(SeqCst) == MARKED) {
        return Ok(());
    }
    let process = std::process::id();
    match OWNER.compare_exchange(0, process, SeqCst, SeqCst) {
        Err(owner) if owner != process => Err(ForkedMidway),
        _ => {
            mark();
            Ok(())
        }
    }
}

/// Makes `word` the mark: its memory must read as zero in a child from the moment of the fork (MADV_WIPEONFORK).
pub fn mark_with(word: &'static AtomicU32) {
    // A second word would be as good as the first, which stays.
    let _ = MARK.set(word);
}

fn mark() {
    if let Some(mark) = MARK.get() {
        mark.store(MARKED, SeqCst);
    }
}

/// Has `closable` closed before each fork, for as long as it lives.
pub fn watch(closable: Weak<dyn CloseBeforeFork>) {
    let mut watched = CLOSABLE.lock().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|other| other.strong_count() > 0);
    watched.push(closable);
}

/// Before the fork: waits until nothing is under way, then closes every connection.
pub extern "C" fn prepare() {
    let deadline = Instant::now().checked_add(PATIENCE);
    let in_time = || deadline.is_some_and(|deadline| Instant::now() < deadline);
    while FORKING.swap(true, SeqCst) {
        if !in_time() {
            return;
        }
        thread::sleep(PAUSE);
    }
    PREPARING.set(true);
    while UNDER_WAY.load(SeqCst) > 0 {
        if !in_time() {
            return;
        }
        thread::sleep(PAUSE);
    }
    for closable in CLOSABLE.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
        closable.close_before_fork();
    }
    CLEAN.set(true);
}

/// After the fork, in the parent: operations may begin again.
pub extern "C" fn parent() {
    CLEAN.set(false);
    if PREPARING.replace(false) {
        FORKING.store(false, SeqCst);
    }
}

/// After the fork, in the child: a clean fork hands the state over, any other leaves it with the parent.
pub extern "C" fn child() {
    if CLEAN.replace(false) {
        UNDER_WAY.store(0, SeqCst);
        if OWNER.load(SeqCst) != 0 {
            OWNER.store(std::process::id(), SeqCst);
            mark();
        }
    }
    PREPARING.set(false);
    FORKING.store(false, SeqCst);
}
