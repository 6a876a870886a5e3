//! The arguments of a C call, output control among them: every answer is JSON.

use tfa::api::answer::Answer;
use tfa::api::args::Args;

use crate::server::server;

/// Arguments to a function that is named in their first line.
pub fn args(text: &str) {
    let (function, text) = text.split_once('\n').unwrap_or(("twofactorauth_get_user_configs", text));
    if let Ok(args) = Args::parse(Some(text)) {
        for caller in ["root", "reseller"] {
            let answer = Answer::from(tfa::api::whmapi1(server(), caller, function, &args));
            serde_json::to_string(&answer).expect("an answer is JSON");
        }
        serde_json::to_string(&tfa::api::uapi(server(), "example", "TwoFactorAuth", function, &args)).unwrap();
    }
}
