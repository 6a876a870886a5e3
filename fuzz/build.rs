//! Build script: lists the C symbols of the API's functions, from the rows of `src/api/functions.rs` in the library.
#![allow(clippy::expect_used, reason = "a build script that cannot go on stops the build")]

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

macro_rules! functions {
    ($($api:ident $name:literal { $($_rest:tt)* })*) => {
        /// API and name of each row.
        const ROWS: &[(&str, &str)] = &[$((stringify!($api), $name)),*];
    };
}

include!("../src/api/functions.rs");

fn main() {
    println!("cargo:rerun-if-changed=../src/api/functions.rs");
    let mut text = String::new();
    write_list(&mut text, "WHM", "Whm", "twofactorauth_", "whm::tfa_");
    write_list(&mut text, "UAPI", "Uapi", "", "uapi::tfa_uapi_");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("symbols.rs"), text).expect("OUT_DIR can be written to");
}

/// Writes the list of the symbols of `api`: those of its functions whose names begin with `prefix`.
fn write_list(text: &mut String, list: &str, api: &str, prefix: &str, path: &str) {
    let names = ROWS.iter().filter(|(of, name)| *of == api && name.starts_with(prefix));
    let symbols: String = names.map(|(_, name)| format!("    {path}{name},\n")).collect();
    writeln!(text, "/// The functions of this API.\npub const {list}: &[Symbol] = &[\n{symbols}];")
        .expect("a String grows");
}
