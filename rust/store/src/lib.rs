//! Tasks in one SQLite file: schema, durable writes, and reads. No workflow rules: states are letters here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`open`](Store::open) | making and opening a file, and what can be wrong with it |
//! | [`schema`] | the tables and their versions |
//! | [`write`] | what a commit may hold |
//! | [`sync`] | from written to durable: syncs and checkpoints |
//! | [`read`] | what can be asked |
//! | [`maintain`](Store::prune) | old tasks go, space comes back, and a copy is made |
//! | [`lock`] | one process at a time |

mod error;
mod lock;
mod maintain;
mod open;
pub mod read;
mod schema;
mod sync;
pub mod write;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

pub use error::StoreError;
pub use lock::FileLock;
pub use maintain::Prune;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Power loss.
    Full,
    /// The death of the process, not of the machine.
    Fast,
    /// Nothing: there is no file.
    Memory,
}

/// The tables of one engine.
pub struct Store {
    /// `None` once closed, as with the next two.
    writer: Mutex<Option<Connection>>,
    /// Queries do not wait for writes; a store in memory has one connection for both.
    reader: Mutex<Option<Connection>>,
    durability: Durability,
    path: Option<PathBuf>,
    wal: Option<sync::WalFile>,
    /// The number that this process has in the trail.
    worker: i64,
    lock: Mutex<Option<FileLock>>,
}

impl Store {
    pub fn durability(&self) -> Durability {
        self.durability
    }

    pub fn path(&self) -> Option<&std::path::Path> {
        self.path.as_deref()
    }

    /// Copies the log into the database, closes the file and gives it free. Every later call answers [`StoreError::Closed`].
    pub fn close(&self) {
        let _ = self.checkpoint();
        // The readers first: the last connection to close takes the log file away.
        drop(self.reader.lock().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn with_writer<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connection.as_mut().ok_or(StoreError::Closed)?;
        work(connection).map_err(|error| self.error(error))
    }

    fn with_reader<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = if self.durability == Durability::Memory { &self.writer } else { &self.reader };
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(connection.as_ref().ok_or(StoreError::Closed)?).map_err(|error| self.error(error))
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(self.path.as_deref(), error)
    }
}

#[cfg(test)]
mod tests;
