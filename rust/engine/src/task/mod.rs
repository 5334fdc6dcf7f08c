//! A task that runs: its steps, and what each event does to them.
//!
//! [`Task::apply`] takes an event and the time, moves the two state machines, and appends the [`Effect`]s to a buffer: what to store, which steps may
//! run now, what to be reminded of. It reads no clock, starts no thread and stores nothing itself.
//!
//! | module | what it holds |
//! |---|---|
//! | `apply` | attempts: claims, outcomes, retries |
//! | `decision` | which steps a decision creates |
//! | `batch` | the workers of a batch: what they are made from, how many run at a time |
//! | `graph` | what becomes ready when a step is done |
//! | `standing` | where the task stands when its steps have moved |
//! | `by_hand` | what a person does to a step or a task, and signals |
//! | `limits` | how long a task may take |
//! | `restore` | a stored task made live again |

mod apply;
mod batch;
mod by_hand;
mod decision;
mod effect;
mod event;
mod graph;
mod limits;
mod restore;
mod standing;

use std::borrow::Cow;
use std::sync::Arc;

pub use batch::{Growth, Workers};
pub use effect::{Cause, Effect};
pub use event::{Event, Failure, Refusal};
pub use limits::Limit;
pub use restore::Saved;

use crate::state::{StepState, TaskState};
use crate::template::{StepKind, StepTemplate, Template};
use crate::Micros;

/// After this many interruptions in a row a step fails for good: it may be what kills its process.
pub const MAX_INTERRUPTIONS_IN_A_ROW: u8 = 5;
/// A decision creates at most this many steps.
pub const MAX_CREATED_STEPS: usize = 100;

/// A task in memory.
#[derive(Debug, Clone)]
pub struct Task {
    template: Arc<Template>,
    state: TaskState,
    created_at: Micros,
    /// When the task came into its state.
    entered_at: Micros,
    /// The template's steps in their order, then the workers of batches in the order in which they were made.
    steps: Vec<Step>,
    batches: Vec<batch::Batch>,
    /// For which limits a reminder was asked.
    reminded: limits::Reminded,
    counts: Counts,
    /// Whether the event at hand made a step ready.
    made_ready: bool,
}

/// How many steps are in the conditions that decide where the task stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Created, and the task's end waits for them.
    open: u32,
    ready: u32,
    running: u32,
    /// The time of their retry has not come.
    retrying: u32,
    /// Failed, and only a person takes them up again.
    failed: u32,
}

/// What the store keeps of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub state: StepState,
    /// Claims so far. The number of the running attempt, while one runs.
    pub attempts: u16,
    /// How many of the attempts do not count against `max_attempts`: those that the death of their process cut short, and those before a reset by hand.
    pub uncounted: u16,
    /// How many interruptions came last, without another outcome between them.
    pub interrupted_in_a_row: u8,
    pub started_at: Micros,
    pub finished_at: Micros,
    pub retry_at: Micros,
    /// What the handler returned, as a JSON object. Before a step that waits for a signal is begun: the signal that came early.
    pub result: Option<Arc<str>>,
    /// What went wrong last, as a JSON object.
    pub error: Option<Arc<str>>,
    /// What the handler said beside its result, as a JSON object.
    pub metadata: Option<Arc<str>>,
    /// Where the next attempt starts from, as a JSON object.
    pub checkpoint: Option<Arc<str>>,
}

impl Default for Record {
    fn default() -> Self {
        Record {
            state: StepState::Pending,
            attempts: 0,
            uncounted: 0,
            interrupted_in_a_row: 0,
            started_at: 0,
            finished_at: 0,
            retry_at: 0,
            result: None,
            error: None,
            metadata: None,
            checkpoint: None,
        }
    }
}

impl Record {
    /// The attempts that count against `max_attempts`.
    pub fn counted_attempts(&self) -> u16 {
        self.attempts - self.uncounted
    }
}

/// What keeps a step that is neither running nor over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its dependencies, the time of its retry, or nothing.
    Idle,
    /// Only a worker's claim; a step that waits for its retry becomes ready before its state moves.
    Ready,
    /// Others of its batch.
    Held,
    /// A signal.
    Awaiting,
}

/// One step of a task.
#[derive(Debug, Clone)]
pub struct Step {
    pub record: Record,
    pub standing: Standing,
    /// Steps that were not created (a branch that was not taken, a batch that was not cut yet) have no part in the task.
    pub created: bool,
    /// Which step of the template it is, or is made from.
    pub of: u32,
    /// What makes it one of a batch.
    pub worker: Option<Arc<batch::Worker>>,
    /// How many of its dependencies are not satisfied.
    waiting_on: u32,
}

impl Step {
    fn new(of: u32, rules: &StepTemplate) -> Step {
        Step {
            record: Record::default(),
            standing: Standing::Idle,
            created: rules.initial,
            of,
            worker: None,
            waiting_on: rules.dependencies.len() as u32,
        }
    }

    /// Whether it may be claimed now.
    pub fn is_ready(&self) -> bool {
        self.standing == Standing::Ready
    }
}

impl Task {
    /// A task that has not started: apply [`Event::Start`].
    pub fn new(template: Arc<Template>) -> Task {
        let steps: Vec<Step> = template.steps.iter().zip(0..).map(|(rules, place)| Step::new(place, rules)).collect();
        let open = steps.iter().filter(|step| step.created).count() as u32;
        Task {
            template,
            state: TaskState::Pending,
            created_at: 0,
            entered_at: 0,
            steps,
            batches: Vec::new(),
            reminded: limits::Reminded::default(),
            counts: Counts { open, ..Counts::default() },
            made_ready: false,
        }
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

    /// What the template says of a step.
    pub fn rules(&self, index: u32) -> &StepTemplate {
        &self.template.steps[self.step(index).of as usize]
    }

    /// The step's name: the template's, with the batch's id behind it for one of its workers.
    pub fn name(&self, index: u32) -> Cow<'_, str> {
        self.step(index).name(&self.template)
    }

    /// The position of a step of this name, if it was created.
    pub fn find(&self, name: &str) -> Option<u32> {
        if let Some(place) = self.template.step_index(name) {
            return self.step(place).created.then_some(place);
        }
        let workers = self.template.steps.len() as u32..self.steps.len() as u32;
        workers.into_iter().find(|&place| self.name(place) == name)
    }

    /// Steps that run now.
    pub fn running(&self) -> u32 {
        self.counts.running
    }

    /// Steps that may be claimed now.
    pub fn ready(&self) -> u32 {
        self.counts.ready
    }

    fn kind(&self, index: u32) -> StepKind {
        self.rules(index).kind
    }
}

impl Step {
    /// See [`Task::name`].
    pub fn name<'a>(&'a self, template: &'a Template) -> Cow<'a, str> {
        let name = &template.steps[self.of as usize].name;
        match &self.worker {
            Some(worker) => Cow::Owned(format!("{name}_{}", worker.batch_id)),
            None => Cow::Borrowed(name),
        }
    }
}

#[cfg(test)]
mod tests;
