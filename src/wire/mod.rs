//! What goes over the wire: parameters as they arrive, output control, and the formats of answers (contract sections 7
//! and 8). It knows no function: the API uses it, and the doors above.

pub mod control;
pub mod form;
pub mod format;
#[cfg(test)]
mod oracle;
pub mod xml;
pub mod yaml;
