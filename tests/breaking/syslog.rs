//! The audit trail in the system log: the messages at `/dev/log` are the entries of the trail.
//!
//! Each program runs in a mount namespace of its own (`unshare`), where a folder with the test's socket is mounted over
//! `/dev`, so that the real path is written to and the system log is left alone. Without root these tests fail.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("syslog: every entry arrives once", arrives),
    ("syslog: a missing or full log delays no login, and the trail is complete", missing_or_full),
    ("syslog: rsyslog reads the entries, and forwards them as documented", rsyslog_reads_it),
];

/// The subject: a name that is not ASCII.
const SUBJECT: &str = "exämple";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
/// How long to wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Mounts the folder `$1` over `/dev`, and executes the program that follows.
const IN_PLACE: &str = r#"mount --bind "$1" /dev && shift && exec "$@""#;

/// A configured server, and a folder that is mounted over `/dev`.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(syslog: bool) -> Site {
        let site = Site { folder: tempfile::tempdir().unwrap() };
        let store = format!("sqlite:{}", site.path("tfa.db").display());
        let config =
            json!({"create": true, "store": store, "hostname": "server.example.com", "audit": {"syslog": syslog}});
        fs::write(site.path("tfa.json"), config.to_string()).unwrap();
        fs::create_dir(site.path("dev")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The socket that is `/dev/log` for the programs.
    fn log(&self) -> UnixDatagram {
        UnixDatagram::bind(self.path("dev/log")).unwrap()
    }

    /// Runs `tfa ARGUMENTS` with `input`, and with the folder over `/dev`; it must succeed. Returns its process id, which is
    /// that of `unshare` and the shell, and its output.
    fn run(&self, arguments: &[&str], input: &str) -> (u32, String) {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", IN_PLACE, "sh"]).arg(self.path("dev"));
        command.arg(env!("CARGO_BIN_EXE_tfa")).args(arguments).env("TFA_CONFIG", self.path("tfa.json"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let number = child.id();
        // Not every program reads its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors} (this test needs root, and the right to mount)");
        (number, String::from_utf8(output.stdout).unwrap())
    }

    /// Enables the policy and enrols [`SUBJECT`]. Returns the ids of the two processes.
    fn enrol(&self) -> [u32; 2] {
        let secret = json!({ SUBJECT: {"primary_account": {"secret": SECRET}} }).to_string();
        let set = ["whmapi1", "--input=json", "twofactorauth_set_tfa_config_for_user"];
        [self.run(&["whmapi1", "twofactorauth_enable_policy"], "").0, self.run(&set, &secret).0]
    }

    /// Sets an issuer `times` times, each with an entry of its own. Returns the id of the process.
    fn change(&self, times: usize) -> u32 {
        let query = "twofactorauth_set_issuer?issuer=Example";
        let input = json!({"command": vec![query; times]}).to_string();
        self.run(&["whmapi1", "--input=json", "batch"], &input).0
    }

    /// The entries of the trail, as `tfa audit --json` shows them.
    fn trail(&self) -> Vec<String> {
        self.run(&["audit", "--json"], "").1.lines().map(str::to_owned).collect()
    }
}

/// The messages in the queue of a socket.
fn waiting(log: &UnixDatagram) -> Vec<String> {
    log.set_nonblocking(true).unwrap();
    let mut message = [0; 4096];
    let next = || log.recv(&mut message).ok().map(|length| String::from_utf8(message[..length].to_vec()).unwrap());
    std::iter::from_fn(next).collect()
}

/// Calls `attempt` until it returns something, and fails the test if it never does.
fn awaited<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        match attempt() {
            Some(found) => return found,
            None => assert!(begun.elapsed() < PATIENCE, "{what} did not happen"),
        }
        sleep(Duration::from_millis(20));
    }
}

