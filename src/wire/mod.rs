//! The wire: parameters as they arrive, output control, and the formats of answers (contract sections 7 and 8).
//!
//! This module knows no function and none of the engine's rules. The API and the doors above use it.

pub mod control;
mod counter;
pub mod form;
pub mod format;
#[cfg(test)]
mod oracle;
mod parameter;
pub mod strict;
pub mod xml;
pub mod yaml;

pub use parameter::ParameterError;
