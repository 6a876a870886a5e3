//! One connection: opening it, running a transaction on it, and keeping room for a full disk.

use std::cell::Cell;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::errors::explain;
use crate::store::{Change, Decision, Durability, Key, Line, Texts, Unavailable, private};

/// The pause before an operation tries again: the first, and the longest. SQLite's own timeout sleeps up to a tenth of a
/// second, which favours late comers; many processes that never slept longer would keep the processors busy.
pub(super) const BUSY_PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];
/// Pages that are kept free for logins while the disk is full: about 14 audit entries each.
const ROOM: i64 = 512;
/// Pages that are freed at once: as many as the write-ahead log has when it is restarted, so that it has its room too.
const NEW_ROOM: i64 = 1024;
/// More statements than there are, so that each is prepared once per connection.
const STATEMENTS: usize = 32;

const READ: &str = "SELECT value FROM record WHERE kind = ?1 AND name = ?2";
const INSERT: &str = "INSERT INTO record (kind, name, value) VALUES (?1, ?2, ?3)";
const UPDATE: &str = "UPDATE record SET value = ?3 WHERE kind = ?1 AND name = ?2";
const DELETE: &str = "DELETE FROM record WHERE kind = ?1 AND name = ?2";
pub(super) const NAMES: &str = "SELECT name FROM record WHERE kind = ?1 AND name >= ?2 AND (?3 IS NULL OR name < ?3) \
                     ORDER BY name LIMIT ?4";
pub(super) const COUNT: &str = "SELECT count(*) FROM record WHERE kind = ?1";
pub(super) const BEGIN_READING: &str = "BEGIN DEFERRED";
pub(super) const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
const APPEND: &str = "INSERT INTO audit (time, text) VALUES (?1, ?2)";
pub(super) const LINES: &str = "SELECT id, time, text FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(super) const AGES: &str = "SELECT (SELECT time FROM audit ORDER BY id LIMIT 1), (SELECT max(id) FROM audit)";
pub(super) const PRUNE: &str = "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?2) AND time < ?1 \
                     AND id < (SELECT max(id) FROM audit)";

/// One connection to a file.
pub(super) struct Session {
    pub(super) connection: Connection,
    /// Device and inode of the file.
    pub(super) file: (u64, u64),
    durability: Durability,
}

impl Session {
    pub(super) fn open(path: &Path) -> Result<Self, Unavailable> {
        private::check(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let directory = private::parent(path)?;
        let begin = || {
            // With NOFOLLOW, SQLite refuses a path with any symbolic link; here only the file itself must not be one.
            let real = fs::canonicalize(directory).unwrap_or_default().join(path.file_name().unwrap_or_default());
            let mut connection = Connection::open_with_flags(real, flags)?;
            connection.busy_handler(Some(wait_a_little))?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "trusted_schema", "OFF")?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(connection)
        };
        let connection = begin().map_err(|error| explain(path, &error))?;
        let metadata = private::check(path)?;
        let file = metadata.map(|metadata| (metadata.dev(), metadata.ino())).unwrap_or_default();
        Ok(Session { connection, file, durability: Durability::Process })
    }

    pub(super) fn set_durability(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.durability != durability {
            let level = match durability {
                Durability::Process => "NORMAL",
                Durability::Power => "FULL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durability = durability;
        }
        Ok(())
    }

    /// Reads, decides and commits in one transaction.
    pub(super) fn transact<'k>(
        &self,
        begin: &str,
        keys: &[Key<'k>],
        decide: &mut dyn FnMut(Texts) -> Decision<'k>,
    ) -> rusqlite::Result<Vec<u64>> {
        self.run(begin)?;
        let decision = decide(self.texts(keys)?);
        self.change(&decision.changes)?;
        let ids = decision.lines.iter().map(|line| self.append(line)).collect::<rusqlite::Result<_>>()?;
        self.run(COMMIT)?;
        Ok(ids)
    }

    /// Makes changes, within a transaction.
    pub(super) fn change(&self, changes: &[Change<'_>]) -> rusqlite::Result<()> {
        for Change { key, text } in changes {
            let (kind, name) = (key.kind as u8, key.name);
            match text {
                // The record almost always exists, and the update is the cheaper statement.
                Some(text) => {
                    if self.connection.prepare_cached(UPDATE)?.execute(params![kind, name, text])? == 0 {
                        self.connection.prepare_cached(INSERT)?.execute(params![kind, name, text])?;
                    }
                }
                None => drop(self.connection.prepare_cached(DELETE)?.execute(params![kind, name])?),
            }
        }
        Ok(())
    }

    /// Appends a line to the audit trail, within a transaction. Returns its number.
    pub(super) fn append(&self, line: &Line) -> rusqlite::Result<u64> {
        self.connection.prepare_cached(APPEND)?.execute(params![signed(line.time), line.text])?;
        Ok(self.connection.last_insert_rowid().unsigned_abs())
    }

    /// Keeps [`ROOM`] free pages in the database. They are filled and freed in two transactions, and the first is written to
    /// the file: only what was written there has its place on the disk.
    pub(super) fn keep_room(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        if number("freelist_count")? >= ROOM {
            return Ok(());
        }
        let bytes = number("page_size")?.saturating_mul(NEW_ROOM);
        connection.execute("INSERT INTO room VALUES (zeroblob(?1))", [bytes])?;
        connection.execute("DELETE FROM room", [])?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }

    pub(super) fn texts(&self, keys: &[Key<'_>]) -> rusqlite::Result<Texts> {
        let mut statement = self.connection.prepare_cached(READ)?;
        let mut text =
            |key: &Key<'_>| statement.query_row(params![key.kind as u8, key.name], |row| row.get(0)).optional();
        keys.iter().map(&mut text).collect::<rusqlite::Result<_>>().map(Texts)
    }

    /// Runs a statement without parameters. It is prepared once per connection.
    pub(super) fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }
}

/// A number as SQLite stores it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Waits for a lock that was found taken `times` times before. `false`: the patience is exhausted.
fn wait_a_little(times: i32) -> bool {
    thread_local! {
        static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    if times == 0 {
        SINCE.set(Some(Instant::now()));
    }
    let is_in_time = SINCE.get().is_some_and(|since| since.elapsed() < patience());
    if is_in_time {
        let [first, longest] = BUSY_PAUSES;
        thread::sleep(first.saturating_mul(times.unsigned_abs().saturating_add(4) / 4).min(longest));
    }
    is_in_time
}

thread_local! {
    static PATIENCE: Cell<Duration> = const { Cell::new(Duration::from_secs(5)) };
}

/// How long an operation of this thread waits for another process's lock.
pub(super) fn patience() -> Duration {
    PATIENCE.get()
}

/// Shortens the wait, so that a test of it does not take long.
#[cfg(test)]
pub(super) fn set_patience(patience: Duration) {
    PATIENCE.set(patience);
}
