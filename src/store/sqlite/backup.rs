//! Copies of the database: writing one while logins go on, and restoring one.
//!
//! Promises: a copy is the store as of one moment, is on disk before it is reported, has mode 0600, never replaces a file, and
//! has no pages of removed records. A restore is one transaction on the database: other processes see the store before it or
//! after it, and a restore that was cut off changed nothing. The audit trail of the database stays, and gets the later
//! entries of the copy if the database was lost.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Sqlite;
use super::errors::explain;
use super::session::{BEGIN_WRITING, COMMIT, Session};
use crate::fork;
use crate::store::{Change, Durability, Key, Kind, Line, Unavailable, private, trusted};

/// What a restored store says of one record, given its text in the database and its text in the copy.
pub type Merge<'m> =
    dyn for<'k> FnMut(Key<'k>, Option<&str>, Option<&str>) -> Result<Vec<Change<'k>>, Unavailable> + 'm;

const COPY: &str = "VACUUM INTO ?1";
const ATTACH: &str = "ATTACH ?1 AS copy";
/// Records that the copy lacks.
const MISSING: &str = "SELECT kind, name, value FROM main.record AS here WHERE NOT EXISTS \
                       (SELECT 1 FROM copy.record AS there WHERE there.kind = here.kind AND there.name = here.name)";
const COPIED: &str = "SELECT kind, name, value FROM copy.record ORDER BY kind, name";
const LATER_ENTRIES: &str = "INSERT INTO main.audit (id, time, text) SELECT id, time, text FROM copy.audit \
                             WHERE id > (SELECT coalesce(max(id), 0) FROM main.audit)";

impl Sqlite {
    /// Writes a copy of the store to the new file `file`.
    pub(super) fn write_copy(&self, file: &Path) -> Result<(), Unavailable> {
        let file = trusted_path(file)?;
        let aside = private::aside(&file)?;
        let copied = self.with(|session| session.connection.execute(COPY, [text(&aside)]).map(drop));
        match copied.and_then(|()| private::publish(&aside, &file)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unavailable(format!("The file {} exists. Choose a new name", file.display()))),
            Err(error) => {
                private::discard(&aside);
                Err(error)
            }
        }
    }

    /// Restores the copy `file`: each record becomes what `merge` returns for it, and `entry` is added to the audit trail.
    /// Returns the number of the entry.
    pub fn restore(
        &self,
        file: &Path,
        entry: Option<&Line>,
        merge: &mut Merge<'_>,
    ) -> Result<Option<u64>, Unavailable> {
        let _operation = fork::enter()?;
        let file = trusted_path(file)?;
        if private::check(&file)?.is_none() {
            return Err(Unavailable(format!("The backup {} does not exist", file.display())));
        }
        // A connection of its own, which is closed afterwards, with the transaction if that was not committed.
        let mut session = Session::open(&self.0.path)?;
        let here = |error: rusqlite::Error| explain(&self.0.path, &error);
        session.set_durability(Durability::Power).map_err(here)?;
        let connection = &session.connection;
        check_copy(connection, &file)?;
        session.run(BEGIN_WRITING).map_err(here)?;
        for (key, value) in rows(connection, MISSING, &self.0.path)? {
            session.change(&merge(key.key(), Some(&value), None)?).map_err(here)?;
        }
        let mut copied = connection.prepare(COPIED).map_err(here)?;
        let mut copied = copied.query([]).map_err(here)?;
        while let Some(row) = copied.next().map_err(|error| explain(&file, &error))? {
            let (key, value) = record(row, &file)?;
            let present = session.texts(&[key.key()]).map_err(here)?;
            session.change(&merge(key.key(), present.at(0), Some(&value))?).map_err(here)?;
        }
        connection.execute(LATER_ENTRIES, []).map_err(here)?;
        let id = entry.map(|entry| session.append(entry)).transpose().map_err(here)?;
        session.run(COMMIT).map_err(here)?;
        Ok(id)
    }
}

/// The key of a record that was read.
struct OwnedKey {
    kind: Kind,
    name: String,
}

impl OwnedKey {
    fn key(&self) -> Key<'_> {
        Key { kind: self.kind, name: &self.name }
    }
}

/// The path without symbolic links, if no other user can replace the file.
fn trusted_path(path: &Path) -> Result<PathBuf, Unavailable> {
    let parent = private::parent(path)?;
    let parent = parent
        .canonicalize()
        .map_err(|error| Unavailable(format!("The directory {} cannot be read: {error}", parent.display())))?;
    let name = path.file_name().ok_or_else(|| Unavailable(format!("{} is not the path of a file", path.display())))?;
    let path = parent.join(name);
    trusted::ancestors(&path)?;
    if path.to_str().is_some() { Ok(path) } else { Err(Unavailable("The path is not valid UTF-8".to_owned())) }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// Attaches the copy and verifies that it is a whole database of this format.
fn check_copy(connection: &Connection, file: &Path) -> Result<(), Unavailable> {
    let damaged = |error: rusqlite::Error| explain(file, &error);
    connection.execute(ATTACH, [text(file)]).map_err(damaged)?;
    let numbers = |schema, pragma| connection.pragma_query_value(Some(schema), pragma, |row| row.get::<_, i64>(0));
    for (pragma, what) in [("application_id", "is not a backup of libtfa"), ("user_version", "has another format")] {
        if numbers("copy", pragma).map_err(damaged)? != numbers("main", pragma).map_err(damaged)? {
            return Err(Unavailable(format!("The file {} {what}", file.display())));
        }
    }
    let verdict: String =
        connection.query_row("PRAGMA copy.integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Unavailable(format!("The backup {} is damaged. Restore another one", file.display())))
}

/// The records that a query returns.
fn rows(connection: &Connection, query: &str, path: &Path) -> Result<Vec<(OwnedKey, String)>, Unavailable> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    let mut statement = connection.prepare(query).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        records.push(record(row, path)?);
    }
    Ok(records)
}

fn record(row: &rusqlite::Row<'_>, path: &Path) -> Result<(OwnedKey, String), Unavailable> {
    let read = || Ok::<_, rusqlite::Error>((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?));
    let (number, name, value) = read().map_err(|error| explain(path, &error))?;
    let kinds = [Kind::Server, Kind::Issuer, Kind::Subject, Kind::Removed];
    let kind = kinds.into_iter().find(|kind| i64::from(*kind as u8) == number).ok_or_else(|| {
        Unavailable(format!(
            "{} has records that this library does not know. Install the newer library",
            path.display()
        ))
    })?;
    Ok((OwnedKey { kind, name }, value))
}
