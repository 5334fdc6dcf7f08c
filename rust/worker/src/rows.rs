//! From the engine's values to the store's rows, and back.

use std::sync::Arc;

use tasker_engine::state::table::Path;
use tasker_engine::state::{StepState, TaskState};
use tasker_engine::task::{Cause, SavedStep, Step, Task};
use tasker_engine::template::Template;
use tasker_store::read::TaskRow;
use tasker_store::write::{AuditRow, StepRow};
use uuid::Uuid;

use crate::outcome::{TaskOutcome, Transition};

/// The number under which a template is stored.
pub fn template_id(hash: &[u8; 32]) -> i64 {
    i64::from_be_bytes(hash[..8].try_into().expect("8 of 32 bytes"))
}

pub fn step_row(task_id: Uuid, position: u32, step: &Step) -> StepRow {
    StepRow {
        task_id,
        position,
        state: step.state.code(),
        attempts: step.attempts,
        interrupted: step.interrupted,
        interrupted_in_a_row: step.interrupted_in_a_row,
        started_at: step.started_at,
        finished_at: step.finished_at,
        retry_at: step.retry_at,
        result: step.result.clone(),
        error: step.error.clone(),
        metadata: step.metadata.clone(),
    }
}

pub fn saved_step(row: StepRow) -> SavedStep {
    SavedStep {
        index: row.position,
        // A letter that no version wrote: the step is taken as not begun rather than lost.
        state: StepState::from_code(row.state).unwrap_or(StepState::Pending),
        attempts: row.attempts,
        interrupted: row.interrupted,
        interrupted_in_a_row: row.interrupted_in_a_row,
        started_at: row.started_at,
        finished_at: row.finished_at,
        retry_at: row.retry_at,
        result: row.result,
        error: row.error,
        metadata: row.metadata,
    }
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
pub fn transitions(row: &AuditRow, worker: &str) -> Vec<Transition> {
    let name = |code: u8| match row.position {
        Some(_) => StepState::from_code(code).map_or("unknown", StepState::name),
        None => TaskState::from_code(code).map_or("unknown", TaskState::name),
    };
    row.path
        .as_bytes()
        .windows(2)
        .map(|pair| Transition {
            step: row.position,
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
pub fn stored_outcome(task: TaskRow, rows: Vec<StepRow>, template: Arc<Template>) -> TaskOutcome {
    let state = TaskState::from_code(task.state).unwrap_or(TaskState::Pending);
    let restored = Task::restore(Arc::clone(&template), state, rows.into_iter().map(saved_step), &mut Vec::new());
    TaskOutcome {
        id: task.id,
        state,
        template,
        context: task.context,
        created_at: task.created_at,
        steps: restored.steps().into(),
    }
}
