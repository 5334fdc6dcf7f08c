//! What people do to tasks: run a failed step again, complete or resolve it, give a task up; and the signals that steps wait for.

use std::sync::Arc;

use tasker_engine::task::{Event, Refusal, Task};
use uuid::Uuid;

use crate::commit::Level;
use crate::error::WorkerError;
use crate::live::Consequence;
use crate::recover;
use crate::rows;
use crate::worker::{now, Worker};

/// An act on a task as a whole, or on the step of this name.
#[derive(Debug, Clone)]
pub enum Act {
    /// Run a failed step again, with all its attempts.
    Reset {
        step: String,
    },
    /// The step's work is done: this is its result, a JSON object.
    Complete {
        step: String,
        result: Arc<str>,
    },
    /// Take the step as done, without a result.
    Resolve {
        step: String,
    },
    /// What a step of type `wait_for_signal` waits for, a JSON object.
    Signal {
        step: String,
        payload: Arc<str>,
    },
    /// End a task that failures have blocked: in error, or as resolved.
    GiveUp,
    ResolveTask,
    /// End a task, whatever it does.
    Cancel,
}

impl Act {
    fn event(self, task: &Task) -> Result<Event, Refusal> {
        let find = |name: &str| task.find(name).ok_or_else(|| no_step(task, name));
        Ok(match self {
            Act::Reset { step } => Event::Reset { step: find(&step)? },
            Act::Complete { step, result } => Event::Complete { step: find(&step)?, result },
            Act::Resolve { step } => Event::Resolve { step: find(&step)? },
            Act::Signal { step, payload } => Event::Signal { step: find(&step)?, payload },
            Act::GiveUp => Event::GiveUp,
            Act::ResolveTask => Event::ResolveTask,
            Act::Cancel => Event::Cancel,
        })
    }
}

fn no_step(task: &Task, name: &str) -> Refusal {
    if task.template().step_index(name).is_some() {
        return Refusal::Unfit(format!("step `{name}` was not created: no decision has chosen it"));
    }
    let names: Vec<String> = (0..task.steps().len() as u32).map(|place| task.name(place).into_owned()).collect();
    let near = tasker_engine::template::problem::nearest(name, names.iter().map(String::as_str));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Refusal::Unfit(format!("it has no step `{name}`{hint}"))
}

impl Worker {
    /// Does something to a task, durably. One that has ended here, or was never taken up, is fetched from the store.
    ///
    /// # Errors
    /// [`WorkerError::UnknownTask`], [`WorkerError::NotLoaded`] for a task whose template this worker does not run, [`WorkerError::Unfit`] when the
    /// task does not stand so, or the store's.
    pub fn act(&self, task: Uuid, act: Act) -> Result<(), WorkerError> {
        self.check_fork()?;
        self.fetch(task)?;
        let mut live = self.running()?;
        // It may have ended just now, and gone.
        let key = *live.by_id.get(&task).ok_or_else(|| gone(task))?;
        let unfit = |refusal: Refusal| WorkerError::Unfit { task, reason: refusal.to_string() };
        let found = live.get(key).expect("it is live");
        let event = act.event(&found.task);
        let applied = event.and_then(|event| live.apply(key, event, now()));
        let is_final = live.get(key).is_some_and(|found| found.task.state().is_final());
        let is_told = live.consequences.iter().any(|due| matches!(due, Consequence::Final { task } if *task == key));
        if is_final && !is_told {
            // It was fetched, and is as blocked as before.
            live.consequences.push(Consequence::Final { task: key });
        }
        let ticket = self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.reach(ticket, Level::Durable)?;
        applied.map_err(unfit)
    }

    /// Makes a task live that the store has.
    fn fetch(&self, task: Uuid) -> Result<(), WorkerError> {
        if self.running()?.by_id.contains_key(&task) {
            return Ok(());
        }
        let row = self.shared.log().read()?.task(task)?.ok_or(WorkerError::UnknownTask(task))?;
        let plans = self.running()?.plans.clone();
        let place = plans.iter().rposition(|plan| rows::template_id(&plan.template.hash) == row.template_id);
        let Some(place) = place else {
            let label = recover::template(&self.shared, &row)?.label();
            return Err(WorkerError::NotLoaded { task, label });
        };
        recover::take_up(&self.shared, place as u32, &plans[place], row)?;
        Ok(())
    }
}

fn gone(task: Uuid) -> WorkerError {
    WorkerError::Unfit { task, reason: "it has just ended".into() }
}
