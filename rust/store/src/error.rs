//! What can go wrong with the file, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no folder {} to keep the database in: make it first", .0.display())]
    NoFolder(PathBuf),
    #[error("{} is a folder, not a database: name a file", .0.display())]
    IsFolder(PathBuf),
    #[error("{} can't be written: {reason}. Make the file and its folder writable, or name another with --db", .path.display())]
    ReadOnly { path: PathBuf, reason: String },
    #[error("{} is not a tasker_core database ({reason}): name another file", .path.display())]
    Foreign { path: PathBuf, reason: String },
    #[error("{} was written by a newer tasker_core (schema {found}; this one knows up to {known}): upgrade tasker-core-py", .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{} is in use by {holder}: stop it first, or name another file", .path.display())]
    InUse { path: PathBuf, holder: String },
    #[error("{} lies on a network file system ({kind}), where locks can't be relied on: keep the database on a local disk", .path.display())]
    Network { path: PathBuf, kind: &'static str },
    #[error("the disk is full: {} can't grow. Nothing that was acknowledged is lost; free some space and start again", .0.display())]
    Full(PathBuf),
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{}: {reason}", .path.display())]
    Io { path: PathBuf, reason: String },
    #[error("the database is closed")]
    Closed,
    #[error("the database refused a statement: {0}")]
    Sql(String),
}

impl StoreError {
    pub(crate) fn from_sqlite(path: Option<&Path>, error: rusqlite::Error) -> StoreError {
        let path = path.unwrap_or(Path::new(":memory:")).to_path_buf();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full(path),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                StoreError::ReadOnly { path, reason }
            }
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { path, reason: "it is no SQLite file".into() },
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, reason },
            Some(ErrorCode::SystemIoFailure) => StoreError::Io { path, reason },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::InUse { path, holder: "another program".into() }
            }
            _ => StoreError::Sql(reason),
        }
    }

    pub(crate) fn from_io(path: &Path, error: io::Error) -> StoreError {
        let path = path.to_path_buf();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path, reason: error.to_string() }
            }
            io::ErrorKind::StorageFull => StoreError::Full(path),
            _ => StoreError::Io { path, reason: error.to_string() },
        }
    }
}
