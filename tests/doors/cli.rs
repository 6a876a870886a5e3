//! The command line as a process: answers, exit statuses, links, configuration, and what operators do.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::api::registry::{Api, FUNCTIONS};

use crate::server::{SECRET, accounts, code};

const TFA: &str = env!("CARGO_BIN_EXE_tfa");
/// A user of every system who is not the superuser.
const NOBODY: (u32, &str) = (65534, "nobody");

/// A folder with a configuration, which belongs to whoever runs the tests.
struct Site {
    folder: TempDir,
    config: PathBuf,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("tfa.json");
        let store = format!("sqlite:{}", folder.path().join("tfa.db").display());
        let text = json!({"store": store, "hostname": "server.example.com", "accounts": accounts()}).to_string();
        fs::write(&config, text).unwrap();
        Site { folder, config }
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

    /// The same with something on standard input.
    fn fed(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(Path::new(TFA), arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that refuses its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Caller and subject of each line of the audit trail about `event`.
    fn trail(&self, event: &str) -> Vec<(String, String)> {
        let output = self.tfa(&["audit", "--json", &format!("--event={event}")]);
        let told = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let lines = text(&output).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (told(&line, "caller"), told(&line, "subject"))).collect()
    }

    /// Turns the policy on and gives `example` [`SECRET`].
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

/// Bad usage: exit status 2, a reason, and nothing on standard output.
fn is_bad_usage(output: &Output, reason: &str) {
    assert_eq!((output.status.code(), text(output)), (Some(2), ""));
    assert!(error(output).contains(reason), "{}", error(output));
}

#[test]
fn yaml_is_the_default() {
    let site = Site::new();
    let output = site.tfa(&["whmapi1", "twofactorauth_policy_status"]);
    assert_eq!(
        (output.status.code(), text(&output)),
        (
            Some(0),
            "---\ndata:\n  is_enabled: 0\nmetadata:\n  command: twofactorauth_policy_status\n  reason: OK\n  result: 1\n  version: 1\n"
        )
    );
    let output = site.tfa(&["uapi", "--user=example", "TwoFactorAuth", "get_user_configuration"]);
    assert_eq!(
        text(&output),
        "---\napiversion: 3\nfunc: get_user_configuration\nmodule: TwoFactorAuth\nresult:\n  data:\n    is_enabled: 0\n    issuer: server.example.com\n  errors: null\n  messages: null\n  metadata: {}\n  status: 1\n  warnings: null\n"
    );
}

#[test]
fn each_format_is_written() {
    let site = Site::new();
    let of = |format: &str| {
        let output = site.tfa(&["whmapi1", &format!("--output={format}"), "twofactorauth_enable_policy"]);
        assert_eq!(output.status.code(), Some(0));
        text(&output).to_owned()
    };
    let line = r#"{"metadata":{"command":"twofactorauth_enable_policy","reason":"OK","result":1,"version":1}}"#;
    assert_eq!(of("json"), format!("{line}\n"));
    assert!(of("jsonpretty").starts_with("{\n  \"metadata\": {\n"));
    assert_eq!(serde_json::from_str::<Value>(&of("jsonpretty")).unwrap(), serde_json::from_str::<Value>(line).unwrap());
    assert!(of("xml").starts_with("<result><metadata><command>"));
    assert_eq!(of("yaml").lines().next(), Some("---"));
}

#[test]
fn exit_statuses_tell_the_outcome() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_policy_status"]);
    assert_eq!(
        site.whm(1, &["nonsense"])["metadata"]["reason"],
        "Unknown app (\"nonsense\") requested for this version (1) of the API."
    );
    let failed = site.tfa(&["uapi", "--output=json", "TwoFactorAuth", "set_user_configuration"]);
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(serde_json::from_slice::<Value>(&failed.stdout).unwrap()["result"]["status"], 0);
    assert_eq!(site.tfa(&["uapi", "Email", "list_pops"]).status.code(), Some(1));
    site.whm(1, &["batch"]);
    site.whm(0, &["batch", "command=nonsense"]);
}

#[test]
fn bad_usage_says_nothing_on_standard_output() {
    let site = Site::new();
    for (arguments, reason) in [
        (&[][..], "Usage"),
        (&["nonsense"], "nonsense"),
        (&["whmapi1"], "FUNCTION"),
        (&["whmapi1", "--output=csv", "applist"], "csv"),
        (&["whmapi1", "applist", "no-equals-sign"], "a parameter is not NAME=VALUE"),
        (&["whmapi1", "applist", "a=%ff"], "UTF-8"),
        (&["uapi", "TwoFactorAuth"], "FUNCTION"),
        (&["login"], "USER"),
        (&["login", "example", "123456"], "unexpected argument"),
        (&["whmapi1", "--config=/nonexistent/tfa.toml", "applist"], "/nonexistent/tfa.toml cannot be used"),
    ] {
        is_bad_usage(&site.tfa(arguments), reason);
    }
    for input in ["", "[]", "{", "\u{0}"] {
        is_bad_usage(&site.fed(&["whmapi1", "--input=json", "applist"], input), "The arguments cannot be read");
    }
    is_bad_usage(
        &site.fed(&["whmapi1", "--input=json", "applist"], &" ".repeat((1 << 20) + 1)),
        "more than 1048576 bytes",
    );
}

#[test]
fn values_are_uri_decoded() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_set_issuer", "issuer=a%20b+c%3D%25=d"]);
    assert_eq!(site.whm(0, &["twofactorauth_get_issuer"])["data"]["issuer"], "a b+c=%=d");
    let batch = site.whm(
        0,
        &["batch", "command=twofactorauth_policy_status", "command=twofactorauth_get_user_configs%3Fuser%3Dexample"],
    );
    assert_eq!(batch["data"]["result"][1]["data"]["example"]["is_enabled"], 0);
    let found =
        site.whm(0, &["twofactorauth_get_user_configs", "api.chunk.enable=1", "api.chunk.size=1", "api.chunk.start=2"]);
    assert_eq!(found["metadata"]["chunk"]["records"], 4);
    site.whm(1, &["twofactorauth_get_user_configs", "api.chunk.enable=1"]);
}

