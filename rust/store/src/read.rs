//! What can be asked.

use std::sync::Arc;

use rusqlite::{params, OptionalExtension, Row};
use uuid::Uuid;

use crate::write::{AuditRow, CheckpointRow, StepRow};
use crate::{Store, StoreError};

/// A task as it is stored.
#[derive(Debug, Clone)]
pub struct TaskRow {
    pub id: Uuid,
    pub template_id: i64,
    pub state: u8,
    pub priority: i16,
    pub context: Arc<str>,
    pub lane: Option<Arc<str>>,
    pub run_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
}

/// A template as it is stored.
#[derive(Debug, Clone)]
pub struct StoredTemplate {
    pub id: i64,
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub document: String,
}

const TASK: &str =
    "SELECT id, template_id, state, priority, context, created_at, updated_at, finished_at, lane, run_at FROM task";

impl Store {
    /// The tasks of which something may follow by itself, oldest first.
    pub fn open_tasks(&self) -> Result<Vec<TaskRow>, StoreError> {
        self.tasks(&format!("{TASK} WHERE finished_at IS NULL ORDER BY id"), [])
    }

    pub fn task(&self, id: Uuid) -> Result<Option<TaskRow>, StoreError> {
        let mut found = self.tasks(&format!("{TASK} WHERE id = ?1"), [id.as_bytes()])?;
        Ok(found.pop())
    }

    /// The newest tasks, newest first.
    pub fn recent_tasks(&self, limit: u32) -> Result<Vec<TaskRow>, StoreError> {
        self.tasks(&format!("{TASK} ORDER BY id DESC LIMIT ?1"), [limit])
    }

    /// The newest task that was submitted with this fingerprint.
    pub fn task_by_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Option<TaskRow>, StoreError> {
        let sql = format!("{TASK} WHERE fingerprint = ?1 ORDER BY id DESC LIMIT 1");
        Ok(self.tasks(&sql, [fingerprint])?.pop())
    }

    /// The task of an identity.
    pub fn task_by_identity(&self, identity: &[u8; 32]) -> Result<Option<TaskRow>, StoreError> {
        Ok(self.tasks(&format!("{TASK} WHERE identity = ?1"), [identity])?.pop())
    }

    /// The rows of a task's steps, in the order of their positions; steps that never moved have none.
    pub fn steps(&self, task: Uuid) -> Result<Vec<StepRow>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM step WHERE task_id = ?1 ORDER BY position")?;
            let rows = statement.query_map([task.as_bytes()], step_row)?;
            rows.collect()
        })
    }

    /// Which steps came to a task while it ran, as JSON, in their order.
    pub fn growths(&self, task: Uuid) -> Result<Vec<String>, StoreError> {
        self.with_reader(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT growth FROM growth WHERE task_id = ?1 ORDER BY number")?;
            let rows = statement.query_map([task.as_bytes()], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// The checkpoints of a task that are kept, each step's oldest first.
    pub fn checkpoints(&self, task: Uuid) -> Result<Vec<CheckpointRow>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT task_id, position, attempt, at, data FROM checkpoint WHERE task_id = ?1 ORDER BY position, number",
            )?;
            let rows = statement.query_map([task.as_bytes()], |row| {
                Ok(CheckpointRow {
                    task_id: uuid(row, 0)?,
                    position: row.get(1)?,
                    attempt: row.get(2)?,
                    at: row.get(3)?,
                    data: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The trail of a task, first to last.
    pub fn audit(&self, task: Uuid) -> Result<Vec<(AuditRow, String)>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT audit.*, worker.name FROM audit JOIN worker ON worker.id = audit.worker WHERE task_id = ?1 ORDER BY number",
            )?;
            let rows = statement.query_map([task.as_bytes()], |row| {
                let audit = AuditRow {
                    task_id: uuid(row, 0)?,
                    number: row.get(1)?,
                    position: row.get(2)?,
                    at: row.get(3)?,
                    attempt: row.get(4)?,
                    cause: letter(row, 5)?,
                    path: row.get(6)?,
                };
                Ok((audit, row.get(8)?))
            })?;
            rows.collect()
        })
    }

    /// The number of the last entry in a task's trail.
    pub fn last_audit_number(&self, task: Uuid) -> Result<u32, StoreError> {
        self.with_reader(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT number FROM audit WHERE task_id = ?1 ORDER BY number DESC LIMIT 1")?;
            Ok(statement.query_row([task.as_bytes()], |row| row.get(0)).optional()?.unwrap_or(0))
        })
    }

    pub fn template(&self, id: i64) -> Result<Option<StoredTemplate>, StoreError> {
        self.with_reader(|connection| {
            connection
                .query_row(
                    "SELECT id, namespace, name, version, document FROM template WHERE id = ?1",
                    [id],
                    template_row,
                )
                .optional()
        })
    }

    pub fn template_named(
        &self,
        namespace: &str,
        name: &str,
        version: &str,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        self.with_reader(|connection| {
            connection
                .query_row(
                    "SELECT id, namespace, name, version, document FROM template WHERE namespace = ?1 AND name = ?2 AND version = ?3",
                    params![namespace, name, version],
                    template_row,
                )
                .optional()
        })
    }

    fn tasks(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<TaskRow>, StoreError> {
        self.with_reader(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params, |row| {
                Ok(TaskRow {
                    id: uuid(row, 0)?,
                    template_id: row.get(1)?,
                    state: letter(row, 2)?,
                    priority: row.get(3)?,
                    context: row.get::<_, Arc<str>>(4)?,
                    created_at: row.get(5)?,
                    updated_at: row.get(6)?,
                    finished_at: row.get(7)?,
                    lane: row.get(8)?,
                    run_at: row.get(9)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn step_row(row: &Row) -> rusqlite::Result<StepRow> {
    Ok(StepRow {
        task_id: uuid(row, 0)?,
        position: row.get(1)?,
        state: letter(row, 2)?,
        attempts: row.get(3)?,
        uncounted: row.get(4)?,
        interrupted_in_a_row: row.get(5)?,
        started_at: row.get(6)?,
        finished_at: row.get(7)?,
        retry_at: row.get(8)?,
        result: row.get(9)?,
        error: row.get(10)?,
        metadata: row.get(11)?,
    })
}

fn template_row(row: &Row) -> rusqlite::Result<StoredTemplate> {
    Ok(StoredTemplate {
        id: row.get(0)?,
        namespace: row.get(1)?,
        name: row.get(2)?,
        version: row.get(3)?,
        document: row.get(4)?,
    })
}

fn uuid(row: &Row, column: usize) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get::<_, [u8; 16]>(column)?))
}

fn letter(row: &Row, column: usize) -> rusqlite::Result<u8> {
    Ok(row.get_ref(column)?.as_str()?.bytes().next().unwrap_or(b'?'))
}
