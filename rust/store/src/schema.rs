//! The tables, and how a file of an older version becomes one of this.

use rusqlite::Connection;

/// Marks a file as ours: "TSKR".
pub const APPLICATION_ID: i64 = 0x5453_4b52;

/// One script a version, never changed after its release.
const MIGRATIONS: &[&str] = &[V1];

/// The version that this code writes.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Ids are UUIDv7, so new rows land at the right edge of every tree. Times are microseconds since the Unix epoch, states and causes the letters that
/// the engine gives them. A step has a row from its first move on.
const V1: &str = "
CREATE TABLE template (
    id INTEGER PRIMARY KEY,              -- the first 8 bytes of the document's SHA-256
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    document TEXT NOT NULL,              -- canonical JSON
    created_at INTEGER NOT NULL,
    UNIQUE (namespace, name, version)
) STRICT;

CREATE TABLE task (
    id BLOB NOT NULL PRIMARY KEY,
    template_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    context TEXT NOT NULL,               -- JSON
    fingerprint BLOB,                    -- what requests that may be continued are found by
    identity BLOB,                       -- a second request of the same identity is this task
    lane TEXT,                           -- of the tasks of a lane one runs at a time
    run_at INTEGER,                      -- not to be started before
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER                  -- NULL while something may follow by itself
) STRICT, WITHOUT ROWID;
CREATE INDEX task_open ON task (id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX task_identity ON task (identity) WHERE identity IS NOT NULL;
CREATE INDEX task_fingerprint ON task (fingerprint, id) WHERE fingerprint IS NOT NULL;

CREATE TABLE step (
    task_id BLOB NOT NULL,
    position INTEGER NOT NULL,           -- in the template; the workers of batches come after its steps
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    uncounted INTEGER NOT NULL,          -- attempts that do not count against max_attempts
    interrupted_in_a_row INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    retry_at INTEGER NOT NULL,
    result TEXT,                         -- JSON, as are the next two
    error TEXT,
    metadata TEXT,
    PRIMARY KEY (task_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE growth (                    -- steps that came to a task while it ran
    task_id BLOB NOT NULL,
    number INTEGER NOT NULL,             -- counts from 1 in each task
    growth TEXT NOT NULL,                -- JSON
    PRIMARY KEY (task_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (                -- how far attempts came: the newest few of each step
    task_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,             -- counts from 1 for each step
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,                  -- JSON
    PRIMARY KEY (task_id, position, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    task_id BLOB NOT NULL,
    number INTEGER NOT NULL,             -- counts from 1 in each task
    position INTEGER,                    -- of the step; NULL for the task itself
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    cause TEXT NOT NULL,
    path TEXT NOT NULL,                  -- a letter for each state walked through, first to last
    worker INTEGER NOT NULL,
    PRIMARY KEY (task_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,                  -- host:process
    started_at INTEGER NOT NULL
) STRICT;
";

/// What a file is, before anything is changed in it.
pub enum Found {
    Empty,
    Ours(i64),
    Foreign(String),
}

pub fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if application == APPLICATION_ID {
        return Ok(Found::Ours(version));
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (0, 0, 0) => Found::Empty,
        _ => Found::Foreign(format!("it holds {tables} tables or indexes of another program")),
    })
}

/// Brings the tables from `version` to [`VERSION`], all or nothing.
pub fn migrate(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    if version >= VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for script in &MIGRATIONS[version.max(0) as usize..] {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
