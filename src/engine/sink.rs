//! Sinks: destinations of audit entries beside the table, and the one that is the system's log.
//!
//! Entries for the system's log have the facility authpriv and the severity notice (RFC 3164): `<85>libtfa[PID]: ENTRY`. They
//! are not written by syslog(3), which has one lock and one name for the whole process, the host's, and which blocks while the
//! log is stuck.
//!
//! Promises: no socket stays open, so none crosses a fork; sending does not block; a log that cannot be reached is ignored.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// A destination of audit entries beside the table. It is called from any thread, several at once.
pub trait Sink: Send + Sync {
    /// Receives one audit entry, a JSON object. It cannot report a failure.
    fn send(&self, entry: &str);
}

/// The socket of the system's log.
const SYSTEM: &str = "/dev/log";
/// Facility 10 (authpriv), severity 5 (notice).
const PRIORITY: u8 = 10 * 8 + 5;

/// The socket of a log.
pub(super) struct Syslog(PathBuf);

impl Syslog {
    /// The system's log.
    pub(super) fn system() -> Self {
        Syslog(PathBuf::from(SYSTEM))
    }
}

impl Sink for Syslog {
    fn send(&self, entry: &str) {
        let message = format!("<{PRIORITY}>libtfa[{}]: {entry}", std::process::id());
        // A failure is ignored: the table has the entry.
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
    fn entries_arrive_and_a_log_that_is_missing_or_full_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        let log = Syslog(folder.path().join("log"));
        log.send("lost");
        let socket = UnixDatagram::bind(&log.0).unwrap();
        log.send("{}");
        let mut message = [0; 100];
        let length = socket.recv(&mut message).unwrap();
        assert_eq!(message[..length], *format!("<85>libtfa[{}]: {{}}", std::process::id()).as_bytes());
        // The queue fills up, because nothing is read, and sending returns all the same.
        for _ in 0..10_000 {
            log.send("{}");
        }
    }
}
