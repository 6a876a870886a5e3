//! `tfa init`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;
use tfa::engine::config::Config;

use super::{Site, TFA, assert_usage_error, error, text};

/// Where `tfa init` runs.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        for name in ["etc", "lib", "accounts"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(folder.path().join("accounts/trueuserowners"), "example: root\n").unwrap();
        Place(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `tfa init` in the folder, with options that name paths in it.
    fn init(&self, options: &[(&str, &str)]) -> Output {
        let mut command = Command::new(TFA);
        command.arg("init").current_dir(self.0.path()).stdin(Stdio::null()).env_remove("TFA_CONFIG");
        for (option, path) in options {
            command.arg(option).arg(path);
        }
        command.output().unwrap()
    }

    /// The files and folders in a folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn init_creates_everything_and_says_so() {
    let place = Place::new();
    for file in ["tfa.toml", "tfa.json"] {
        let (config, store) = (format!("etc/{file}"), format!("lib/{file}/tfa.db"));
        let run = || {
            let output = place.init(&[("--config", &config), ("--store", &store), ("--accounts", "accounts")]);
            assert_eq!(output.status.code(), Some(0), "{}", error(&output));
            text(&output).to_owned()
        };
        let report = run();
        let store = place.at(&store);
        for path in [&place.at(&config), &store, &store.with_extension("key")] {
            assert!(report.contains(&format!("Created {} (", path.display())), "{report}");
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(report.contains("run: tfa doctor") && report.contains("run: tfa policy enable"), "{report}");
        let before = fs::read(store.with_extension("key")).unwrap();
        assert!(!run().contains("Created"), "the second time everything is kept");
        assert_eq!(fs::read(store.with_extension("key")).unwrap(), before);
        let site = Site { folder: tempfile::tempdir().unwrap(), config: place.at(&config) };
        let users = site.whm(0, &["twofactorauth_get_user_configs"]);
        assert_eq!(users["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["example", "root"]);
        let proposal = site.whm(0, &["twofactorauth_generate_tfa_config"]);
        assert_eq!(proposal["data"]["secret"].as_str().unwrap().len(), 32);
        assert!(Config::load_file(&site.config).unwrap().change_requires_code);
    }
}

#[test]
fn a_server_without_a_panel_has_the_accounts_of_the_system() {
    let place = Place::new();
    let output = place.init(&[("--config", "etc/tfa.json"), ("--store", "lib/tfa.db")]);
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    let config = Config::load_file(&place.at("etc/tfa.json")).unwrap();
    let is_panel = Path::new("/etc/trueuserowners").exists();
    assert_eq!(config.accounts, Some(if is_panel { json!({"files": "/etc"}) } else { json!({"system": true}) }));
    assert_eq!(config.database, place.at("lib/tfa.db"), "a relative path is one below the working directory");
}

#[test]
fn init_honours_its_options_or_fails() {
    let place = Place::new();
    let (config, store) = (("--config", "etc/tfa.toml"), ("--store", "lib/tfa/tfa.db"));
    assert_eq!(place.init(&[config, store]).status.code(), Some(0));
    let before = fs::read(place.at("etc/tfa.toml")).unwrap();
    for (option, path) in [("--store", "lib/other/tfa.db"), ("--accounts", "accounts")] {
        let output = place.init(&[config, (option, path)]);
        assert_usage_error(&output, &format!("etc/tfa.toml exists and does not agree with {option}"));
    }
    assert_eq!(place.init(&[config, store]).status.code(), Some(0), "the same options agree");
    assert_eq!(fs::read(place.at("etc/tfa.toml")).unwrap(), before);
    let absent = place.init(&[("--config", "etc/new.toml"), ("--store", "lib/new/tfa.db"), ("--accounts", "absent")]);
    assert_usage_error(&absent, "there is no folder");
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let place = Place::new();
    fs::create_dir(place.at("open")).unwrap();
    fs::set_permissions(place.at("open"), fs::Permissions::from_mode(0o777)).unwrap();
    for (config, store) in [
        // The folder of the store, or of the configuration, can be written to by others.
        ("etc/tfa.toml", "open/tfa.db"),
        ("open/tfa.toml", "lib/tfa/tfa.db"),
        ("open/below/tfa.toml", "lib/tfa/tfa.db"),
        // The parent of the folder does not exist.
        ("etc/tfa.toml", "lib/a/b/tfa.db"),
    ] {
        let output = place.init(&[("--config", config), ("--store", store)]);
        assert_eq!((output.status.code(), text(&output)), (Some(1), ""), "{config} {store} {}", error(&output));
        for folder in ["etc", "lib", "open"] {
            assert!(place.names(folder).is_empty(), "{config} {store}: {:?} in {folder}", place.names(folder));
        }
    }
}
