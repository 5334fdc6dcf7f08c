//! A task that runs: its steps, and what each event does to them.
//!
//! [`Task::apply`] takes an event and the time, moves the two state machines, and appends the [`Effect`]s to a buffer: what to store, which steps may
//! run now, what to be reminded of. It reads no clock, starts no thread and stores nothing itself.

mod apply;
mod effect;
mod event;
mod restore;

use std::sync::Arc;

pub use effect::{Cause, Effect};
pub use event::{Event, Failure, Refusal};
pub use restore::SavedStep;

use crate::state::{StepState, TaskState};
use crate::template::Template;
use crate::Micros;

/// After this many interruptions in a row a step fails for good: it may be what kills its process.
pub const MAX_INTERRUPTIONS_IN_A_ROW: u8 = 5;

/// A task in memory.
#[derive(Debug)]
pub struct Task {
    template: Arc<Template>,
    state: TaskState,
    steps: Box<[Step]>,
    counts: Counts,
}

/// How many steps are in the conditions that decide where the task stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Not yet satisfied.
    open: u32,
    ready: u32,
    running: u32,
    retrying: u32,
    failed: u32,
}

/// One step of a task.
#[derive(Debug, Clone)]
pub struct Step {
    pub state: StepState,
    /// Whether it may be claimed now; a step that waits for its retry becomes ready before its state moves.
    pub ready: bool,
    /// Claims so far. The number of the running attempt, while one runs.
    pub attempts: u16,
    /// How many of the attempts were cut short by the death of their process.
    pub interrupted: u16,
    /// How many of those came last, without another outcome between them.
    pub interrupted_in_a_row: u8,
    /// How many of its dependencies are not satisfied.
    waiting_on: u32,
    pub started_at: Micros,
    pub finished_at: Micros,
    pub retry_at: Micros,
    /// What the handler returned, as a JSON object.
    pub result: Option<Arc<str>>,
    /// What went wrong last, as a JSON object.
    pub error: Option<Arc<str>>,
    /// What the handler said beside its result, as a JSON object.
    pub metadata: Option<Arc<str>>,
}

impl Step {
    fn new(waiting_on: u32) -> Step {
        Step {
            state: StepState::Pending,
            ready: false,
            attempts: 0,
            interrupted: 0,
            interrupted_in_a_row: 0,
            waiting_on,
            started_at: 0,
            finished_at: 0,
            retry_at: 0,
            result: None,
            error: None,
            metadata: None,
        }
    }

    /// The attempts that count against `max_attempts`.
    pub fn counted_attempts(&self) -> u16 {
        self.attempts - self.interrupted
    }
}

impl Task {
    /// A task that has not started: apply [`Event::Start`].
    pub fn new(template: Arc<Template>) -> Task {
        let steps: Box<[Step]> = template.steps.iter().map(|step| Step::new(step.dependencies.len() as u32)).collect();
        let counts = Counts { open: steps.len() as u32, ..Counts::default() };
        Task { template, state: TaskState::Pending, steps, counts }
    }

    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    pub fn state(&self) -> TaskState {
        self.state
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn step(&self, index: u32) -> &Step {
        &self.steps[index as usize]
    }

    /// Steps that run now.
    pub fn running(&self) -> u32 {
        self.counts.running
    }

    /// Steps that may be claimed now.
    pub fn ready(&self) -> u32 {
        self.counts.ready
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod transcripts;
