//! libtfa: two-factor authentication for hosting panels.
//!
//! A Rust program opens a store with [`Tfa::open`] and calls its methods, or calls the panel's API by name with
//! [`api::whmapi1`] and [`api::uapi`]. The C ABI is behind the feature `capi`, the command line behind `cli`.
//!
//! The modules are listed from the top down; a module uses only those below it. All `unsafe` code is in `ffi`.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(not(panic = "unwind"))]
compile_error!("libtfa must be built with panic = \"unwind\": a panic is caught at the C border");

#[cfg(feature = "capi")]
pub mod ffi;
pub mod http;

pub mod api;
pub mod wire;

pub mod engine;

pub mod accounts;
pub mod store;

pub mod clock;
pub mod fork;
pub mod otp;
