//! The server of these tests: it has a reseller, its accounts, a mailbox, a team user and an account of root's.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::api::answer::Answer;
use tfa::api::args::Args;
use tfa::clock::{Clock, ManualClock, SystemClock};
use tfa::engine::Tfa;
use tfa::engine::config::Config;
use tfa::http::{Response, respond};
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

/// The secret of RFC 6238 appendix B, in Base32.
pub const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub struct Server {
    pub tfa: Tfa,
    _folder: TempDir,
}

/// Its account directory.
pub fn accounts() -> Value {
    json!({"inline": {
        "reseller": {"domain": "reseller.example", "reseller": 1},
        "example": {"owner": "reseller", "domain": "example.com", "domains": ["addon.example"], "team": ["team_user"]},
        "other": {"owner": "root", "domain": "other.example"},
    }})
}

impl Server {
    pub fn new() -> Server {
        Server::with(accounts())
    }

    pub fn with(accounts: Value) -> Server {
        Server::open(accounts, Arc::new(SystemClock))
    }

    /// A server whose clock stands still.
    pub fn at(seconds: u64) -> Server {
        Server::open(accounts(), Arc::new(ManualClock::at(seconds)))
    }

    /// A server with more keys in its configuration.
    pub fn configured(more: Value) -> Server {
        Server::build(accounts(), more, Arc::new(SystemClock))
    }

    fn open(accounts: Value, clock: Arc<dyn Clock>) -> Server {
        Server::build(accounts, json!({}), clock)
    }

    fn build(accounts: Value, more: Value, clock: Arc<dyn Clock>) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut config = json!({
            "create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display()),
            "hostname": "server.example.com",
            "accounts": accounts,
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let tfa = Tfa::open_with_clock(Config::parse(Some(&config.to_string())).unwrap(), clock).unwrap();
        Server { tfa, _folder: folder }
    }

    /// A WHM function with JSON arguments.
    pub fn whm(&self, caller: &str, function: &str, args: Value) -> Value {
        let args = Args::parse(Some(&args.to_string())).unwrap();
        serde_json::to_value(Answer::from(tfa::api::whmapi1(&self.tfa, caller, function, &args))).unwrap()
    }

    /// A UAPI function with JSON arguments.
    pub fn uapi(&self, caller: &str, function: &str, args: Value) -> Value {
        let args = Args::parse(Some(&args.to_string())).unwrap();
        serde_json::to_value(tfa::api::uapi(&self.tfa, caller, "TwoFactorAuth", function, &args)).unwrap()
    }

    pub fn http(&self, caller: &str, method: &str, target: &str, body: &str) -> Response {
        respond(&self.tfa, caller, method, target, Some(body))
    }

    /// The response to a GET of `target`, which must be JSON with status 200.
    pub fn get(&self, caller: &str, target: &str) -> Value {
        let response = self.http(caller, "GET", target, "");
        assert_eq!((response.status, response.content_type), (200, "application/json"), "{target}: {}", response.body);
        serde_json::from_str(&response.body).unwrap()
    }

    /// Enables the policy.
    pub fn enforce(&self) {
        assert_eq!(result(&self.whm("root", "twofactorauth_enable_policy", json!({}))), 1);
    }

    /// Enrols `user` with [`SECRET`].
    pub fn enrol(&self, user: &str) {
        let args = json!({ user: {"primary_account": {"secret": SECRET}} });
        assert_eq!(result(&self.whm("root", "twofactorauth_set_tfa_config_for_user", args)), 1);
    }
}

/// The code that an authenticator with [`SECRET`] shows now.
pub fn code() -> String {
    code_at(SystemClock.now().as_secs())
}

/// The code that it shows at a time.
pub fn code_at(seconds: u64) -> String {
    let secret = Secret::from_base32(SECRET).unwrap();
    format!("{:06}", CodeFormat::default().code(secret.bytes(), seconds / 30))
}

/// A JSON text.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `metadata.result` of a WHM answer.
pub fn result(answer: &Value) -> u64 {
    answer["metadata"]["result"].as_u64().unwrap()
}

/// `metadata.reason` of a WHM answer.
pub fn reason(answer: &Value) -> &str {
    answer["metadata"]["reason"].as_str().unwrap()
}
