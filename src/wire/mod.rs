//! What goes over the wire: parameters as they arrive, output control, and answers as XML or YAML (contract sections 7, 8).

pub mod control;
pub mod form;
#[cfg(test)]
mod oracle;
pub mod xml;
pub mod yaml;
