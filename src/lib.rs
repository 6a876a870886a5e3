//! libtfa: two-factor authentication for hosting panels, as one library behind a C ABI.
//!
//! A request goes down this list once and its answer comes up once; a module knows only what stands below it.
#![deny(unsafe_code)]

pub mod store;

pub mod fork;
pub mod otp;
pub mod wire;
