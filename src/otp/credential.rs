//! A secret together with the format of its codes: what an authenticator is given.

use super::code::CodeFormat;
use super::secret::Secret;

/// A secret, and the format of its codes.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret.
    pub secret: Secret,
    /// The format of its codes.
    pub code_format: CodeFormat,
}
