//! The API's functions: their C symbols and their names, both from the registry of the library.

use std::ffi::{CStr, CString, c_char};

use tfa::api::registry::{Api, FUNCTIONS};
use tfa::engine::Tfa;
use tfa::ffi::{uapi, whm};

/// A C function with a handle, a caller and arguments.
pub type Symbol = unsafe extern "C" fn(*mut Tfa, *const c_char, *const c_char) -> *mut c_char;

include!(concat!(env!("OUT_DIR"), "/symbols.rs"));

/// The names of all functions of `api`, those without a symbol of their own too.
pub fn names(api: Api) -> Vec<&'static CStr> {
    let own = FUNCTIONS.iter().filter(|function| function.api == api);
    own.map(|function| leaked(function.name.to_owned())).collect()
}

/// The arguments of all examples, with `secret` for the secret.
pub fn examples(secret: &str) -> Vec<&'static CStr> {
    let parameters = FUNCTIONS.iter().map(|function| function.example.parameters);
    parameters.map(|text| leaked(text.replace("{secret}", secret).replace("{code}", "000000"))).collect()
}

/// A C string for the rest of the process's life.
fn leaked(text: String) -> &'static CStr {
    Box::leak(CString::new(text).expect("no NUL").into_boxed_c_str())
}
