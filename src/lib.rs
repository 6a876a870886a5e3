//! libtfa: two-factor authentication for hosting panels, as one library behind a C ABI.
//!
//! A request goes down this list once and its answer comes up once; a module knows only what stands below it. The C
//! border is `ffi`, and all `unsafe` code is there.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

#[cfg(not(panic = "unwind"))]
compile_error!("libtfa must be built with panic = \"unwind\": a panic is caught at the C border");

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
