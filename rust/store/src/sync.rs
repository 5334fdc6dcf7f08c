//! From written to durable.
//!
//! SQLite commits into its write-ahead log without a sync, and the log file is synced here: so one sync serves every commit written before it, and the next
//! commit may be written while the sync is under way. The order is the one `synchronous = NORMAL` relies on: SQLite itself syncs the log before
//! a checkpoint copies from it, and the database before the log is reused.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Arc;

use rusqlite::Connection;

use crate::{Durability, Store, StoreError};

/// A log longer than this is copied into the database: a log that grows makes every read and write in it dearer.
const CHECKPOINT_PAGES: i32 = 1000;

pub(crate) struct WalFile {
    file: File,
    path: PathBuf,
    /// How many pages the log holds. Its length on disk does not tell: a log that starts over keeps it.
    pages: Arc<AtomicI32>,
}

impl WalFile {
    /// Opens the log beside `database`, in which SQLite has written by now, and counts the pages that `writer` adds.
    pub(crate) fn open(database: &Path, writer: &mut Connection) -> Result<WalFile, StoreError> {
        let mut name = database.as_os_str().to_os_string();
        name.push("-wal");
        let path = PathBuf::from(name);
        let file = File::open(&path).map_err(|error| StoreError::from_io(&path, error))?;
        let pages = Arc::new(AtomicI32::new(0));
        let counter = Arc::clone(&pages);
        writer
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
                counter.store(count, Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|error| StoreError::from_sqlite(Some(database), error))?;
        Ok(WalFile { file, path, pages })
    }
}

impl Store {
    /// Makes everything durable that [`Store::write`] has written before this call.
    ///
    /// # Errors
    /// [`StoreError::Io`]: what was written may or may not be on disk, and a second sync would not tell (the kernel reports a lost write once).
    pub fn sync(&self) -> Result<(), StoreError> {
        match (&self.wal, self.durability) {
            (Some(wal), Durability::Full) => {
                wal.file.sync_data().map_err(|error| StoreError::from_io(&wal.path, error))
            }
            _ => Ok(()),
        }
    }

    /// Copies a long log into the database; does nothing while it is short.
    ///
    /// # Errors
    /// [`StoreError`], when the disk is full or fails.
    pub fn checkpoint_if_long(&self) -> Result<(), StoreError> {
        let Some(wal) = &self.wal else { return Ok(()) };
        if wal.pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            return Ok(());
        }
        self.checkpoint()
    }

    /// Copies the log into the database, as far as no reader is in the way.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        let Some(wal) = &self.wal else { return Ok(()) };
        self.with_writer(|connection| {
            connection.wal_checkpoint_v2(None::<&str>, rusqlite::wal::CheckpointMode::PASSIVE)
        })?;
        wal.pages.store(0, Ordering::Relaxed);
        Ok(())
    }
}