fn arrives() {
    let site = Site::new(true);
    let log = site.log();
    let [enabled, enrolled] = site.enrol();
    let changed = site.change(3);
    let (arrived, trail) = (waiting(&log), site.trail());
    let numbers = [enabled, enrolled, changed, changed, changed];
    let expected: Vec<_> =
        trail.iter().zip(numbers).map(|(line, number)| format!("<85>libtfa[{number}]: {line}")).collect();
    assert_eq!(arrived, expected);
    assert_eq!(trail.len(), numbers.len());
    assert!(trail[4].contains(r#""event":"issuer_set","subject":"root","caller":"root""#), "{}", trail[4]);
    assert!(!arrived.concat().contains(SECRET));
    assert_eq!(waiting(&log), [""; 0], "reading the trail is no change");

    let silent = Site::new(false);
    let log = silent.log();
    silent.enrol();
    assert_eq!((waiting(&log).len(), silent.trail().len()), (0, 2), "syslog is off by default");
}

fn missing_or_full() {
    let site = Site::new(true);
    let path = site.path("dev/log");
    site.enrol();
    assert_eq!(site.trail().len(), 2, "without a log");
    fs::write(&path, "").unwrap();
    site.change(1);
    assert_eq!(site.trail().len(), 3, "with a file that is no socket");
    fs::remove_file(&path).unwrap();
    drop(site.log());
    site.change(1);
    assert_eq!(site.trail().len(), 4, "with a socket that is closed");
    fs::remove_file(&path).unwrap();

    let log = site.log();
    let room: usize = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap().trim().parse().unwrap();
    let begun = Instant::now();
    site.change(room + 20);
    assert!(begun.elapsed() < PATIENCE, "a full queue delayed a login");
    let (arrived, trail) = (waiting(&log), site.trail());
    assert_eq!(trail.len(), 4 + room + 20);
    assert!(!arrived.is_empty() && arrived.len() < room + 20, "{} messages: the queue was not full", arrived.len());
    assert!(arrived.iter().zip(&trail[4..]).all(|(message, line)| message.ends_with(line)));
}

/// A process that is killed when the test ends.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A configuration of rsyslog: it reads `dev/log`, writes what it parsed to `messages`, and forwards to `port` of this
/// machine as docs/audit.md says.
fn rsyslog_configuration(site: &Site, port: u16) -> String {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.md")).unwrap();
    let (_, forward) = document.split_once("```rsyslog\n").expect("docs/audit.md has an example for rsyslog");
    let (forward, _) = forward.split_once("```").unwrap();
    let forward = forward.replace("logs.example.com", "127.0.0.1").replace("6514", &port.to_string());
    let (folder, socket, file) = (site.folder.path(), site.path("dev/log"), site.path("messages"));
    let parsed = "%syslogfacility-text% %syslogseverity-text% %programname% %procid%%msg%\\n";
    format!(
        r#"global(workDirectory="{}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{}")
template(name="parsed" type="string" string="{parsed}")
action(type="omfile" file="{}" template="parsed")
{forward}"#,
        folder.display(),
        socket.display(),
        file.display(),
    )
}

fn rsyslog_reads_it() {
    let site = Site::new(true);
    let other_machine = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other_machine.local_addr().unwrap().port();
    fs::write(site.path("rsyslog.conf"), rsyslog_configuration(&site, port)).unwrap();
    let mut command = Command::new("rsyslogd");
    command.arg("-n").arg("-f").arg(site.path("rsyslog.conf")).arg("-i").arg(site.path("pid"));
    let _rsyslog = Daemon(command.spawn().expect("rsyslogd is installed"));
    awaited("rsyslog's socket", || site.path("dev/log").exists().then_some(()));

    let [enabled, enrolled] = site.enrol();
    let changed = site.change(1);
    let trail = site.trail();
    let read = awaited("the messages of the log", || {
        let text = fs::read_to_string(site.path("messages")).unwrap_or_default();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("libtfa")).map(str::to_owned).collect();
        (lines.len() >= trail.len()).then_some(lines)
    });
    let numbered = trail.iter().zip([enabled, enrolled, changed]);
    let expected: Vec<_> = numbered.map(|(line, number)| format!("authpriv notice libtfa {number} {line}")).collect();
    assert_eq!(read, expected);

    other_machine.set_nonblocking(true).unwrap();
    let (connection, _) = awaited("a connection to the other machine", || other_machine.accept().ok());
    connection.set_nonblocking(false).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let sent: Vec<_> = BufReader::new(connection).lines().take(trail.len()).map(Result::unwrap).collect();
    assert_eq!(sent, trail);
}
