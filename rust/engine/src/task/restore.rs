//! A task as the store kept it, made live again.

use std::sync::Arc;

use super::{Effect, Growth, Record, Task};
use crate::state::{StepState, TaskState};
use crate::template::Template;
use crate::Micros;

/// What the store knows of a task.
#[derive(Debug, Default)]
pub struct Saved {
    pub created_at: Micros,
    /// When the task came into its state.
    pub entered_at: Micros,
    /// By position. Steps that never moved have none.
    pub records: Vec<(u32, Record)>,
    /// In the order in which they took place.
    pub growths: Vec<Growth>,
}

impl Task {
    /// Makes a stored task live: effects say which steps are ready, and what to be reminded of.
    ///
    /// Attempts that were running when their process died are still in progress afterwards: apply
    /// [`super::Event::Interrupted`] to each of [`Task::in_progress`].
    pub fn restore(
        template: Arc<Template>,
        state: TaskState,
        saved: Saved,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) -> Task {
        let mut task = Task::new(template);
        task.state = state;
        (task.created_at, task.entered_at) = (saved.created_at, saved.entered_at);
        let mut records = saved.records;
        records.sort_by_key(|(place, _)| *place);
        let of_template = records.partition_point(|(place, _)| (*place as usize) < task.steps.len());
        let workers = records.split_off(of_template);
        for (place, record) in records {
            task.steps[place as usize].record = record;
        }
        // A worker is made from the result of its batchable step.
        for growth in &saved.growths {
            task.grow(growth);
        }
        for (place, record) in workers {
            if let Some(step) = task.steps.get_mut(place as usize) {
                step.record = record;
            }
        }
        task.recount();
        // A blocked task, too: what a person does next may be a signal that one of its steps waits for.
        if !state.is_terminal() {
            task.start_due(now, effects);
            for step in 0..task.steps.len() as u32 {
                let record = &task.step(step).record;
                if record.state == StepState::WaitingForRetry {
                    effects.push(Effect::RetryAt { step, at: record.retry_at });
                }
            }
        }
        if !state.is_final() {
            task.remind(now, effects);
        }
        task
    }

    /// The steps whose attempt was running.
    pub fn in_progress(&self) -> Vec<u32> {
        (0..self.steps.len() as u32).filter(|&step| self.step(step).record.state == StepState::InProgress).collect()
    }
}
