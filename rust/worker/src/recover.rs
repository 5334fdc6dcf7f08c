//! Taking up what an earlier process left open.

use std::sync::Arc;

use tasker_engine::state::TaskState;
use tasker_engine::task::{Event, Task};
use tasker_engine::template::Template;
use tasker_store::read::TaskRow;
use uuid::Uuid;

use crate::error::WorkerError;
use crate::live::{LiveTask, Plan};
use crate::rows;
use crate::worker::{now, PlanId, Shared};

/// Makes the open tasks of a template live, or one of them; answers how many. Attempts that were running are interrupted: their process is dead, or
/// the file's lock could not have been taken.
pub fn open_tasks(shared: &Shared, plan_id: PlanId, only: Option<Uuid>) -> Result<usize, WorkerError> {
    let plan = Arc::clone(&shared.lock().plans[plan_id as usize]);
    let template_id = rows::template_id(&plan.template.hash);
    let store = shared.log().read()?;
    let mut rows: Vec<TaskRow> = match only {
        Some(id) => store.task(id)?.into_iter().collect(),
        None => store.open_tasks()?,
    };
    // Those that ran first: they have their lanes.
    rows.sort_by_key(|row| TaskState::from_code(row.state) == Some(TaskState::Pending));
    let mut taken_up = 0;
    for row in rows {
        if row.template_id == template_id && row.finished_at.is_none() && take_up(shared, plan_id, &plan, row)? {
            taken_up += 1;
        }
    }
    if taken_up > 0 {
        tracing::info!(template = plan.template.label(), tasks = taken_up, "took up unfinished tasks");
    }
    Ok(taken_up)
}

/// Makes a stored task live; answers whether it was not before.
pub fn take_up(shared: &Shared, plan_id: PlanId, plan: &Arc<Plan>, row: TaskRow) -> Result<bool, WorkerError> {
    let store = shared.log().read()?;
    let saved = rows::saved(store, &row)?;
    let (trail, growths) = (store.last_audit_number(row.id)?, saved.growths.len() as u32);
    let state = TaskState::from_code(row.state).unwrap_or(TaskState::StepsInProcess);
    let mut live = shared.lock();
    if live.by_id.contains_key(&row.id) {
        return Ok(false);
    }
    let (at, mut effects) = (now(), Vec::new());
    if state == TaskState::Pending {
        let task = Task::new(Arc::clone(&plan.template));
        let mut task =
            LiveTask::new(row.id, task, (plan_id, Arc::clone(plan)), row.context, row.priority, row.created_at);
        (task.lane, task.run_at, task.stored) = (row.lane, row.run_at, true);
        let key = live.insert(task);
        live.begin_or_wait(key, at);
        shared.push(&mut live);
        return Ok(true);
    }
    let task = Task::restore(Arc::clone(&plan.template), state, saved, at, &mut effects);
    let interrupted = task.in_progress();
    let mut task = LiveTask::new(row.id, task, (plan_id, Arc::clone(plan)), row.context, row.priority, row.created_at);
    task.lane = row.lane;
    let key = live.insert(task.with_history(trail, growths));
    if !state.is_final() {
        live.hold_lane(key);
    }
    live.stage(key, &mut effects, at);
    for step in interrupted {
        let found = live.get(key).expect("just inserted").task.step(step);
        let (attempt, may_repeat) = (found.record.attempts, plan.handlers[found.of as usize].idempotent);
        let error = serde_json::json!({
            "message": "the process that ran this attempt died",
            "error_type": "worker_died",
            "retryable": true,
        });
        let error = error.to_string().into();
        let applied = live.apply(key, Event::Interrupted { step, attempt, may_repeat, error }, at);
        debug_assert!(applied.is_ok());
    }
    shared.push(&mut live);
    Ok(true)
}

/// The template that a stored task was submitted with.
pub fn template(shared: &Shared, task: &TaskRow) -> Result<Arc<Template>, WorkerError> {
    let known =
        shared.lock().plans.iter().find(|plan| rows::template_id(&plan.template.hash) == task.template_id).cloned();
    if let Some(plan) = known {
        return Ok(Arc::clone(&plan.template));
    }
    let unreadable = |reason: String| WorkerError::StoredTemplate { task: task.id, reason };
    let stored = shared.log().read()?.template(task.template_id)?;
    let stored = stored.ok_or_else(|| unreadable("it is missing".into()))?;
    Template::from_document(&stored.document, None).map(Arc::new).map_err(|error| unreadable(error.to_string()))
}
