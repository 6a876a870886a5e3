//! The databases that handles are opened with.

use std::ffi::CString;
use std::path::PathBuf;
use std::ptr::null_mut;

use rusqlite::Connection;
use serde_json::json;
use tfa::ffi::handle::{tfa_close, tfa_open};

use crate::server::folder;

/// A database, and how to reset it.
pub struct Database {
    /// The configuration that opens it.
    pub config: CString,
    connection: Connection,
}

impl Database {
    pub fn new() -> Database {
        let path: PathBuf = folder().join("tfa.db");
        let config = json!({
            "create": true, "store": format!("sqlite:{}", path.display()),
            "key_file": path.with_extension("keys"),
            "hostname": "server.example.com",
            "accounts": {"inline": {
                "reseller": {"reseller": 1},
                "example": {"owner": "reseller", "domain": "example.com", "team": ["team_user"]},
            }},
        });
        let config = CString::new(config.to_string()).unwrap();
        // SAFETY: a string, nowhere to put an error, and a handle that is not used again.
        unsafe { tfa_close(tfa_open(config.as_ptr(), null_mut())) };
        Database { config, connection: Connection::open(path).unwrap() }
    }

    /// Removes every enrolment and audit entry, and enables the policy.
    pub fn reset(&self) {
        let reset = r#"BEGIN; DELETE FROM record WHERE name NOT IN ('boot', 'store'); DELETE FROM audit;
            INSERT INTO record VALUES (0, 'policy', '{"format":1,"record":{"enabled":true}}'); COMMIT"#;
        self.connection.execute_batch(reset).unwrap();
    }
}
