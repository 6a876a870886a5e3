//! Requests and answers as text: parameters, output control, and the formats of answers (contract sections 7 and 8).
//!
//! This module contains no function of the API and no rule of the engine.

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
