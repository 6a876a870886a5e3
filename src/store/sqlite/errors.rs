//! Errors of SQLite in words that an operator can act on.
//!
//! Promise: no message contains a record.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::Unavailable;

/// Describes an error of the database so that an operator can act on it.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> Unavailable {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "is locked by another process. Try again",
        Some(ErrorCode::DiskFull) => "cannot grow: the disk is full. Make room",
        Some(ErrorCode::ReadOnly) => "cannot be written to. Check its permissions and the file system",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "is damaged. Restore it from a backup",
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => return cannot_open(path),
        Some(ErrorCode::SystemIoFailure) => "cannot be read or written. Check the disk",
        _ => return Unavailable(format!("The database {} failed: {}", path.display(), cause(error))),
    };
    Unavailable(format!("The database {} {what}", path.display()))
}

/// Why the database cannot be opened, as the operating system says: SQLite does not pass its reason on.
fn cannot_open(path: &Path) -> Unavailable {
    let advice = "Check its permissions and the file system";
    let why = match File::options().read(true).write(true).open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            format!(": {error}. {advice}")
        }
        Err(error) => format!(": {error}"),
        Ok(_) => format!(". {advice}"),
    };
    Unavailable(format!("The database {} cannot be opened{why}", path.display()))
}

/// SQLite's text for its result code. Its longer messages could quote a statement.
fn cause(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) => code.to_string(),
        None => "an unexpected answer".to_owned(),
    }
}