#[test]
fn a_link_is_a_subcommand() {
    let site = Site::new();
    for (name, arguments) in [
        ("whmapi1", &["twofactorauth_policy_status"][..]),
        ("uapi", &["--user=example", "TwoFactorAuth", "get_user_configuration"]),
    ] {
        let link = site.folder.path().join(name);
        symlink(TFA, &link).unwrap();
        let through = site.command(&link, arguments).output().unwrap();
        let direct = site.tfa(&[&[name], arguments].concat());
        assert_eq!((through.status.code(), text(&through)), (Some(0), text(&direct)));
    }
}

#[test]
fn help_lists_every_function_with_its_parameters() {
    let site = Site::new();
    for (door, name) in [(Api::Whm, "whmapi1"), (Api::Uapi, "uapi")] {
        let help = site.tfa(&[name, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        for function in FUNCTIONS.iter().filter(|function| function.api == door) {
            assert!(text(&help).contains(&format!("\n  {}\n", function.name)), "{}", function.name);
            assert!(function.parameters.iter().all(|parameter| text(&help).contains(parameter.about)));
        }
    }
}

#[test]
fn a_store_that_is_away_is_an_answer() {
    let site = Site::new();
    let folder = site.folder.path().join("store");
    let store = format!("sqlite:{}", folder.join("tfa.db").display());
    fs::write(&site.config, json!({"store": store, "accounts": accounts()}).to_string()).unwrap();
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
    fs::write(&toml, format!("store = \"sqlite:{}/tfa.db\"\nhostname = \"from.toml\"\n", site.folder.path().display()))
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
        is_bad_usage(&output, reason);
        assert!(!error(&output).contains("secret-1"));
    }
}

/// Runs the program as a user who is not the superuser, in a site of its own.
fn as_nobody(arguments: &[&str]) -> (Output, String) {
    let site = Site::new();
    let is_superuser = nix_user() == 0;
    let program = site.folder.path().join("tfa");
    fs::copy(TFA, &program).unwrap();
    let mut command = site.command(&program, arguments);
    if is_superuser {
        for path in [site.folder.path(), &site.config] {
            chown(path, Some(NOBODY.0), None).unwrap();
        }
        command.uid(NOBODY.0);
    }
    let name = if is_superuser { NOBODY.1.to_owned() } else { own_name() };
    (command.output().unwrap(), name)
}

/// The number of whoever runs the tests.
fn nix_user() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid()
}

