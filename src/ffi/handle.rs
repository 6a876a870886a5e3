//! Versions, opening, closing and freeing.

use std::ffi::{CString, c_char};
use std::sync::Once;
use std::sync::atomic::AtomicU32;

use serde_json::json;

use super::guard::{guarded, guarded_secret, optional_text, plain, string};
use super::wipe::Stack;
use crate::api::caller::Callers;
use crate::api::registry::{Api, Effect, FUNCTIONS, Function, MODULE};
use crate::engine::Tfa;
use crate::engine::config::Config;
use crate::fork;

/// The number of this binary interface. It changes when a program that is built against an older header would fail.
/// Bindings compare it with tfa_abi_version() when they load.
pub const TFA_ABI_VERSION: u32 = 1;

/// The library's version, such as "0.1.0". Static; never freed.
#[unsafe(no_mangle)]
pub extern "C" fn tfa_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The TFA_ABI_VERSION that the library was built with.
#[unsafe(no_mangle)]
pub extern "C" fn tfa_abi_version() -> u32 {
    TFA_ABI_VERSION
}

/// Opens the store.
///
/// config: a JSON object (see "Configuration" in README.md), or NULL. An object that names its "store" is complete. Otherwise
/// the server's configuration file is read (TFA_CONFIG, /etc/tfa/tfa.toml or /etc/tfa/tfa.json), and the keys of the object
/// are used in place of the file's.
/// error: NULL, or where the reason of a failure is written: {"error": "..."}, to be freed with tfa_free. Unchanged on
/// success.
/// Returns a handle, to be closed with tfa_close, or NULL on failure: an unknown key, a wrong type, a folder or file that
/// cannot be used safely, a database of a newer format, a missing key file.
///
/// # Safety
/// config is NULL or a NUL-terminated string; error is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_open(config: *const c_char, error: *mut *mut c_char) -> *mut Tfa {
    let opened = guarded_secret(Stack::Call, Err("an internal error. Please report it".to_owned()), || {
        watch_forks();
        // SAFETY: the caller promises the string.
        let config = unsafe { optional_text("config", config) }.map_err(|refusal| refusal.to_string())?;
        Tfa::open(Config::load(config)?)
    });
    match opened {
        Ok(tfa) => Box::into_raw(Box::new(tfa)),
        Err(why) => {
            if !error.is_null() {
                // SAFETY: it is not NULL, and the caller promises that it is writable.
                unsafe { error.write(string(&json!({ "error": why })).unwrap_or(std::ptr::null_mut())) };
            }
            std::ptr::null_mut()
        }
    }
}

/// Closes a handle. No other call on it may be running or follow. NULL is ignored. In a process made by a bare clone() the
/// function does nothing: the handle belongs to the parent.
///
/// # Safety
/// tfa is NULL or a handle from tfa_open that has not been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_close(tfa: *mut Tfa) {
    // Closing the parent's connections in another process could disturb its database.
    if !tfa.is_null() && fork::belongs_here().is_ok() {
        // SAFETY: the caller promises that it came from tfa_open, thus from a Box, and is not used again.
        guarded_secret(Stack::Call, (), || drop(unsafe { Box::from_raw(tfa) }));
    }
}

/// Wipes and frees a string that a function of this library returned. NULL is ignored.
///
/// # Safety
/// string is NULL or came from this library and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: the caller promises that it came from this library, thus from a CString, and is not used again.
        // What is freed is wiped (module `wipe`).
        guarded((), || drop(unsafe { CString::from_raw(string) }));
    }
}

/// Returns the list of all functions, for bindings and documentation: a JSON array of {"name", "api": "whm" or "uapi",
/// "module", "symbol", "callers": "root", "resellers" or "everybody", "effect": "reads" or "changes", "parameters":
/// [{"name", "type", "required", "description"}], "description"}. To be freed with tfa_free.
#[unsafe(no_mangle)]
pub extern "C" fn tfa_functions() -> *mut c_char {
    plain(|| Ok(FUNCTIONS.iter().map(describe).collect()))
}

fn describe(function: &Function) -> serde_json::Value {
    let parameters: Vec<_> = function
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "type": parameter.kind,
                "required": parameter.required,
                "description": parameter.about,
            })
        })
        .collect();
    let effect = match function.effect {
        Effect::Reads => "reads",
        Effect::Changes => "changes",
    };
    let callers = match function.callers {
        Callers::Root => "root",
        Callers::RootAndResellers => "resellers",
        Callers::Everybody => "everybody",
    };
    json!({
        "name": function.name,
        "api": function.api.name(),
        "module": (function.api == Api::Uapi).then_some(MODULE),
        "symbol": function.symbol(),
        "callers": callers,
        "effect": effect,
        "parameters": parameters,
        "description": function.about,
    })
}

/// Prepares every fork of this process, and marks every child (module `fork`).
fn watch_forks() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        if let Some(word) = wiped_on_fork() {
            fork::mark_with(word);
        }
        // SAFETY: the handlers are functions without arguments that never unwind; libc keeps them until this library
        // is unloaded. When it is out of memory, children are refused, which is safe.
        unsafe { libc::pthread_atfork(Some(fork::prepare), Some(fork::parent), Some(fork::child)) };
    });
}

/// A word that is zero, and zero again in every child. `None` where the kernel (before 4.14) does not support it; then the
/// process id is read each time.
fn wiped_on_fork() -> Option<&'static AtomicU32> {
    const BYTES: usize = 4096;
    // SAFETY: a new anonymous mapping overlaps nothing.
    let page = unsafe {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        libc::mmap(std::ptr::null_mut(), BYTES, access, kind, -1, 0)
    };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page is ours alone.
    if unsafe { libc::madvise(page, BYTES, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: nothing refers to it.
        unsafe { libc::munmap(page, BYTES) };
        return None;
    }
    // SAFETY: the page is aligned, zeroed, as large as a word, and never unmapped.
    Some(unsafe { &*page.cast::<AtomicU32>() })
}
