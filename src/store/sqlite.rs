//! The embedded store: one SQLite file, for one machine.
//!
//! WAL mode with `synchronous=NORMAL`: a commit is in the page cache of the operating system when it is reported, and
//! survives the death of every process. [`Durability::Power`] turns `synchronous=FULL` on for that commit, which syncs
//! the write-ahead log, with everything before it. The audit trail is a table in the order of its numbers and nothing
//! more: a line costs one row at its end.
//!
//! A decision is one transaction. It begins as a reading one, so that what changes nothing needs no lock, and becomes a
//! writing one with its first change; SQLite refuses that when somebody else wrote in between. Then it is begun again as
//! a writing one, which waits its turn and finds nobody in between.
//!
//! A full disk must not keep people out. What a login writes goes over old pages of the log and of the database, so both
//! keep some ready that have their place on the disk already (see `keep_room`).
//!
//! Connections are kept for reuse, one a thread at a time. They do not cross a fork (module `fork`), nor do they go on
//! with a file that was moved away or replaced under them.

mod backup;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{fs, os::unix::fs::MetadataExt, thread};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};

use super::{Change, Decision, Durability, Key, Kind, Store, StoredLine, Texts, Unavailable, private};
use crate::fork::{self, CloseBeforeFork};

/// How long an operation waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it sleeps before it tries again: at first, and at most. SQLite's own timeout sleeps up to a tenth of a second,
/// and whoever has waited longest comes last; many who never slept longer would keep the processors busy with asking.
const BUSY_PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];
/// "TFA1", so that `file` and we know our own.
const APPLICATION_ID: i32 = 0x5446_4131;
/// What made each version of the schema from the one before; `user_version` counts them.
const MIGRATIONS: [&str; 2] = [
    "CREATE TABLE record (
        kind  INTEGER NOT NULL,
        name  TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE audit (
        id   INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
    CREATE TABLE room (filling BLOB NOT NULL) STRICT",
];
/// Bytes of a page. A login writes two, a record's and the audit trail's last: half of SQLite's usual size spares a
/// tenth of its time. A record with recovery codes may spill over into a third, which makes it as slow as it was.
const PAGE_BYTES: u32 = 2048;
/// Pages that are kept free for what a login writes while the disk is full: some 14 lines of the audit trail each.
const ROOM: i64 = 512;
/// Pages that are made free at once: as many as the write-ahead log has when it is begun anew, so that it has its room
/// as well.
const NEW_ROOM: i64 = 1024;
/// Lines after which a database is in use enough to be given that room.
const IN_USE: i64 = 1000;
/// More statements than there are, so that each is prepared once a connection.
const STATEMENTS: usize = 32;

const READ: &str = "SELECT value FROM record WHERE kind = ?1 AND name = ?2";
const INSERT: &str = "INSERT INTO record (kind, name, value) VALUES (?1, ?2, ?3)";
const UPDATE: &str = "UPDATE record SET value = ?3 WHERE kind = ?1 AND name = ?2";
const DELETE: &str = "DELETE FROM record WHERE kind = ?1 AND name = ?2";
const NAMES: &str = "SELECT name FROM record WHERE kind = ?1 AND name >= ?2 AND (?3 IS NULL OR name < ?3) \
                     ORDER BY name LIMIT ?4";
const COUNT: &str = "SELECT count(*) FROM record WHERE kind = ?1";
const BEGIN_READING: &str = "BEGIN DEFERRED";
const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const APPEND: &str = "INSERT INTO audit (time, text) VALUES (?1, ?2)";
const LINES: &str = "SELECT id, time, text FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2";
const AGES: &str = "SELECT (SELECT time FROM audit ORDER BY id LIMIT 1), (SELECT max(id) FROM audit)";
const PRUNE: &str = "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?2) AND time < ?1 \
                     AND id < (SELECT max(id) FROM audit)";

/// A store in one SQLite file.
pub struct Sqlite(Arc<Pool>);

/// The idle connections to one file.
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Session>>,
}

/// One connection, and which file it is open on.
struct Session {
    connection: Connection,
    file: (u64, u64),
    durability: Durability,
}

impl Sqlite {
    /// Opens the database at `path`, and makes it first when there is none.
    pub fn open(path: &Path) -> Result<Self, Unavailable> {
        let _operation = fork::enter()?;
        private::directory(path)?;
        private::touch(path)?;
        let session = Session::open(path)?;
        migrate(&session.connection, path)?;
        let pool = Arc::new(Pool { path: path.to_owned(), idle: Mutex::new(vec![session]) });
        let weak: Weak<Pool> = Arc::downgrade(&pool);
        fork::watch(weak);
        Ok(Sqlite(pool))
    }

