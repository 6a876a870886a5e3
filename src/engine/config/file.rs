//! The configuration file of a server: one for the command line, the C ABI and the bindings (contract section 12).
//!
//! It is the file that `TFA_CONFIG` names, else `/etc/tfa/tfa.toml` or `/etc/tfa/tfa.json`. A file whose name ends in
//! `.json` is JSON, any other is TOML. `TFA_CONFIG` is ignored in a program that runs with more rights than its caller, as
//! secure_getenv(3) does.
//!
//! Promises: the file and the directories above it pass the check of `store::trusted`; a file that cannot be read is an
//! error and never counts as absent; an error names the line and the key, but not the value, which may be a password.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Config, MAX_TEXT};
use crate::store::trusted;

/// The variable that names the file.
pub const VARIABLE: &str = "TFA_CONFIG";
/// The usual file.
pub const TOML: &str = "/etc/tfa/tfa.toml";
/// The usual file in JSON.
pub const JSON: &str = "/etc/tfa/tfa.json";
/// The key that makes an explicit configuration complete.
const STORE: &str = "store";

impl Config {
    /// Reads the server's configuration: the configuration file, with the keys of the JSON object `explicit` in place of the
    /// file's. An object that names its own `store` is complete, and no file is read.
    pub fn load(explicit: Option<&str>) -> Result<Self, String> {
        Self::load_with(explicit, find)
    }

    fn load_with(
        explicit: Option<&str>,
        find: impl FnOnce() -> Result<Option<PathBuf>, String>,
    ) -> Result<Self, String> {
        let explicit = explicit.map(super::parse_object).transpose()?.unwrap_or_default();
        if explicit.contains_key(STORE) {
            return Self::from_object(explicit);
        }
        let path = find()?.ok_or_else(|| {
            format!("There is no configuration: no {TOML}, no {JSON}, and {VARIABLE} is not set. To create one, run: tfa init")
        })?;
        let mut object = read(&path)?;
        object.extend(explicit);
        Self::from_object(object).map_err(|why| unusable(&path, &why))
    }

    /// Reads the configuration in the file at `path`.
    pub fn load_file(path: &Path) -> Result<Self, String> {
        Self::from_object(read(path)?).map_err(|why| unusable(path, &why))
    }
}

/// Returns the path of the configuration file, which `TFA_CONFIG` may name without its existing; `None` if there is none.
pub fn find() -> Result<Option<PathBuf>, String> {
    let variable = if has_more_rights() { None } else { std::env::var_os(VARIABLE) };
    find_among(variable, [Path::new(TOML), Path::new(JSON)])
}

/// Whether the format of a file of this name is JSON.
pub fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn find_among(variable: Option<OsString>, usual: [&Path; 2]) -> Result<Option<PathBuf>, String> {
    if let Some(path) = variable.filter(|path| !path.is_empty()) {
        return Ok(Some(PathBuf::from(path)));
    }
    let exists = |path: &Path| path.try_exists().map_err(|error| unusable(path, &error.to_string()));
    let [toml, json] = usual;
    match (exists(toml)?, exists(json)?) {
        (true, true) => Err(format!("There are {} and {}. Remove one of them", toml.display(), json.display())),
        (true, false) => Ok(Some(toml.to_owned())),
        (false, true) => Ok(Some(json.to_owned())),
        (false, false) => Ok(None),
    }
}

/// The object in the file at `path`.
fn read(path: &Path) -> Result<Map<String, Value>, String> {
    let text = read_text(path).map_err(|why| unusable(path, &why))?;
    let object = if is_json(path) { super::parse_object(&text) } else { parse_toml(&text) };
    object.map_err(|why| unusable(path, &why))
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    trusted::file(path).map_err(|error| error.0)?;
    if length > u64::try_from(MAX_TEXT).unwrap_or(u64::MAX) {
        return Err(format!("it has more than {MAX_TEXT} bytes"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

fn parse_toml(text: &str) -> Result<Map<String, Value>, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count().saturating_add(1), error.message())
    })
}

fn unusable(path: &Path, why: &str) -> String {
    format!("The configuration {} cannot be used: {why}", path.display())
}

