//! The embedded store: one SQLite file, for one machine.
//!
//! WAL mode with `synchronous=NORMAL`: a commit is in the operating system's page cache when it is reported, and survives
//! the death of every process. [`Durability::Power`] sets `synchronous=FULL` for that commit, which syncs the write-ahead
//! log with everything before it. The audit trail is a table in the order of its numbers: an entry costs one row at its end.
//!
//! A decision is one transaction. It begins as a reading one, so that a decision that changes nothing needs no lock, and
//! becomes a writing one with its first change; SQLite refuses that if another connection wrote in between. Then the
//! decision begins again as a writing transaction, which waits for its turn.
//!
//! A full disk must not deny logins. What a login writes replaces old pages of the log and of the database, so both keep
//! some pages ready that have their place on the disk already (see `keep_room`).
//!
//! Connections are kept for reuse, one per thread at a time. They do not cross a fork (module `fork`), nor do they go on
//! with a file that was moved away, or replaced by the file of another store.

mod backup;
mod errors;
mod schema;
mod session;
#[cfg(test)]
mod tests;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::{fs, io};

use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, Row, params};

use super::{Decision, Durability, Key, Kind, Store, StoredLine, Texts, Unavailable, private};
use crate::fork::{self, CloseBeforeFork};
use errors::explain;
use session::{AGES, BEGIN_READING, BEGIN_WRITING, COUNT, LINES, NAMES, PRUNE, ROLLBACK, Session, signed};

/// Entries after which a database is in use enough to be given room for a full disk.
const IN_USE: i64 = 1000;

/// A store in one SQLite file.
pub struct Sqlite(Arc<Pool>);

/// The idle connections to one file.
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Session>>,
    identity: OnceLock<Identity>,
}

/// The record that says which store this is.
struct Identity {
    kind: Kind,
    name: String,
    text: String,
}

impl Sqlite {
    /// Opens the database at `path`, which exists.
    pub fn open(path: &Path) -> Result<Self, Unavailable> {
        let _operation = fork::enter()?;
        require(path)?;
        private::check_directory(path)?;
        Self::of(path, false)
    }

    /// Creates the database at `path`, and its directory, if they do not exist.
    pub fn create(path: &Path) -> Result<Self, Unavailable> {
        let _operation = fork::enter()?;
        private::create_directory(path)?;
        private::touch(path)?;
        Self::of(path, true)
    }

    fn of(path: &Path, is_new: bool) -> Result<Self, Unavailable> {
        let session = Session::open(path)?;
        schema::migrate(&session.connection, path, is_new)?;
        let pool = Pool { path: path.to_owned(), idle: Mutex::new(vec![session]), identity: OnceLock::new() };
        let pool = Arc::new(pool);
        let weak: Weak<Pool> = Arc::downgrade(&pool);
        fork::watch(weak);
        Ok(Sqlite(pool))
    }

    /// Runs `operation` on a connection of its own. After an error the connection is closed, and its transaction with it.
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

/// Refuses a path without a file: a store that is missing is never taken for a new one (contract section 12).
fn require(path: &Path) -> Result<(), Unavailable> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(path)),
        // Other errors are reported by the check of the file.
        _ => Ok(()),
    }
}

fn missing(path: &Path) -> Unavailable {
    let parent = path.parent().unwrap_or(path);
    let what = if parent.exists() { ("The database", path) } else { ("The folder", parent) };
    Unavailable(format!(
        "{} {} does not exist. Mount or restore what was moved away, or create a new store with: tfa init",
        what.0,
        what.1.display()
    ))
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
            // There is almost never anything to do, which one row shows.
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

    fn bind(&self, key: Key<'_>, text: &str) {
        let identity = Identity { kind: key.kind, name: key.name.to_owned(), text: text.to_owned() };
        // A store is bound once, when it is opened.
        let _ = self.0.identity.set(identity);
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
        schema::migrate(&session.connection, &self.path, false)?;
        self.recognise(&session)?;
        Ok(session)
    }

    /// Refuses a file that is not of the store that was opened.
    fn recognise(&self, session: &Session) -> Result<(), Unavailable> {
        let Some(Identity { kind, name, text }) = self.identity.get() else { return Ok(()) };
        let texts = session.texts(&[Key { kind: *kind, name }]).map_err(|error| explain(&self.path, &error))?;
        if texts.at(0) == Some(text) {
            return Ok(());
        }
        Err(Unavailable(format!(
            "The database {} was replaced by another store's. Restore the right one, or restart this program",
            self.path.display()
        )))
    }

    /// Closes the idle connections to a file that is no longer at the path.
    fn drop_moved(&self) -> Result<(), Unavailable> {
        let metadata = fs::symlink_metadata(&self.path).map_err(|_| missing(&self.path))?;
        self.idle().retain(|session| session.file == (metadata.dev(), metadata.ino()));
        Ok(())
    }
}

impl CloseBeforeFork for Pool {
    fn close_before_fork(&self) {
        for session in self.idle().drain(..) {
            // Other processes go on with the write-ahead log; a checkpoint would take too long here.
            let _ = session.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}
