//! Build script: gives the shared library its soname, and generates the C header from `src/ffi`.
//!
//! The header in `include/` is checked in; `tests/agreement.rs` fails when it is not what this script makes. Setting
//! TFA_WRITE_HEADER puts the new one in its place (`make header`).
#![allow(clippy::expect_used, reason = "a build script that cannot go on stops the build")]

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-env-changed=TFA_WRITE_HEADER");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtfa.so.0");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let made = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("tfa.h");
    // In the order in which a reader wants to meet them.
    let files = ["handle", "login", "whm", "uapi", "http", "directory", "audit", "otp"];
    let config = cbindgen::Config::from_root_or_default(&root);
    let builder = files.iter().fold(cbindgen::Builder::new().with_config(config), |builder, file| {
        builder.with_src(root.join(format!("src/ffi/{file}.rs")))
    });
    builder.generate().expect("src/ffi makes a header").write_to_file(&made);
    println!("cargo:rustc-env=TFA_GENERATED_HEADER={}", made.display());
    if env::var_os("TFA_WRITE_HEADER").is_some() {
        fs::copy(&made, root.join("include/tfa.h")).expect("include/tfa.h can be written");
    }
}
