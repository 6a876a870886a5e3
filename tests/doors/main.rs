//! The documented APIs as their callers use them: URLs, XML, YAML, output control, batches, the command line.
//!
//! Answers are read back by independent parsers, and QR codes by an independent reader. `scripts/install-deps` lists what must
//! be installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

mod cli;
mod control;
mod formats;
mod http;
mod limits;
mod meta;
mod qr;
mod reference;
mod secrets;
mod server;
