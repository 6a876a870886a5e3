//! Memory that held a secret is wiped, wherever it lay.
//!
//! Promises: a block of the heap is overwritten before the system gets it back, so that a text that grew, moved or was
//! dropped leaves nothing behind, be it ours or that of a library under us; the stack that a function used for a secret
//! is overwritten before the function returns to C. Both are done here, once, since no list of the places where a secret
//! passes would stay complete. `c-tests/memory.c` searches a process for what is left. What cannot be wiped is in
//! docs/security.md.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// How much of the stack a function uses down to where it last handles a secret.
#[derive(Clone, Copy)]
pub enum Stack {
    /// HMAC-SHA-1 alone, where every nanosecond counts: as much as it uses and no more.
    Sha1,
    /// Any other arithmetic.
    Arithmetic,
    /// A whole call: JSON, the rules, the store.
    Call,
}

/// The system's allocator, with every block wiped before it is freed. Blocks that grow or shrink move to a new one, which
/// is the default of the trait. A Rust program has the allocator of the crates that it is made
/// of, and can have but one.
struct Wiping;

// Miri does not know the C library's function.
#[cfg_attr(not(miri), global_allocator)]
static ALLOCATOR: Wiping = Wiping;

// SAFETY: it is the system's allocator; a block is written to only when its owner has given it up.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that the block is of that size and is not used again.
        unsafe {
            libc::explicit_bzero(block.cast(), layout.size());
            System.dealloc(block, layout);
        }
    }
}

/// Runs `body` and wipes the stack that it used.
pub fn after<T>(stack: Stack, body: impl FnOnce() -> T) -> T {
    let result = apart(body);
    match stack {
        Stack::Sha1 => wipe_stack::<1792>(),
        Stack::Arithmetic => wipe_stack::<4096>(),
        Stack::Call => wipe_stack::<16384>(),
    }
    result
}

/// Runs `body` in a frame of its own, which [`wipe_stack`] then has where it was.
#[inline(never)]
fn apart<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// Overwrites so many bytes of the stack below the caller.
#[inline(never)]
fn wipe_stack<const BYTES: usize>() {
    black_box(&mut [0u8; BYTES]);
}
