//! Build script: gives the shared library its soname, and generates the C symbols and the C header.
//!
//! One C function for each row of `src/api/functions.rs` is written to `OUT_DIR`, from where `src/ffi` includes it. The
//! header in `include/` is checked in; `tests/agreement.rs` fails when it differs from the one that this script makes.
#![allow(clippy::expect_used, reason = "a build script that cannot go on stops the build")]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    capi::build();
}

#[cfg(feature = "capi")]
mod capi {
    use std::fmt::Write;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    /// What a row says about its C symbol: API, name and sentence.
    struct Row(&'static str, &'static str, &'static str);

    macro_rules! functions {
        ($($api:ident $name:literal {
            callers: $_callers:ident,
            effect: $_effect:ident,
            about: $about:literal,
            $($_rest:tt)*
        })*) => {
            const ROWS: &[Row] = &[$(Row(stringify!($api), $name, $about)),*];
        };
    }

    include!("src/api/functions.rs");

    /// The source files of the header, in the order in which a reader wants to meet them. Those without a folder are
    /// generated.
    const HEADER: [&str; 10] = [
        "src/ffi/handle.rs",
        "src/ffi/login.rs",
        "src/ffi/whm.rs",
        "whm_functions.rs",
        "src/ffi/uapi.rs",
        "uapi_functions.rs",
        "src/ffi/http.rs",
        "src/ffi/directory.rs",
        "src/ffi/audit.rs",
        "src/ffi/codes.rs",
    ];

    /// Generates what the C ABI is made of.
    pub fn build() {
        println!("cargo:rerun-if-changed=src/ffi");
        println!("cargo:rerun-if-changed=src/api/functions.rs");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtfa.so.0");
        let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
        let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
        write_symbols(&out.join("whm_functions.rs"), "Whm", "twofactorauth_", "tfa_");
        write_symbols(&out.join("uapi_functions.rs"), "Uapi", "", "tfa_uapi_");

        let config = cbindgen::Config::from_root_or_default(&root);
        let builder = HEADER.iter().fold(cbindgen::Builder::new().with_config(config), |builder, file| {
            let folder = if file.contains('/') { &root } else { &out };
            builder.with_src(folder.join(file))
        });
        let header = out.join("tfa.h");
        builder.generate().expect("src/ffi makes a header").write_to_file(&header);
        println!("cargo:rustc-env=TFA_GENERATED_HEADER={}", header.display());
    }

    /// Writes one C function for each row of `api` whose name begins with `prefix`.
    fn write_symbols(path: &Path, api: &str, prefix: &str, symbol: &str) {
        let mut text = String::new();
        for Row(_, name, about) in ROWS.iter().filter(|row| row.0 == api && row.1.starts_with(prefix)) {
            writeln!(
                text,
                "/// {about}\n///\n/// # Safety\n/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated \
                 strings.\n#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {symbol}{name}(\n    tfa: *mut Tfa,\n    caller: \
                 *const c_char,\n    args: *const c_char,\n) -> *mut c_char {{\n    // SAFETY: the same promises.\n    unsafe \
                 {{ call({name:?}, tfa, caller, args) }}\n}}\n"
            )
            .expect("writing to a String does not fail");
        }
        fs::write(path, text).expect("OUT_DIR can be written to");
    }
}
