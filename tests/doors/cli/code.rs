//! `tfa code`.

use serde_json::json;

use super::{Site, assert_usage_error, error, text};
use crate::server::SECRET;

/// RFC 6238 appendix B and RFC 4226 appendix D.
#[test]
fn published_codes_are_generated_and_verified() {
    let site = Site::with(json!({}));
    let run = |arguments: &[&str], input: &str| {
        let output = site.fed(&[&["code"], arguments].concat(), input);
        (output.status.code().unwrap(), text(&output).to_owned(), error(&output).to_owned())
    };
    let shown = |code: &str| (0, format!("{code}\n"), String::new());
    assert_eq!(run(&["--time=59", "--digits=8"], SECRET), shown("94287082"));
    assert_eq!(run(&["--type=hotp", "--counter=9"], SECRET), shown("520489"));
    let hex = "3132333435363738393031323334353637383930";
    assert_eq!(run(&["--secret-hex", "--time=59", "--digits=8"], hex), shown("94287082"));
    let verify = ["--verify", "--time=89", "--digits=8"];
    assert_eq!(run(&verify, &format!("{SECRET}\n94287082\n")), shown("The code is valid, of step 1."));
    let strict = [&verify[..], &["--skew=0"]].concat();
    let denied = run(&strict, &format!("{SECRET}\n94287082\n"));
    assert_eq!(denied, (1, String::new(), "tfa: The code is invalid.\n".to_owned()));
    let (status, output, why) = run(&["--digits=11"], SECRET);
    assert!((status, output.as_str()) == (1, "") && why.contains("\"digits\"") && !why.contains(SECRET), "{why}");
}

#[test]
fn a_secret_is_never_an_argument_and_no_store_is_needed() {
    let site = Site::with(json!({}));
    assert_usage_error(&site.tfa(&["code", SECRET]), "unexpected argument");
    assert_eq!(site.fed(&["code"], SECRET).status.code(), Some(0));
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 1, "nothing was created");
}
