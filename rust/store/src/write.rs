//! What a commit may hold.

use std::sync::Arc;

use rusqlite::{params, Connection};
use uuid::Uuid;

use crate::{Store, StoreError};

/// One change. A commit takes a list of them, in order.
#[derive(Debug, Clone)]
pub enum Op {
    Template(Box<TemplateRow>),
    NewTask(Box<NewTask>),
    /// The task is in another state.
    Task(TaskMove),
    /// The step's row is this now.
    Step(Box<StepRow>),
    Growth(Box<GrowthRow>),
    Checkpoint(Box<CheckpointRow>),
    Audit(AuditRow),
}

#[derive(Debug, Clone)]
pub struct TemplateRow {
    pub id: i64,
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub document: String,
    pub created_at: i64,
}

#[derive(Debug, Clone)]
pub struct NewTask {
    pub id: Uuid,
    pub template_id: i64,
    pub state: u8,
    pub priority: i16,
    pub context: Arc<str>,
    pub fingerprint: Option<[u8; 32]>,
    pub identity: Option<[u8; 32]>,
    pub lane: Option<Arc<str>>,
    pub run_at: Option<i64>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct TaskMove {
    pub id: Uuid,
    pub state: u8,
    pub at: i64,
    /// Whether nothing follows by itself.
    pub is_final: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    pub task_id: Uuid,
    pub position: u32,
    pub state: u8,
    pub attempts: u16,
    pub uncounted: u16,
    pub interrupted_in_a_row: u8,
    pub started_at: i64,
    pub finished_at: i64,
    pub retry_at: i64,
    pub result: Option<Arc<str>>,
    pub error: Option<Arc<str>>,
    pub metadata: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GrowthRow {
    pub task_id: Uuid,
    pub number: u32,
    /// JSON.
    pub growth: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointRow {
    pub task_id: Uuid,
    pub position: u32,
    pub attempt: u16,
    pub at: i64,
    pub data: Arc<str>,
}

/// Of each step so many checkpoints are kept.
pub const CHECKPOINTS_KEPT: u32 = 10;

#[derive(Debug, Clone)]
pub struct AuditRow {
    pub task_id: Uuid,
    pub number: u32,
    /// `None` for the task itself.
    pub position: Option<u32>,
    pub at: i64,
    pub attempt: u16,
    pub cause: u8,
    /// A letter for each state.
    pub path: String,
}

impl Store {
    /// Writes the changes in one transaction, without waiting for the disk: [`Store::sync`] does that.
    ///
    /// After this the changes survive the death of the process.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the list is written then.
    pub fn write(&self, ops: &[Op]) -> Result<(), StoreError> {
        let worker = self.worker;
        self.with_writer(|connection| {
            begin(connection)?;
            match ops.iter().try_for_each(|op| write_one(connection, op, worker)).and_then(|()| commit(connection)) {
                Ok(()) => Ok(()),
                Err(error) => {
                    // A full disk ends the transaction by itself.
                    if !connection.is_autocommit() {
                        let _ = connection.execute_batch("ROLLBACK");
                    }
                    Err(error)
                }
            }
        })
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
}

fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([]).map(drop)
}

fn write_one(connection: &Connection, op: &Op, worker: i64) -> rusqlite::Result<()> {
    match op {
        Op::Template(row) => connection
            .prepare_cached("INSERT OR IGNORE INTO template VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![row.id, row.namespace, row.name, row.version, row.document, row.created_at]),
        Op::NewTask(row) => connection
            .prepare_cached("INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11)")?
            .execute(params![
                row.id.as_bytes(),
                row.template_id,
                letter(&row.state),
                row.priority,
                &*row.context,
                row.fingerprint,
                row.identity,
                row.lane.as_deref(),
                row.run_at,
                row.created_at,
                row.finished_at
            ]),
        Op::Task(row) => connection
            .prepare_cached("UPDATE task SET state = ?2, updated_at = ?3, finished_at = ?4 WHERE id = ?1")?
            .execute(params![row.id.as_bytes(), letter(&row.state), row.at, row.is_final.then_some(row.at)]),
        Op::Step(row) => connection
            .prepare_cached("INSERT OR REPLACE INTO step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
            .execute(params![
                row.task_id.as_bytes(),
                row.position,
                letter(&row.state),
                row.attempts,
                row.uncounted,
                row.interrupted_in_a_row,
                row.started_at,
                row.finished_at,
                row.retry_at,
                row.result.as_deref(),
                row.error.as_deref(),
                row.metadata.as_deref()
            ]),
        Op::Growth(row) => connection.prepare_cached("INSERT INTO growth VALUES (?1, ?2, ?3)")?.execute(params![
            row.task_id.as_bytes(),
            row.number,
            row.growth
        ]),
        Op::Checkpoint(row) => write_checkpoint(connection, row),
        Op::Audit(row) => {
            connection.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
                row.task_id.as_bytes(),
                row.number,
                row.position,
                row.at,
                row.attempt,
                letter(&row.cause),
                row.path,
                worker
            ])
        }
    }
    .map(drop)
}

fn write_checkpoint(connection: &Connection, row: &CheckpointRow) -> rusqlite::Result<usize> {
    let number: u32 = connection
        .prepare_cached(
            "INSERT INTO checkpoint
             SELECT ?1, ?2, 1 + coalesce(max(number), 0), ?3, ?4, ?5 FROM checkpoint WHERE task_id = ?1 AND position = ?2
             RETURNING number",
        )?
        .query_row(params![row.task_id.as_bytes(), row.position, row.attempt, row.at, &*row.data], |row| row.get(0))?;
    match number.checked_sub(CHECKPOINTS_KEPT) {
        None | Some(0) => Ok(1),
        Some(oldest) => connection
            .prepare_cached("DELETE FROM checkpoint WHERE task_id = ?1 AND position = ?2 AND number <= ?3")?
            .execute(params![row.task_id.as_bytes(), row.position, oldest]),
    }
}

/// A state's letter as text.
fn letter(code: &u8) -> &str {
    std::str::from_utf8(std::slice::from_ref(code)).expect("states are ASCII letters")
}
