//! What is told of a task: to those who wait for its end, and to those who ask how it stands.

use std::sync::Arc;

use tasker_engine::state::TaskState;
use tasker_engine::task::Step;
use tasker_engine::template::Template;
use tasker_engine::Micros;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct TaskOutcome {
    pub id: Uuid,
    pub state: TaskState,
    pub template: Arc<Template>,
    pub context: Arc<str>,
    pub created_at: Micros,
    /// In the order of the template, then the workers of batches.
    pub steps: Box<[Step]>,
}

impl TaskOutcome {
    /// The name of the step at a position.
    pub fn name(&self, position: u32) -> String {
        self.steps.get(position as usize).map_or_else(String::new, |step| step.name(&self.template).into_owned())
    }
}

/// One move of a task or a step.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The step's name; `None` for the task itself.
    pub step: Option<String>,
    pub from: &'static str,
    pub to: &'static str,
    pub at: Micros,
    pub attempt: u16,
    pub cause: &'static str,
    /// `host:process`.
    pub worker: String,
}
