//! The configuration file and the user who runs the program.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use super::{Site, TFA, assert_usage_error, error, text};
use crate::server::accounts;

#[test]
fn a_store_that_is_away_is_an_answer() {
    let site = Site::new();
    let folder = site.folder.path().join("store");
    let store = format!("sqlite:{}", folder.join("tfa.db").display());
    fs::write(&site.config, json!({"create": true, "store": store, "accounts": accounts()}).to_string()).unwrap();
    site.whm(0, &["twofactorauth_enable_policy"]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let answer = site.whm(1, &["twofactorauth_policy_status"]);
    let reason = answer["metadata"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("The two-factor authentication data is not available: "), "{reason}");
    let output = site.tfa(&["doctor"]);
    assert!(text(&output).contains("WRONG store: ") && text(&output).contains("chmod go-w"), "{}", text(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn configurations_are_toml_or_json() {
    let site = Site::new();
    let toml = site.folder.path().join("tfa.toml");
    fs::write(
        &toml,
        format!(
            "create = true\nstore = \"sqlite:{}/tfa.db\"\nhostname = \"from.toml\"\n",
            site.folder.path().display()
        ),
    )
    .unwrap();
    let issuer =
        |path: &str| site.whm(0, &[&format!("--config={path}"), "twofactorauth_get_issuer"])["data"]["issuer"].clone();
    assert_eq!(issuer(toml.to_str().unwrap()), "from.toml");
    assert_eq!(issuer(site.config.to_str().unwrap()), "server.example.com");
    for (text, reason) in
        [("password = 'secret-1'\nskew = = 1\n", "line 2: "), ("stor = 'x'\n", "stor"), ("skew = 11\n", "skew")]
    {
        fs::write(&toml, text).unwrap();
        let output = site.tfa(&["whmapi1", "--config", toml.to_str().unwrap(), "applist"]);
        assert_usage_error(&output, reason);
        assert!(!error(&output).contains("secret-1"));
    }
}

/// A user of every system who is not the superuser.
const NOBODY: (u32, &str) = (65534, "nobody");

/// Runs the program as a user who is not the superuser. Configuration and store belong to that user, or, if `is_owner` is
/// false, the store is root's. The second part is the user's name.
fn as_nobody(is_owner: bool, arguments: &[&str]) -> (Output, String) {
    let site = Site::new();
    let is_superuser = own_number() == 0;
    let program = site.folder.path().join("tfa");
    fs::copy(TFA, &program).unwrap();
    site.run(&["policy", "status"]);
    let mut command = site.command(&program, arguments);
    if is_superuser {
        if is_owner {
            for entry in fs::read_dir(site.folder.path()).unwrap() {
                chown(entry.unwrap().path(), Some(NOBODY.0), None).unwrap();
            }
            chown(site.folder.path(), Some(NOBODY.0), None).unwrap();
        } else {
            fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
        command.uid(NOBODY.0);
    }
    let name = if is_superuser { NOBODY.1.to_owned() } else { own_name() };
    (command.output().unwrap(), name)
}

/// The number of the user who runs the tests.
fn own_number() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

fn own_name() -> String {
    let output = Command::new("id").arg("--user").arg("--name").output().unwrap();
    text(&output).trim().to_owned()
}

#[test]
fn the_owner_of_the_store_acts_as_root() {
    let (output, _) = as_nobody(true, &["whmapi1", "--output=json", "twofactorauth_enable_policy"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output), error(&output));
    let (output, _) = as_nobody(true, &["policy", "enable"]);
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let (output, name) = as_nobody(true, &["audit", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{name}: {}", error(&output));
}

/// Gives the site's store to the user `nobody`; the configuration stays root's.
fn give_store_away(site: &Site) -> std::path::PathBuf {
    let folder = site.folder.path().join("store");
    let store = format!("sqlite:{}", folder.join("tfa.db").display());
    fs::write(&site.config, json!({"create": true, "store": store, "accounts": accounts()}).to_string()).unwrap();
    fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    site.run(&["policy", "status"]);
    for entry in fs::read_dir(&folder).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY.0), Some(NOBODY.0)).unwrap();
    }
    chown(&folder, Some(NOBODY.0), Some(NOBODY.0)).unwrap();
    folder
}

#[test]
fn root_manages_the_store_of_another_user() {
    let site = Site::new();
    if own_number() != 0 {
        // Only root can make a store that belongs to another user; an owner keeps its own rights.
        site.run(&["policy", "enable"]);
        return;
    }
    let folder = give_store_away(&site);
    assert_eq!(site.run(&["policy", "enable"]), "Two-factor authentication is enabled.\n");
    site.enforce();
    assert_eq!(site.enrolled(), ["example"]);
    assert_eq!(site.trail("policy_enabled")[0].0, "root");
    let report = site.run(&["doctor", "--no-clock"]);
    assert!(!report.contains("WRONG"), "{report}");
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), NOBODY.0, "{:?}", entry.path());
    }
}

#[test]
fn other_users_act_for_themselves() {
    if own_number() != 0 {
        // Only root can make a store that belongs to another user.
        let (output, _) = as_nobody(true, &["policy", "status"]);
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
        return;
    }
    let (output, name) = as_nobody(false, &["uapi", "--user=root", "TwoFactorAuth", "get_user_configuration"]);
    let reason = format!("only root and the owner of the store may act as another user than {name}");
    assert_usage_error(&output, &reason);
    let (output, _) = as_nobody(false, &["whmapi1", "--output=json", "twofactorauth_enable_policy"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let (output, _) = as_nobody(false, &["policy", "enable"]);
    let refused = "tfa: only root and the owner of the store may do this\n";
    assert_eq!((output.status.code(), error(&output)), (Some(1), refused));
}

#[test]
fn without_a_configuration_the_error_says_what_to_run() {
    let site = Site::new();
    let mut command = site.command(Path::new(TFA), &["policy", "status"]);
    let output = command.env_remove("TFA_CONFIG").output().unwrap();
    // A machine that has libtfa installed has a configuration.
    if !Path::new("/etc/tfa/tfa.toml").exists() && !Path::new("/etc/tfa/tfa.json").exists() {
        assert_usage_error(&output, "run: tfa init");
    }
    fs::set_permissions(&site.config, fs::Permissions::from_mode(0o666)).unwrap();
    assert_usage_error(&site.tfa(&["policy", "status"]), "can be written to by others");
}

#[test]
fn a_question_never_creates_a_store() {
    let site = Site::with(json!({"create": false}));
    for arguments in [&["status"][..], &["policy", "status"], &["audit"], &["keys", "list"]] {
        site.refused(arguments);
    }
    site.whm(1, &["twofactorauth_policy_status"]);
    assert_eq!(site.tfa(&["doctor", "--no-clock"]).status.code(), Some(1));
    assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 1, "nothing was created");
    site.run(&["init"]);
    site.run(&["status"]);
}
