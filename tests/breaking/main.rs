//! Tests of what happens when processes are killed, the power fails or a disk breaks.
//!
//! The tests run one after the other, since several of them use up what the process needs. The program starts itself for
//! further processes, as `breaking worker KIND …` (module `worker`). Words on the command line select the tests whose
//! names contain one of them.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `TFA_KILL_ROUNDS` | rounds of `kill` | 40 |
//! | `TFA_POWER_CUTS` | power cuts of `power` | 250 |
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

/// A promise, and its test.
pub type Test = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "worker") {
        worker::run(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let tests = [kill::TESTS, power::TESTS, &faults::tests(), syslog::TESTS, trail::TESTS].concat();
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

/// The number in an environment variable, or `usual`.
pub fn setting(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}
