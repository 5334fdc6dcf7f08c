//! A task as the store kept it, made live again.

use std::sync::Arc;

use super::{Counts, Effect, Step, Task};
use crate::state::{StepState, TaskState};
use crate::template::Template;
use crate::Micros;

/// What the store knows of one step. Steps that never moved have no row.
#[derive(Debug, Clone)]
pub struct SavedStep {
    pub index: u32,
    pub state: StepState,
    pub attempts: u16,
    pub interrupted: u16,
    pub interrupted_in_a_row: u8,
    pub started_at: Micros,
    pub finished_at: Micros,
    pub retry_at: Micros,
    pub result: Option<Arc<str>>,
    pub error: Option<Arc<str>>,
    pub metadata: Option<Arc<str>>,
}

impl Task {
    /// Makes a stored task live: effects say which steps are ready and which wait for a time.
    ///
    /// Attempts that were running when their process died are still in progress afterwards: apply
    /// [`super::Event::Interrupted`] to each of [`Task::in_progress`].
    pub fn restore(
        template: Arc<Template>,
        state: TaskState,
        saved: impl IntoIterator<Item = SavedStep>,
        effects: &mut Vec<Effect>,
    ) -> Task {
        let mut task = Task::new(template);
        task.state = state;
        for row in saved {
            let Some(step) = task.steps.get_mut(row.index as usize) else { continue };
            *step = Step {
                state: row.state,
                ready: false,
                attempts: row.attempts,
                interrupted: row.interrupted,
                interrupted_in_a_row: row.interrupted_in_a_row,
                waiting_on: step.waiting_on,
                started_at: row.started_at,
                finished_at: row.finished_at,
                retry_at: row.retry_at,
                result: row.result,
                error: row.error,
                metadata: row.metadata,
            };
        }
        task.recount();
        if !state.is_final() {
            for step in 0..task.steps.len() as u32 {
                let row = task.step(step);
                match row.state {
                    StepState::Pending if row.waiting_on == 0 => task.make_ready(step, effects),
                    StepState::WaitingForRetry => effects.push(Effect::RetryAt { step, at: row.retry_at }),
                    _ => {}
                }
            }
        }
        task
    }

    /// The steps whose attempt was running.
    pub fn in_progress(&self) -> Vec<u32> {
        (0..self.steps.len() as u32).filter(|&step| self.step(step).state == StepState::InProgress).collect()
    }

    fn recount(&mut self) {
        let mut counts = Counts::default();
        for index in 0..self.steps.len() {
            let needs = &self.template.steps[index].dependencies;
            let waiting_on = needs.iter().filter(|&&need| !self.steps[need as usize].state.satisfies()).count() as u32;
            let row = &mut self.steps[index];
            row.waiting_on = waiting_on;
            counts.open += u32::from(!row.state.satisfies());
            counts.running += u32::from(row.state == StepState::InProgress);
            counts.retrying += u32::from(row.state == StepState::WaitingForRetry);
            counts.failed += u32::from(row.state == StepState::Error);
        }
        self.counts = counts;
    }
}