/// Whether this program was started with more rights than its caller has: it is set-user-ID, set-group-ID or has
/// capabilities of its own (getauxval(3), `AT_SECURE`).
fn has_more_rights() -> bool {
    use nix::unistd::{getegid, geteuid, getgid, getuid};
    const AT_SECURE: usize = 23;
    const WORD: usize = size_of::<usize>();
    let auxiliary = fs::read("/proc/self/auxv").unwrap_or_default();
    let (words, _) = auxiliary.as_chunks::<WORD>();
    let (pairs, _) = words.as_chunks::<2>();
    let is_secure =
        |[key, value]: &[[u8; WORD]; 2]| usize::from_ne_bytes(*key) == AT_SECURE && usize::from_ne_bytes(*value) != 0;
    getuid() != geteuid() || getgid() != getegid() || pairs.iter().any(is_secure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_variable_comes_first_and_two_files_are_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let (toml, json) = (folder.path().join("tfa.toml"), folder.path().join("tfa.json"));
        let find = |variable: &str| find_among(Some(variable.into()), [&toml, &json]);
        assert_eq!(find("").unwrap(), None);
        fs::write(&json, "{}").unwrap();
        assert_eq!(find("").unwrap(), Some(json.clone()));
        assert_eq!(find("/absent").unwrap(), Some(PathBuf::from("/absent")));
        fs::write(&toml, "").unwrap();
        assert!(find("").unwrap_err().contains("Remove one"));
        assert_eq!(find("/absent").unwrap(), Some(PathBuf::from("/absent")));
        fs::remove_file(&json).unwrap();
        assert_eq!(find("").unwrap(), Some(toml.clone()));
    }

    #[test]
    fn a_file_that_cannot_be_examined_is_not_absent() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(300));
        assert!(find_among(None, [&long, &folder.path().join("tfa.json")]).unwrap_err().contains("cannot be used"));
    }

    #[test]
    fn an_error_names_the_line_and_not_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.toml");
        for (text, reason) in
            [("password = 'secret-1'\nskew = = 1\n", "line 2: "), ("stor = 'x'\n", "stor"), ("skew = 11\n", "skew")]
        {
            fs::write(&path, text).unwrap();
            let error = Config::load_file(&path).unwrap_err();
            assert!(error.contains(reason) && error.contains("tfa.toml") && !error.contains("secret-1"), "{error}");
        }
        assert!(
            Config::load_file(&folder.path().join("absent.toml")).unwrap_err().contains("absent.toml cannot be used")
        );
    }

    #[test]
    fn a_file_that_others_can_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.json");
        fs::write(&path, r#"{"skew": 2}"#).unwrap();
        assert_eq!(Config::load_file(&path).unwrap().skew, 2);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        assert!(Config::load_file(&path).unwrap_err().contains("can be written to by others"));
    }

    #[test]
    fn explicit_keys_take_the_place_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.toml");
        fs::write(&path, "store = 'sqlite:/srv/file.db'\nskew = 2\nhostname = 'from.file'\n").unwrap();
        let load = |explicit: Option<&str>| Config::load_with(explicit, || Ok(Some(path.clone()))).unwrap();
        let summary = |config: Config| (config.skew, config.hostname, config.database);
        let (from_file, named) = ("from.file".to_owned(), PathBuf::from("/srv/named.db"));
        assert_eq!(summary(load(None)), (2, from_file.clone(), PathBuf::from("/srv/file.db")));
        assert_eq!(summary(load(Some(r#"{"skew": 3}"#))), (3, from_file, PathBuf::from("/srv/file.db")));
        let complete = load(Some(r#"{"store": "sqlite:/srv/named.db", "hostname": "h"}"#));
        assert_eq!(summary(complete), (1, "h".to_owned(), named), "nothing of the file's");
    }

    #[test]
    fn without_a_file_the_error_says_what_to_run() {
        let load = |explicit| Config::load_with(explicit, || Ok(None));
        assert!(load(None).unwrap_err().contains("run: tfa init"));
        assert!(load(Some(r#"{"skew": 3}"#)).unwrap_err().contains("run: tfa init"));
        assert!(load(Some("[]")).unwrap_err().contains("object"));
    }

    #[test]
    fn a_program_of_its_callers_rights_uses_the_variable() {
        assert!(!has_more_rights());
    }
}
