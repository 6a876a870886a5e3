//! Tables for people to read.

use std::fmt::Write;

use crate::escape;

/// Writes rows below their headings, each column as wide as its widest text.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let headings = headings.map(str::to_owned);
    let lines = || std::iter::once(&headings).chain(rows).map(|line| line.each_ref().map(|text| escape::line(text)));
    let mut widths = [0; N];
    for line in lines() {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = text.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for line in lines() {
        let mut padded = String::new();
        for (width, text) in widths.iter().zip(line) {
            // Writing to a String does not fail.
            let _ = write!(padded, "{text:<width$}  ");
        }
        table.push_str(padded.trim_end());
        table.push('\n');
    }
    table
}
