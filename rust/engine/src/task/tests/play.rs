//! A task that a test plays with, and what it says.

use std::sync::Arc;

use crate::task::{Effect, Event, Failure, Refusal, Task};
use crate::template::Template;
use crate::Micros;

/// A task, and what it said since it was last asked.
pub struct Play {
    pub task: Task,
    pub now: Micros,
    pub effects: Vec<Effect>,
}

/// `spec` names each step and what it depends on: `"a; b: a; c: a b"`. A word after `!` goes into the step's retry.
fn template(spec: &str) -> Arc<Template> {
    let mut yaml = String::from("name: play\nsteps:\n");
    for step in spec.split(';') {
        let (step, retry) = step.split_once('!').unwrap_or((step, ""));
        let (name, needs) = step.split_once(':').unwrap_or((step, ""));
        let needs = needs.split_whitespace().collect::<Vec<_>>().join(", ");
        yaml.push_str(&format!(
            "  - {{name: {}, handler: {{callable: m.H}}, dependencies: [{needs}], timeout_seconds: 1, retry: {{{retry}}}}}\n",
            name.trim()
        ));
    }
    Arc::new(Template::parse(&yaml, None).unwrap().0)
}

impl Play {
    pub fn new(spec: &str) -> Play {
        Play::with(template(spec))
    }

    /// A task of a template that is written out.
    pub fn of(yaml: &str) -> Play {
        let parsed = Template::parse(yaml, None);
        Play::with(Arc::new(parsed.unwrap_or_else(|invalid| panic!("{:#?}", invalid.problems)).0))
    }

    fn with(template: Arc<Template>) -> Play {
        let mut play = Play { task: Task::new(template), now: 0, effects: Vec::new() };
        play.apply(Event::Start).unwrap();
        play
    }

    pub fn apply(&mut self, event: Event) -> Result<(), Refusal> {
        self.task.apply(event, self.now, &mut self.effects)
    }

    pub fn index(&self, name: &str) -> u32 {
        self.task.find(name).unwrap_or_else(|| panic!("there is no step {name}"))
    }

    pub fn claim(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        self.apply(Event::Claimed { step }).unwrap();
        self
    }

    pub fn succeed(&mut self, name: &str) -> &mut Self {
        self.succeed_with(name, "{}")
    }

    pub fn succeed_with(&mut self, name: &str, result: &str) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).record.attempts;
        self.apply(Event::Succeeded { step, attempt, result: result.into(), metadata: None }).unwrap();
        self
    }

    /// Claims a step and lets it succeed.
    pub fn run(&mut self, name: &str) -> &mut Self {
        self.claim(name).succeed(name)
    }

    /// The decision creates these steps.
    pub fn decide(&mut self, name: &str, steps: &[&str]) -> &mut Self {
        let result = serde_json::json!({"decision_point_outcome": {"type": "create_steps", "step_names": steps}});
        self.claim(name).succeed_with(name, &result.to_string())
    }

    /// The batchable step is cut into workers with these ids.
    pub fn cut(&mut self, name: &str, ids: &[&str]) -> &mut Self {
        let configs: Vec<_> = ids.iter().map(|id| serde_json::json!({"batch_id": id, "start_cursor": 0})).collect();
        let outcome = serde_json::json!({"type": "create_batches", "cursor_configs": configs});
        let result = serde_json::json!({"batch_processing_outcome": outcome});
        self.claim(name).succeed_with(name, &result.to_string())
    }

    /// The steps that may be claimed.
    pub fn ready(&self) -> Vec<String> {
        let steps = self.task.steps().iter().zip(0..);
        steps.filter(|(step, _)| step.is_ready()).map(|(_, place)| self.task.name(place).into_owned()).collect()
    }

    /// What the step's last error says.
    pub fn message(&self, name: &str) -> String {
        let error = self.task.step(self.index(name)).record.error.clone().expect("the step has an error");
        let error: serde_json::Value = serde_json::from_str(&error).unwrap();
        error["message"].as_str().unwrap().to_string()
    }

    pub fn fail(&mut self, name: &str, retryable: bool) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).record.attempts;
        let failure = Failure { error: "{}".into(), retryable, retry_after_ms: None };
        // 150 is the middle of the jitter: none
        self.apply(Event::Failed { step, attempt, failure, random: 150 }).unwrap();
        self
    }

    pub fn interrupt(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).record.attempts;
        self.apply(Event::Interrupted { step, attempt, may_repeat: false, error: "{}".into() }).unwrap();
        self
    }

    pub fn retry_due(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        self.apply(Event::RetryDue { step }).unwrap();
        self
    }

    /// The effects since the last call, a line each.
    pub fn said(&mut self) -> Vec<String> {
        let name = |step: u32| self.task.name(step).into_owned();
        self.effects
            .drain(..)
            .map(|effect| match effect {
                Effect::Step { step, attempt, path, cause } => format!("{} #{attempt} {cause}: {path}", name(step)),
                Effect::Task { path, cause } => format!("task {cause}: {path}"),
                Effect::Ready { step } => format!("{} ready", name(step)),
                Effect::RetryAt { step, at } => format!("{} again at {} ms", name(step), at / 1000),
                Effect::Final(state) => format!("final: {state}"),
                Effect::Record { step } => format!("{} kept", name(step)),
                Effect::Checkpoint { step } => format!("{} checkpoint", name(step)),
                Effect::Growth(growth) => {
                    let created: Vec<String> = growth.steps.iter().map(|&step| name(step)).collect();
                    let workers = growth
                        .workers
                        .iter()
                        .map(|workers| format!(" + {} workers", workers.count))
                        .collect::<String>();
                    format!("{} creates {}{workers}", name(growth.by), created.join(" "))
                }
                Effect::Unwanted { step } => format!("{} unwanted", name(step)),
                Effect::SignalBy { step, at } => format!("{} signal by {} ms", name(step), at / 1000),
                Effect::LimitAt { limit, at } => format!("{limit} at {} ms", at / 1000),
            })
            .collect()
    }
}

pub const STARTED: &str = "task submitted: pending > initializing > enqueuing_steps > steps_in_process";
pub const CLAIM: &str = "pending > enqueued > in_progress";
pub const SUCCESS: &str = "in_progress > enqueued_for_orchestration > complete";
pub const RETRY: &str = "in_progress > enqueued_as_error_for_orchestration > waiting_for_retry";
pub const ERROR: &str = "in_progress > enqueued_as_error_for_orchestration > error";
pub const ON: &str = "steps_in_process > evaluating_results > enqueuing_steps > steps_in_process";
pub const DONE: &str = "steps_in_process > evaluating_results > complete";
pub const BLOCKED: &str = "steps_in_process > evaluating_results > blocked_by_failures";
