//! From the engine's values to the store's rows, and back.

use std::sync::Arc;

use tasker_engine::state::table::Path;
use tasker_engine::state::{StepState, TaskState};
use tasker_engine::task::{Cause, Growth, Record, Saved, Task};
use tasker_engine::template::Template;
use tasker_store::read::TaskRow;
use tasker_store::write::{AuditRow, StepRow};
use tasker_store::{Store, StoreError};
use uuid::Uuid;

use crate::outcome::{TaskOutcome, Transition};

/// The number under which a template is stored.
pub fn template_id(hash: &[u8; 32]) -> i64 {
    i64::from_be_bytes(hash[..8].try_into().expect("8 of 32 bytes"))
}

pub fn step_row(task_id: Uuid, position: u32, record: &Record) -> StepRow {
    StepRow {
        task_id,
        position,
        state: record.state.code(),
        attempts: record.attempts,
        uncounted: record.uncounted,
        interrupted_in_a_row: record.interrupted_in_a_row,
        started_at: record.started_at,
        finished_at: record.finished_at,
        retry_at: record.retry_at,
        result: record.result.clone(),
        error: record.error.clone(),
        metadata: record.metadata.clone(),
    }
}

fn record(row: StepRow) -> (u32, Record) {
    let record = Record {
        // A letter that no version wrote: the step is taken as not begun rather than lost.
        state: StepState::from_code(row.state).unwrap_or(StepState::Pending),
        attempts: row.attempts,
        uncounted: row.uncounted,
        interrupted_in_a_row: row.interrupted_in_a_row,
        started_at: row.started_at,
        finished_at: row.finished_at,
        retry_at: row.retry_at,
        result: row.result,
        error: row.error,
        metadata: row.metadata,
        checkpoint: None,
    };
    (row.position, record)
}

/// All that the store has of a task.
pub fn saved(store: &Store, task: &TaskRow) -> Result<Saved, StoreError> {
    let mut records: Vec<(u32, Record)> = store.steps(task.id)?.into_iter().map(record).collect();
    for checkpoint in store.checkpoints(task.id)? {
        // Oldest first: the newest stays.
        if let Some((_, record)) = records.iter_mut().find(|(place, _)| *place == checkpoint.position) {
            record.checkpoint = Some(checkpoint.data);
        }
    }
    let growths = store.growths(task.id)?;
    let growths = growths.iter().filter_map(|growth| serde_json::from_str::<Growth>(growth).ok()).collect();
    Ok(Saved { created_at: task.created_at, entered_at: task.updated_at, records, growths })
}

/// The letters of a step's path.
pub fn step_path(path: &Path<StepState>) -> String {
    path.iter().map(|state| char::from(state.code())).collect()
}

/// The letters of a task's path.
pub fn task_path(path: &Path<TaskState>) -> String {
    path.iter().map(|state| char::from(state.code())).collect()
}

/// The moves that a row of the trail stands for.
pub fn transitions(row: &AuditRow, worker: &str, name_of: impl Fn(u32) -> String) -> Vec<Transition> {
    let name = |code: u8| match row.position {
        Some(_) => StepState::from_code(code).map_or("unknown", StepState::name),
        None => TaskState::from_code(code).map_or("unknown", TaskState::name),
    };
    row.path
        .as_bytes()
        .windows(2)
        .map(|pair| Transition {
            step: row.position.map(&name_of),
            from: name(pair[0]),
            to: name(pair[1]),
            at: row.at,
            attempt: row.attempt,
            cause: Cause::from_code(row.cause).map_or("unknown", Cause::name),
            worker: worker.to_string(),
        })
        .collect()
}

/// A task that is not in memory, from its rows.
pub fn stored_outcome(task: TaskRow, saved: Saved, template: Arc<Template>) -> TaskOutcome {
    let state = TaskState::from_code(task.state).unwrap_or(TaskState::Pending);
    let restored = Task::restore(Arc::clone(&template), state, saved, task.updated_at, &mut Vec::new());
    TaskOutcome {
        id: task.id,
        state,
        template,
        context: task.context,
        created_at: task.created_at,
        steps: restored.steps().into(),
    }
}
