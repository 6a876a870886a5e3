//! QR codes from the C ABI, scanned by an independent reader.

use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::server::parsed;

const URI: &str =
    "otpauth://totp/Example%20Hosting:user%40example.com?secret=CAOXW75HKYJJ6E5Y&issuer=Example%20Hosting";

fn drawn(format: &str) -> Value {
    let args = CString::new(json!({"text": URI, "format": format}).to_string()).unwrap();
    // SAFETY: the string ends in NUL, and the answer is freed once.
    unsafe {
        let answer = tfa::ffi::codes::tfa_draw_qr(args.as_ptr());
        let text = CStr::from_ptr(answer).to_str().unwrap().to_owned();
        tfa::ffi::handle::tfa_free(answer);
        parsed(&text)
    }
}

fn scanned(picture: &Path) -> String {
    let command = Command::new("zbarimg").args(["--quiet", "--raw", "--oneshot"]).arg(picture).output();
    String::from_utf8(command.expect("zbarimg is installed").stdout).unwrap().trim_end().to_owned()
}

#[test]
fn every_format_of_a_qr_code_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let (png, svg, drawing) = (folder.path().join("a.png"), folder.path().join("b.svg"), folder.path().join("b.png"));
    let answer = drawn("png");
    assert_eq!(answer["content_type"], "image/png");
    fs::write(&png, BASE64.decode(answer["qr"].as_str().unwrap().as_bytes()).unwrap()).unwrap();
    assert_eq!(scanned(&png), URI);
    let answer = drawn("svg");
    assert_eq!(answer["content_type"], "image/svg+xml");
    fs::write(&svg, answer["qr"].as_str().unwrap()).unwrap();
    let made = Command::new("rsvg-convert").args(["--width=400", "--output"]).arg(&drawing).arg(&svg).status();
    assert!(made.expect("rsvg-convert is installed").success());
    assert_eq!(scanned(&drawing), URI);
    assert!(drawn("terminal")["qr"].as_str().unwrap().contains('█'));
    assert!(drawn("gif")["error"].is_string());
}
