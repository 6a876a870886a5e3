//! The length of a text before it is written, so that its buffer never grows.

use std::io::{self, Write};

/// Counts the bytes that are written to it.
#[derive(Default)]
pub struct Counter(usize);

impl Counter {
    /// How many bytes were written.
    pub fn bytes(&self) -> usize {
        self.0
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