fn own_name() -> String {
    let output = Command::new("id").arg("--user").arg("--name").output().unwrap();
    text(&output).trim().to_owned()
}

#[test]
fn whoever_is_not_the_superuser_acts_for_itself() {
    let (output, _) = as_nobody(&["whmapi1", "--output=json", "twofactorauth_enable_policy"]);
    assert_eq!(output.status.code(), Some(1), "{}", error(&output));
    assert!(
        text(&output).contains(r#"You are not authorized to call \"twofactorauth_enable_policy\"."#),
        "{}",
        text(&output)
    );
    let (output, name) = as_nobody(&["uapi", "--user=root", "TwoFactorAuth", "get_user_configuration"]);
    is_bad_usage(&output, &format!("only the superuser may act as another user than {name}"));
    let (output, name) = as_nobody(&["uapi", "--output=json", "TwoFactorAuth", "remove_user_configuration"]);
    let (same, _) =
        as_nobody(&["uapi", "--output=json", &format!("--user={name}"), "TwoFactorAuth", "remove_user_configuration"]);
    assert_eq!(text(&output), text(&same));
}

#[test]
fn init_makes_everything_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["etc", "lib"] {
        fs::create_dir(at(name)).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let accounts = at("accounts");
    fs::create_dir(&accounts).unwrap();
    fs::write(accounts.join("trueuserowners"), "example: root\n").unwrap();
    for file in ["tfa.toml", "tfa.json"] {
        let (config, store) = (at("etc").join(file), at("lib").join(file).join("tfa.db"));
        let run = || {
            let mut command = Command::new(TFA);
            command
                .arg("init")
                .arg("--config")
                .arg(&config)
                .arg("--store")
                .arg(&store)
                .arg("--accounts")
                .arg(&accounts);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", error(&output));
            text(&output).to_owned()
        };
        let told = run();
        for path in [&config, &store, &store.with_extension("key")] {
            assert!(told.contains(&format!("Made {} (", path.display())), "{told}");
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = fs::read(store.with_extension("key")).unwrap();
        assert!(!run().contains("Made"), "the second time everything is kept");
        assert_eq!(fs::read(store.with_extension("key")).unwrap(), before);
        let site = Site { folder: tempfile::tempdir().unwrap(), config };
        let users = site.whm(0, &["twofactorauth_get_user_configs"]);
        assert_eq!(users["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["example", "root"]);
        let made = site.whm(0, &["twofactorauth_generate_tfa_config"]);
        assert_eq!(made["data"]["secret"].as_str().unwrap().len(), 32);
    }
}

#[test]
fn login_reads_the_code_from_standard_input() {
    let site = Site::new();
    let output = site.fed(&["login", "example"], "123456\n");
    assert_eq!((output.status.code(), text(&output)), (Some(0), "example is let in: no second factor is asked for.\n"));
    site.enforce();
    let output = site.fed(&["login", "example"], "12345\n");
    assert_eq!((output.status.code(), text(&output)), (Some(1), ""));
    assert_eq!(error(&output), "tfa: example is kept out: The security code is invalid.\n");
    let code = code();
    let output = site.fed(&["login", "example"], &format!("{code}\n"));
    assert_eq!((output.status.code(), text(&output)), (Some(0), "example is let in with a one-time code.\n"));
    let output = site.fed(&["login", "example"], &code);
    assert_eq!(error(&output), "tfa: example is kept out: The security code has already been used.\n");
    let output = site.fed(&["login", "absent"], &code);
    assert_eq!((output.status.code(), error(&output)), (Some(1), "tfa: The user \"absent\" does not exist.\n"));
}

/// Runs a command at a terminal of its own, types a line at the first prompt, and shows what the terminal showed. The
/// line RIGHT stands for the code of the secret that was shown.
const TERMINAL: &str = r#"
import os, pty, subprocess, sys
typed, shown = sys.argv[1].encode() + b"\n", b""
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
    if typed and b": " in shown.splitlines()[-1]:
        if typed == b"RIGHT\n":
            secret = shown.split(b"Secret: ")[1].split()[0]
            typed = subprocess.check_output(["oathtool", "--totp", "--base32", secret])
        os.write(terminal, typed)
        typed = b""
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn login_at_a_terminal_does_not_show_the_code() {
    let site = Site::new();
    site.enforce();
    let code = code();
    let output = site
        .command(Path::new("/usr/bin/python3"), &["-I", "-c", TERMINAL, &code, TFA, "login", "example"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("Code of example: ") && text(&output).contains("let in with a one-time code"));
    assert!(!text(&output).contains(&code), "{}", text(&output));
}

/// What a real reader sees in a picture.
fn scanned(picture: &Path) -> String {
    let output = Command::new("zbarimg")
        .args(["--quiet", "--raw", "--oneshot"])
        .arg(picture)
        .output()
        .expect("zbarimg is installed");
    text(&output).trim_end().to_owned()
}

#[test]
fn qr_draws_what_an_authenticator_reads() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_enable_policy"]);
    let file = site.folder.path().join("qr.png");
    let output = site.tfa(&["qr", "--user=example", "--format=png", "--file", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output)), (Some(0), ""), "{}", error(&output));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(scanned(&file).starts_with("otpauth://totp/server.example.com:example?secret="));
    let again = site.tfa(&["qr", "--format=png", "--file", file.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    let direct = site.folder.path().join("root.png");
    fs::write(&direct, site.tfa(&["qr", "--format=png"]).stdout).unwrap();
    assert!(scanned(&direct).starts_with("otpauth://totp/server.example.com:root?secret="));
    let svg = site.tfa(&["qr", "--format=svg"]);
    assert!(text(&svg).starts_with("<svg "));
    let shown = site.tfa(&["qr"]);
    assert!(text(&shown).contains('█') && text(&shown).contains("\nSecret: "));
    let users = site.whm(0, &["twofactorauth_get_user_configs"]);
    assert_eq!(users["data"]["example"]["is_enabled"], 0, "nothing was stored");
}

#[test]
fn qr_at_a_terminal_enrols_with_the_right_code_alone() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_enable_policy"]);
    let run = |typed: &str| {
        let arguments = ["-I", "-c", TERMINAL, typed, TFA, "qr", "--user=example", "--format=svg"];
        site.command(Path::new("/usr/bin/python3"), &arguments).output().unwrap()
    };
    let wrong = run("12345");
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong));
    assert!(text(&wrong).contains("The security code is invalid."));
    let left = run("");
    assert!(text(&left).contains("nothing was stored"), "{}", text(&left));
    assert_eq!(site.whm(0, &["twofactorauth_get_user_configs"])["data"]["example"]["is_enabled"], 0);
    let arguments = ["-I", "-c", TERMINAL, "RIGHT", TFA, "qr", "--user=example"];
    let right = site.command(Path::new("/usr/bin/python3"), &arguments).output().unwrap();
    assert!(text(&right).contains("example is enrolled."), "{}", text(&right));
    assert_eq!(site.whm(0, &["twofactorauth_get_user_configs"])["data"]["example"]["is_enabled"], 1);
    assert_eq!(site.trail("enrolled"), [("root".to_owned(), "example".to_owned())]);
}

/// The audit trail names who was there, and the rights are those of whom it acted for.
#[test]
fn the_superuser_is_named_whoever_it_acts_for() {
    let site = Site::new();
    site.enforce();
    let made = site.tfa(&["uapi", "--user=example", "TwoFactorAuth", "generate_recovery_codes"]);
    assert_eq!(made.status.code(), Some(0));
    site.whm(0, &["--user=reseller", "twofactorauth_set_issuer", "issuer=one"]);
    site.whm(0, &["--user=reseller", "batch", "command=twofactorauth_set_issuer%3Fissuer%3Dtwo"]);
    let passed = ["cpanel.user=example", "cpanel.module=TwoFactorAuth", "cpanel.function=remove_user_configuration"];
    site.whm(0, &[&["--user=reseller", "uapi_cpanel"], &passed[..]].concat());
    let (root, reseller, example) = ("root".to_owned(), "reseller".to_owned(), "example".to_owned());
    assert_eq!(site.trail("recovery_codes_made"), [(root.clone(), example.clone())]);
    assert_eq!(site.trail("issuer_set"), [(root.clone(), reseller.clone()), (root.clone(), reseller)]);
    assert_eq!(site.trail("removed"), [(root, example)]);
    site.whm(1, &["--user=reseller", "twofactorauth_enable_policy"]);
    site.whm(1, &["--user=reseller", "twofactorauth_unlock_user", "user=other"]);
}

#[test]
fn status_is_a_table() {
    let site = Site::new();
    site.enforce();
    for _ in 0..5 {
        site.fed(&["login", "example"], "000\n");
    }
    let output = site.tfa(&["status"]);
    let lines: Vec<_> = text(&output).lines().collect();
    assert_eq!(lines[..4], ["Policy:   enabled", "Issuer:   server.example.com", "Enrolled: 1 of 4", ""]);
    assert_eq!(lines[4], "USER     DOMAIN       2FA  LOCKED    WRONG CODES  RECOVERY CODES");
    assert!(
        lines[5].starts_with("example  example.com  on   for ") && lines[5].ends_with("s  5            0"),
        "{}",
        lines[5]
    );
    assert_eq!(lines.len(), 6);
    let all = site.tfa(&["status", "--all"]);
    assert_eq!(text(&all).lines().count(), 9);
    assert_eq!(text(&site.tfa(&["status", "other"])).lines().last(), Some("other  other.example  off"));
    let unlocked = site.tfa(&["unlock", "example"]);
    assert_eq!((unlocked.status.code(), text(&unlocked)), (Some(0), "example is unlocked.\n"));
    let line = text(&site.tfa(&["status", "example"])).lines().last().unwrap().to_owned();
    assert_eq!(line, "example  example.com  on   no      0            0");
}

#[test]
fn doctor_finds_what_is_wrong_and_makes_nothing() {
    let site = Site::new();
    let output = site.tfa(&["doctor"]);
    assert!(text(&output).contains("WRONG store: there is no ") && text(&output).contains("tfa init"));
    assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 1, "nothing was made");
    site.whm(0, &["twofactorauth_policy_status"]);
    let output = site.tfa(&["doctor"]);
    for line in
        ["ok    configuration: ", "ok    store: ", "ok    keys: ", "ok    policy: ", "ok    accounts: 4 of them"]
    {
        assert!(text(&output).contains(line), "{}", text(&output));
    }
    let clock = tfa::ffi::kernel::clock_is_synchronised().unwrap();
    assert!(text(&output).contains(if clock { "ok    clock: " } else { "WRONG clock: " }));
    assert_eq!(output.status.code(), Some(i32::from(!clock)));
    let key = site.folder.path().join("tfa.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = site.tfa(&["doctor"]);
    assert!(text(&output).contains("WRONG keys: ") && text(&output).contains("chmod"), "{}", text(&output));
    fs::write(&site.config, "{").unwrap();
    let output = site.tfa(&["doctor"]);
    assert!(text(&output).starts_with("WRONG configuration: "));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn completions_and_pages_know_the_functions() {
    let site = Site::new();
    let share = site.folder.path().join("share");
    assert_eq!(site.tfa(&["generate", share.to_str().unwrap()]).status.code(), Some(0));
    let read = |name: &str| fs::read_to_string(share.join(name)).unwrap();
    for file in
        ["bash-completion/completions/whmapi1", "zsh/site-functions/_whmapi1", "bash-completion/completions/tfa"]
    {
        assert!(read(file).contains("twofactorauth_policy_status"), "{file}");
    }
    // The generator for fish knows options alone.
    assert!(read("fish/vendor_completions.d/whmapi1.fish").contains("-l output"));
    let completed = Command::new("bash")
        .args(["-c", "source \"$1\"; COMP_WORDS=(whmapi1 twofactorauth_pol); COMP_CWORD=1; _whmapi1 whmapi1 twofactorauth_pol whmapi1; echo \"${COMPREPLY[@]}\"", "bash"])
        .arg(share.join("bash-completion/completions/whmapi1"))
        .output()
        .unwrap();
    assert_eq!(text(&completed).trim(), "twofactorauth_policy_status", "{}", error(&completed));
    for page in ["tfa.1", "tfa-doctor.1", "whmapi1.1", "uapi.1"] {
        let checked = Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(share.join("man/man1").join(page))
            .output()
            .expect("man is installed");
        assert_eq!((checked.status.code(), error(&checked)), (Some(0), ""), "{page}");
    }
}
