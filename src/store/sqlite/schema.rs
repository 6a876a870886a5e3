//! The schema: its versions, and the migrations between them.

use std::path::Path;
use std::thread;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};

use super::errors::explain;
use super::session::{BUSY_PAUSES, patience};
use crate::store::Unavailable;

/// "TFA1": identifies the database to `file` and to this code.
pub(super) const APPLICATION_ID: i32 = 0x5446_4131;
/// The statements that made each version of the schema from the one before. `user_version` counts them.
pub(super) const MIGRATIONS: [&str; 2] = [
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
/// Bytes of a page. A login writes two pages, a record's and the audit trail's last: half of SQLite's usual size saves a
/// tenth of its time. A record with recovery codes can need a third page, which costs as much as the larger size.
const PAGE_BYTES: u32 = 2048;

/// Brings a database to the newest format, and refuses one that is not ours or newer than this code. An empty file is a
/// database that was lost, unless it `is_new`.
pub(super) fn migrate(connection: &Connection, path: &Path, is_new: bool) -> Result<(), Unavailable> {
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
    if version == 0 && !is_new {
        return Err(Unavailable(format!(
            "The database {} is empty: its contents were lost. Restore it from a backup",
            path.display()
        )));
    }
    // The page size has no effect unless the database is new.
    connection
        .pragma_update(None, "page_size", PAGE_BYTES)
        .and_then(|()| enter_wal_mode(connection))
        .and_then(|()| {
            connection.execute_batch("PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
            // Another process can have been faster.
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

/// Switches a new database to WAL. SQLite does not wait for other processes here, so this function does.
fn enter_wal_mode(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now().checked_add(patience());
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
