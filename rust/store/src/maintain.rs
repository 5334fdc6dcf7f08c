//! What keeps a file small, and a copy of it while it is in use.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{params, Connection, OptionalExtension};
use uuid::Uuid;

use crate::{Store, StoreError};

/// Which finished tasks go: any that either says. Those that failures have blocked stay: a person has to see to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// Those that ended before this time, in microseconds since the Unix epoch.
    pub before: Option<i64>,
    /// Those that are older than so many newer ones.
    pub keep: Option<u32>,
}

/// Tasks that one transaction takes out: others wait for it.
const SLICE: u32 = 64;
/// How long space is given back at a time.
const VACUUM: Duration = Duration::from_millis(5);

impl Store {
    /// Takes out some of the tasks that may go, and gives some of their space back to the file system; answers how many went. Call it again until none
    /// did: between the calls others write.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is taken out then.
    pub fn prune(&self, which: Prune) -> Result<u32, StoreError> {
        let has_file = self.path.is_some();
        self.with_writer(|connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let old = old_tasks(&transaction, which)?;
            for id in &old {
                for sql in [
                    "DELETE FROM step WHERE task_id = ?1",
                    "DELETE FROM audit WHERE task_id = ?1",
                    "DELETE FROM growth WHERE task_id = ?1",
                    "DELETE FROM checkpoint WHERE task_id = ?1",
                    "DELETE FROM task WHERE id = ?1",
                ] {
                    transaction.prepare_cached(sql)?.execute([id])?;
                }
            }
            transaction.commit()?;
            if has_file {
                give_back(connection)?;
            }
            Ok(old.len() as u32)
        })
    }

    /// Copies all that is written into a new file of mode 0600, while others go on reading and writing.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is there already is left alone.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let fail = |error| StoreError::from_io(to, error);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(fail)?;
        let name = to.to_string_lossy().into_owned();
        let copied = match &self.path {
            // A connection of its own: the copy takes long, and readers need theirs.
            Some(path) => Connection::open(path)
                .and_then(|connection| connection.execute("VACUUM INTO ?1", [name]).map(drop))
                .map_err(|error| StoreError::from_sqlite(Some(to), error)),
            None => self.with_writer(|connection| connection.execute("VACUUM INTO ?1", [name]).map(drop)),
        };
        if copied.is_err() {
            let _ = std::fs::remove_file(to);
        }
        copied
    }
}

fn old_tasks(connection: &Connection, which: Prune) -> rusqlite::Result<Vec<[u8; 16]>> {
    if let Some(before) = which.before {
        // Ids begin with the time of their making, so what is too young is never looked at.
        let below = first_id_of((before / 1000).max(0) as u64 + 1);
        let old = finished_below(connection, below, before)?;
        if !old.is_empty() {
            return Ok(old);
        }
    }
    let Some(keep) = which.keep else { return Ok(Vec::new()) };
    let sql = "SELECT id FROM task WHERE finished_at IS NOT NULL AND state <> 'b' ORDER BY id DESC LIMIT 1 OFFSET ?1";
    let newest: Option<[u8; 16]> = connection.prepare_cached(sql)?.query_row([keep], |row| row.get(0)).optional()?;
    match newest {
        Some(id) => finished_below(connection, (Uuid::from_bytes(id).as_u128() + 1).to_be_bytes(), i64::MAX),
        None => Ok(Vec::new()),
    }
}

fn finished_below(connection: &Connection, below: [u8; 16], before: i64) -> rusqlite::Result<Vec<[u8; 16]>> {
    let sql = "SELECT id FROM task
               WHERE id < ?1 AND finished_at IS NOT NULL AND finished_at < ?2 AND state <> 'b' ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![below, before, SLICE], |row| row.get(0))?;
    rows.collect()
}

/// The lowest id that a UUIDv7 of this millisecond can be.
fn first_id_of(milliseconds: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    id
}

fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + VACUUM;
    loop {
        let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if free == 0 || Instant::now() >= until {
            return Ok(());
        }
        // It answers a row a page, and has only done its work when all were read.
        let mut statement = connection.prepare_cached("PRAGMA incremental_vacuum(32)")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
}
