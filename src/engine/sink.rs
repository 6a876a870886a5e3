//! Where lines of the audit trail go beside the table: what a sink is, and the one that is the system's log.
//!
//! Lines to the system's log are of facility authpriv, severity notice (RFC 3164): `<85>libtfa[PID]: LINE`. They are not
//! written by syslog(3), which has one lock and one name for the whole process, the host's, and waits while the log is
//! stuck. Promises: nothing is kept open, so nothing crosses a fork; nobody waits; a log that is away is left alone.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Whoever wants to hear of lines beside the table. It is called from any thread, several at once.
pub trait Sink: Send + Sync {
    /// Hears of a line, a JSON object. Whether it can do anything with it is its own affair.
    fn tell(&self, line: &str);
}

/// Where the system's log listens.
const SYSTEM: &str = "/dev/log";
/// Facility 10 (authpriv), severity 5 (notice).
const PRIORITY: u8 = 10 * 8 + 5;

/// A socket that takes lines for the log.
pub(super) struct Syslog(PathBuf);

impl Syslog {
    /// The system's.
    pub(super) fn system() -> Self {
        Syslog(PathBuf::from(SYSTEM))
    }
}

impl Sink for Syslog {
    fn tell(&self, line: &str) {
        let message = format!("<{PRIORITY}>libtfa[{}]: {line}", std::process::id());
        // Whoever asked is answered as ever; the table has the line.
        let _ = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.send_to(message.as_bytes(), &self.0)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_arrive_and_a_log_that_is_away_or_full_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let log = Syslog(folder.path().join("log"));
        log.tell("lost");
        let socket = UnixDatagram::bind(&log.0).unwrap();
        log.tell("{}");
        let mut message = [0; 100];
        let length = socket.recv(&mut message).unwrap();
        assert_eq!(message[..length], *format!("<85>libtfa[{}]: {{}}", std::process::id()).as_bytes());
        // Nobody reads: the queue fills up, and telling returns all the same.
        for _ in 0..10_000 {
            log.tell("{}");
        }
    }
}
