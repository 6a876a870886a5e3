//! Random bytes for secrets, recovery codes, nonces and keys.
//!
//! Promise: each call seeds a fresh generator from the operating system and throws it away, so nothing is cached and
//! two processes never share a stream, fork or not.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

/// The operating system gave no entropy. Nothing may be generated then.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

/// Fills `bytes` with random ones.
pub fn fill(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut()).map_err(|_| NoEntropy)?;
    ChaCha20Rng::from_seed(*seed).fill_bytes(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_draws_agree() {
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            let mut bytes = [0u8; 16];
            fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
    }
}
