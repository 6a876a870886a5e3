//! libtfa: two-factor authentication for hosting panels.
//!
//! A Rust program opens a store with [`Tfa::open`] and calls its methods, or calls the panel's API by name with [`whmapi1`]
//! and [`uapi`]. The C ABI is behind the feature `capi`, the command line behind `cli`; neither is on by default.
//!
//! ```
//! use tfa::{Actor, Config, Tfa};
//!
//! # let folder = tempfile::tempdir()?;
//! # let config = format!(r#"{{"create": true, "store": "sqlite:{}/tfa.db"}}"#, folder.path().display());
//! let tfa = Tfa::open(Config::parse(Some(&config))?)?;
//! let subject = tfa.subject(&tfa.view()?, "example", None)?.ok_or("no such user")?;
//! assert!(!tfa.status(&subject)?.required, "the policy is disabled at first");
//! tfa.set_policy(Actor::new("root", "setup"), true)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only what this page lists is meant for other crates. The modules are for the library's own command line, tests and
//! bindings, and change without notice. They are listed from the top down; a module uses only those below it. All `unsafe`
//! code is in `ffi`.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(not(panic = "unwind"))]
compile_error!("libtfa must be built with panic = \"unwind\": a panic is caught at the C border");

#[cfg(feature = "capi")]
#[doc(hidden)]
pub mod ffi;
#[doc(hidden)]
pub mod http;

#[doc(hidden)]
pub mod api;
#[doc(hidden)]
pub mod wire;

#[doc(hidden)]
pub mod engine;

#[doc(hidden)]
pub mod accounts;
#[doc(hidden)]
pub mod store;

#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod fork;
#[doc(hidden)]
pub mod otp;

pub use accounts::{Lookup, Question, Subject, SubjectKind, View};
pub use api::args::Args;
pub use api::{uapi, whmapi1};
pub use engine::Tfa;
pub use engine::audit::Actor;
pub use engine::config::Config;
pub use engine::login::{Method, Status, Verdict};
pub use engine::refusal::Refusal;
pub use engine::sink::Sink;
pub use http::{Response, respond};
pub use otp::secret::Secret;
