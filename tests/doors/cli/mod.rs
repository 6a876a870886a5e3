//! The command line as a process.
//!
//! `Site` is a server with a configuration file; a test runs `tfa` there and reads its output and exit status.

mod api;
mod backup;
mod code;
mod configuration;
mod doctor;
mod generate;
mod init;
mod login;
mod operate;
mod qr;
mod terminal;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{SECRET, accounts};

const TFA: &str = env!("CARGO_BIN_EXE_tfa");

/// A folder with a configuration and a store, which belong to the user who runs the tests.
struct Site {
    folder: TempDir,
    config: PathBuf,
}

impl Site {
    fn new() -> Site {
        Site::with(json!({"accounts": accounts()}))
    }

    /// A site with more keys in its configuration.
    fn with(more: Value) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("tfa.json");
        let store = format!("sqlite:{}", folder.path().join("tfa.db").display());
        let mut keys = json!({"create": true, "store": store, "hostname": "server.example.com"});
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fs::write(&config, keys.to_string()).unwrap();
        Site { folder, config }
    }

    /// Standard output of a command that must succeed.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.tfa(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {}", error(&output));
        text(&output).to_owned()
    }

    /// Standard error of a command that must exit with 1 and write nothing on standard output.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.tfa(arguments);
        assert_eq!((output.status.code(), text(&output)), (Some(1), ""), "{arguments:?}");
        error(&output).to_owned()
    }

    /// The users whom `tfa status` shows.
    fn enrolled(&self) -> Vec<String> {
        let table = self.run(&["status"]);
        table.lines().skip(5).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("TFA_CONFIG", &self.config).stdin(Stdio::null());
        command
    }

    fn tfa(&self, arguments: &[&str]) -> Output {
        self.command(Path::new(TFA), arguments).output().unwrap()
    }

    /// The JSON of `whmapi1 ARGUMENTS`, which must exit with `status`.
    fn whm(&self, status: i32, arguments: &[&str]) -> Value {
        let output = self.tfa(&[&["whmapi1", "--output=json"], arguments].concat());
        assert_eq!(output.status.code(), Some(status), "{arguments:?} {}", error(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The output of a command with `input` on standard input.
    fn fed(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(Path::new(TFA), arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that refuses its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Caller and subject of each entry of the audit trail about `event`.
    fn trail(&self, event: &str) -> Vec<(String, String)> {
        let output = self.tfa(&["audit", "--json", &format!("--event={event}")]);
        let of = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let lines = text(&output).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (of(&line, "caller"), of(&line, "subject"))).collect()
    }

    /// Enables the policy and enrols `example` with [`SECRET`].
    fn enforce(&self) {
        self.whm(0, &["twofactorauth_enable_policy"]);
        let input = json!({"example": {"primary_account": {"secret": SECRET}}}).to_string();
        let output = self.fed(&["whmapi1", "--input=json", "twofactorauth_set_tfa_config_for_user"], &input);
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    }
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn error(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Checks for wrong usage: exit status 2, a reason, and nothing on standard output.
fn assert_usage_error(output: &Output, reason: &str) {
    assert_eq!((output.status.code(), text(output)), (Some(2), ""));
    assert!(error(output).contains(reason), "{}", error(output));
}
