//! Shared by the targets: a folder for their files, and a server with an account directory.

use std::path::PathBuf;
use std::sync::OnceLock;

use tfa::engine::Tfa;
use tfa::engine::config::Config;

/// The secret of all targets, in Base32.
pub const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A new folder, which `fuzz/run` removes when all targets have ended.
pub fn folder() -> PathBuf {
    tempfile::tempdir().unwrap().keep()
}

/// A server with a reseller, its account and one of root's.
pub fn server() -> &'static Tfa {
    static SERVER: OnceLock<Tfa> = OnceLock::new();
    SERVER.get_or_init(|| {
        let config = serde_json::json!({
            "create": true, "store": format!("sqlite:{}", folder().join("tfa.db").display()),
            "hostname": "server.example.com",
            "accounts": {"inline": {"reseller": {"reseller": 1}, "example": {"owner": "reseller"}, "other": {}}},
        });
        Tfa::open(Config::parse(Some(&config.to_string())).unwrap()).unwrap()
    })
}
