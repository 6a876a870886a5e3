//! The promises, tested by breaking things: processes killed at any moment, power cuts, and what a disk can do.
//!
//! Each test runs in turn, in a process that has nothing else to do, as several of them take away what a process needs
//! to live. The program calls itself to have other processes: `breaking worker KIND …` (module `worker`). Names given
//! on the command line choose tests that contain them.
//!
//! | variable | what it sets | without it |
//! |---|---|---|
//! | `TFA_KILL_ROUNDS` | rounds of `kill` | 40 |
//! | `TFA_POWER_CUTS` | moments at which `power` cuts | 250 |
//! | `TFA_FLIPS` | bytes that `faults` flips, one at a time | 600 |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

mod faults;
mod fixture;
mod kill;
mod power;
mod shim;
mod syslog;
mod trail;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

/// A promise and what tries to break it.
pub type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "worker") {
        worker::run(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let tests = [kill::TESTS, power::TESTS, faults::TESTS, syslog::TESTS, trail::TESTS].concat();
    let chosen = tests.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| name.contains(*part)));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in chosen {
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(test);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({:.1} s)", begun.elapsed().as_secs_f64());
        *(if outcome.is_ok() { &mut passed } else { &mut failed }) += 1;
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A number that an environment variable may set.
pub fn setting(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}