    /// Runs `operation` on a connection of its own. One that met an error is closed, and with it whatever it had begun.
    fn with<T>(&self, operation: impl FnOnce(&mut Session) -> rusqlite::Result<T>) -> Result<T, Unavailable> {
        let _operation = fork::enter()?;
        let mut session = self.0.take()?;
        match operation(&mut session) {
            Ok(value) => {
                self.0.idle().push(session);
                Ok(value)
            }
            Err(error) => Err(explain(&self.0.path, &error)),
        }
    }
}

impl Store for Sqlite {
    fn transact<'k>(
        &self,
        keys: &[Key<'k>],
        durability: Durability,
        decide: &mut dyn FnMut(Texts) -> Decision<'k>,
    ) -> Result<Vec<u64>, Unavailable> {
        self.with(|session| {
            session.set_durability(durability)?;
            match session.transact(BEGIN_READING, keys, decide) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    session.run(ROLLBACK)?;
                    session.transact(BEGIN_WRITING, keys, decide)
                }
                result => result,
            }
        })
    }

    fn names(&self, kind: Kind, from: &str, before: Option<&str>, limit: usize) -> Result<Vec<String>, Unavailable> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|session| {
            let mut statement = session.connection.prepare_cached(NAMES)?;
            let names = statement.query_map(params![kind as u8, from, before, limit], |row| row.get(0))?;
            names.collect()
        })
    }

    fn count(&self, kind: Kind) -> Result<u64, Unavailable> {
        self.with(|session| {
            let count: i64 = session.connection.prepare_cached(COUNT)?.query_row([kind as u8], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    fn lines(&self, after: u64, limit: usize) -> Result<Vec<StoredLine>, Unavailable> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|session| {
            let mut statement = session.connection.prepare_cached(LINES)?;
            let lines = statement.query_map(params![signed(after), limit], |row| {
                let number = |place| row.get(place).map(i64::unsigned_abs);
                Ok(StoredLine { id: number(0)?, time: number(1)?, text: row.get(2)? })
            })?;
            lines.collect()
        })
    }

    fn prune(&self, time: u64, limit: usize) -> Result<(), Unavailable> {
        let (time, limit) = (signed(time), i64::try_from(limit).unwrap_or(i64::MAX));
        self.with(|session| {
            // Nearly always there is nothing to do, which a look at one row tells.
            let ages = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (oldest, newest): (Option<i64>, Option<i64>) =
                session.connection.prepare_cached(AGES)?.query_row([], ages)?;
            if oldest.is_some_and(|oldest| oldest < time) {
                session.set_durability(Durability::Process)?;
                session.connection.prepare_cached(PRUNE)?.execute(params![time, limit])?;
            }
            if newest.is_some_and(|newest| newest >= IN_USE) { session.keep_room() } else { Ok(()) }
        })
    }

    fn forgets_on_power_cut(&self) -> bool {
        true
    }

    fn copy_to(&self, file: &Path) -> Result<(), Unavailable> {
        self.write_copy(file)
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection to the file that is at the path now, or a new one.
    fn take(&self) -> Result<Session, Unavailable> {
        self.drop_moved()?;
        if let Some(session) = self.idle().pop() {
            return Ok(session);
        }
        let session = Session::open(&self.path)?;
        migrate(&session.connection, &self.path)?;
        Ok(session)
    }

    /// Closes the idle connections to a file that is not the one at the path now.
    fn drop_moved(&self) -> Result<(), Unavailable> {
        let Ok(metadata) = fs::symlink_metadata(&self.path) else {
            return Err(Unavailable(format!("The database {} is gone. Restore it from a backup", self.path.display())));
        };
        self.idle().retain(|session| session.file == (metadata.dev(), metadata.ino()));
        Ok(())
    }
}

impl CloseBeforeFork for Pool {
    fn close_before_fork(&self) {
        for session in self.idle().drain(..) {
            // Others go on with the write-ahead log; there is no time for a checkpoint here.
            let _ = session.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

impl Session {
    fn open(path: &Path) -> Result<Self, Unavailable> {
        private::check(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let begin = || {
            // SQLite refuses a path with any link in it when told not to follow; only the file itself matters here.
            let directory =
                fs::canonicalize(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")));
            let real = directory.unwrap_or_default().join(path.file_name().unwrap_or_default());
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

    fn set_durability(&mut self, durability: Durability) -> rusqlite::Result<()> {
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
    fn transact<'k>(
        &self,
        begin: &str,
        keys: &[Key<'k>],
        decide: &mut dyn FnMut(Texts) -> Decision<'k>,
    ) -> rusqlite::Result<Vec<u64>> {
        self.run(begin)?;
        let decision = decide(self.texts(keys)?);
        for Change { key, text } in &decision.changes {
            let (kind, name) = (key.kind as u8, key.name);
            match text {
                // Nearly always it is there already, which is the cheaper statement.
                Some(text) => {
                    if self.connection.prepare_cached(UPDATE)?.execute(params![kind, name, text])? == 0 {
                        self.connection.prepare_cached(INSERT)?.execute(params![kind, name, text])?;
                    }
                }
                None => drop(self.connection.prepare_cached(DELETE)?.execute(params![kind, name])?),
            }
        }
        let mut ids = Vec::with_capacity(decision.lines.len());
        for line in &decision.lines {
            self.connection.prepare_cached(APPEND)?.execute(params![signed(line.time), line.text])?;
            ids.push(self.connection.last_insert_rowid().unsigned_abs());
        }
        self.run(COMMIT)?;
        Ok(ids)
    }

    /// Has [`ROOM`] free pages in the database. They are filled and emptied in two transactions, and the first is carried
    /// over into the file, as only what was written there has its place on the disk.
    fn keep_room(&self) -> rusqlite::Result<()> {
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

    fn texts(&self, keys: &[Key<'_>]) -> rusqlite::Result<Texts> {
        let mut statement = self.connection.prepare_cached(READ)?;
        let mut text =
            |key: &Key<'_>| statement.query_row(params![key.kind as u8, key.name], |row| row.get(0)).optional();
        keys.iter().map(&mut text).collect::<rusqlite::Result<_>>().map(Texts)
    }

    /// Runs a statement that has no parameters, prepared once a connection.
    fn run(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }
}

/// A number as SQLite keeps it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Brings a database to the newest format, and refuses one that is not ours or newer than this code.
fn migrate(connection: &Connection, path: &Path) -> Result<(), Unavailable> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let version = format_version(connection, path)?;
    if version == newest {
        return Ok(());
    }
    if version > newest {
        return Err(Unavailable(format!(
            "The database {} has format {version}, and this library knows formats up to {newest}. Install the newer library",
            path.display()
        )));
    }
    // Without effect unless the database is new.
    connection
        .pragma_update(None, "page_size", PAGE_BYTES)
        .and_then(|()| enter_wal_mode(connection))
        .and_then(|()| {
            connection.execute_batch("PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
            // Another process may have been faster.
            let version: u16 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for migration in MIGRATIONS.iter().skip(version.into()) {
                connection.execute_batch(migration)?;
            }
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", newest)?;
            connection.execute_batch("COMMIT; PRAGMA synchronous = NORMAL")
        })
        .map_err(|error| explain(path, &error))
}

/// The database's format: 0 for an empty file.
fn format_version(connection: &Connection, path: &Path) -> Result<i64, Unavailable> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let read = || Ok((number("application_id")?, number("user_version")?, number("schema_version")?));
    match read().map_err(|error| explain(path, &error))? {
        (0, 0, 0) => Ok(0),
        (id, version, _) if id == i64::from(APPLICATION_ID) => Ok(version),
        _ => Err(Unavailable(format!("{} is another program's database", path.display()))),
    }
}

/// Waits for a lock that was found taken `times` times before; `false`: long enough.
fn wait_a_little(times: i32) -> bool {
    thread_local! {
        static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    if times == 0 {
        SINCE.set(Some(Instant::now()));
    }
    let is_in_time = SINCE.get().is_some_and(|since| since.elapsed() < BUSY_TIMEOUT);
    if is_in_time {
        let [first, longest] = BUSY_PAUSES;
        thread::sleep(first.saturating_mul(times.unsigned_abs().saturating_add(4) / 4).min(longest));
    }
    is_in_time
}

/// Switches a new database to WAL. SQLite does not wait for others here, so this does.
fn enter_wal_mode(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now().checked_add(BUSY_TIMEOUT);
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && deadline.is_some_and(|deadline| Instant::now() < deadline) =>
            {
                thread::sleep(BUSY_PAUSES[0]);
            }
            result => return result.map(drop),
        }
    }
}

/// Says what happened to the database in words that an operator can act on.
fn explain(path: &Path, error: &rusqlite::Error) -> Unavailable {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "is locked by another process. Try again",
        Some(ErrorCode::DiskFull) => "cannot grow: the disk is full. Make room",
        Some(ErrorCode::ReadOnly) => "cannot be written to. Check its permissions and the file system",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "is damaged. Restore it from a backup",
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => "cannot be opened. Check its permissions",
        Some(ErrorCode::SystemIoFailure) => "cannot be read or written. Check the disk",
        _ => return Unavailable(format!("The database {} failed: {}", path.display(), cause(error))),
    };
    Unavailable(format!("The database {} {what}", path.display()))
}

/// SQLite's own words about its result code. Its longer messages could quote a statement.
fn cause(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) => code.to_string(),
        None => "an unexpected answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn database() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.db");
        (folder, path)
    }

    fn refusal(path: &Path) -> String {
        Sqlite::open(path).err().unwrap().0
    }

    #[test]
    fn keeps_the_promises_of_a_store() {
        conformance::check(|| {
            let (folder, path) = database();
            (Sqlite::open(&path).unwrap(), folder)
        });
    }

    #[test]
    fn files_are_private_from_the_start() {
        let (folder, path) = database();
        let store = Sqlite::open(&path).unwrap();
        conformance::put(&store, "example", "text");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        }
    }

    #[test]
    fn two_handles_see_the_same_records() {
        let (_folder, path) = database();
        let (one, two) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
        conformance::put(&one, "example", "text");
        assert_eq!(conformance::get(&two, "example").as_deref(), Some("text"));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let (_folder, path) = database();
        drop(Sqlite::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(refusal(&path).contains("format 99"));
    }

    #[test]
    fn another_programs_file_is_refused() {
        let (_folder, path) = database();
        private::touch(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(refusal(&path).contains("another program's"));
        fs::write(&path, "not a database, but long enough to look like one to SQLite").unwrap();
        assert!(refusal(&path).contains("damaged"));
    }

    #[test]
    fn links_and_open_modes_are_refused() {
        let (folder, path) = database();
        drop(Sqlite::open(&path).unwrap());
        let link = folder.path().join("link.db");
        symlink(&path, &link).unwrap();
        assert!(refusal(&link).contains("symbolic link"));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(refusal(&path).contains("chmod 600"));
    }

    #[test]
    fn a_path_through_a_linked_directory_is_fine() {
        let (folder, path) = database();
        let link = folder.path().join("var");
        symlink(folder.path(), &link).unwrap();
        conformance::put(&Sqlite::open(&link.join("tfa.db")).unwrap(), "example", "text");
        assert_eq!(conformance::get(&Sqlite::open(&path).unwrap(), "example").as_deref(), Some("text"));
    }

    #[test]
    fn a_file_that_is_taken_away_or_replaced_is_noticed() {
        let (folder, path) = database();
        let store = Sqlite::open(&path).unwrap();
        conformance::put(&store, "example", "old");
        for file in ["tfa.db", "tfa.db-wal", "tfa.db-shm"] {
            let _ = fs::rename(folder.path().join(file), folder.path().join(format!("old-{file}")));
        }
        assert!(conformance::set(&store, "example", None).unwrap_err().0.contains("is gone"));
        conformance::put(&Sqlite::open(&path).unwrap(), "example", "new");
        assert_eq!(conformance::get(&store, "example").as_deref(), Some("new"));
    }

    #[test]
    fn many_threads_open_a_new_database_at_once() {
        let (_folder, path) = database();
        thread::scope(|scope| {
            for number in 0..16 {
                let path = &path;
                scope
                    .spawn(move || conformance::put(&Sqlite::open(path).unwrap(), &format!("subject{number}"), "text"));
            }
        });
        assert_eq!(Sqlite::open(&path).unwrap().count(Kind::Subject).unwrap(), 16);
    }

    #[test]
    fn a_lock_held_too_long_is_told() {
        let (_folder, path) = database();
        let store = Sqlite::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(conformance::set(&store, "example", Some("text")).unwrap_err().0.contains("locked"));
        assert_eq!(conformance::get(&store, "example"), None, "reading goes on");
        other.execute_batch("ROLLBACK").unwrap();
        conformance::put(&store, "example", "text");
    }

    #[test]
    fn a_database_of_the_first_format_is_brought_up_to_date() {
        let (_folder, path) = database();
        private::touch(&path).unwrap();
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute("INSERT INTO record VALUES (2, 'example', 'text')", []).unwrap();
        let store = Sqlite::open(&path).unwrap();
        assert_eq!(conformance::get(&store, "example").as_deref(), Some("text"));
        assert_eq!(store.lines(0, 1).unwrap(), []);
    }
}
