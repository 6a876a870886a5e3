//! The C border: the only place with `unsafe` code, and none of the rules.
//!
//! Each exported function enters the guard (`guard`), reads its arguments, and calls a safe function that Rust tests can
//! call as well. The comments here become the header `include/tfa.h`.
#![allow(unsafe_code)]

pub mod audit;
pub mod codes;
pub mod directory;
pub mod handle;
pub mod http;
pub mod kernel;
pub mod login;
pub mod uapi;
pub mod whm;

mod guard;
mod wipe;
