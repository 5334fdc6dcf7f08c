//! Templates: the workflow that a YAML file describes.
//!
//! [`Template::parse`] answers a checked template with its warnings, or every problem at once.

mod declarations;
pub mod document;
mod environment;
mod graph;
pub mod problem;
mod reader;

use std::collections::HashMap;

use sha2::{Digest, Sha256};

pub use problem::{Position, Problem, Severity};

use crate::identity::canonical;
use crate::retry::RetryPolicy;
use crate::state::table::named;

/// More steps than this are refused.
pub const MAX_STEPS: usize = 10_000;

/// Decisions below each other, at most.
pub const MAX_DECISION_DEPTH: u32 = 20;

named! {
    /// What a step is to the engine.
    StepKind {
        Standard = "standard",
        Decision = "decision",
        DeferredConvergence = "deferred_convergence",
        Batchable = "batchable",
        BatchWorker = "batch_worker",
        WaitForSignal = "wait_for_signal",
        OnFailure = "on_failure",
    }
}

named! {
    /// What a worker of a batch that failed for good means for the others.
    FailureStrategy {
        /// They go on, and what joins them starts without the one that failed.
        ContinueOnFailure = "continue_on_failure",
        /// None of those that have not started does.
        FailFast = "fail_fast",
        /// They go on, and what joins them waits until a person has seen to the one that failed.
        Isolate = "isolate",
    }
}

named! {
    /// What becomes of a task that reached a limit of its lifecycle.
    Staleness {
        /// Tasker's dead letter queue; embedded it is the same as `Error`.
        Dlq = "dlq",
        Error = "error",
        /// Nothing: it goes on.
        None = "none",
    }
}

named! {
    /// When two requests of a template are the same task, where the request does not say so itself.
    IdentityStrategy {
        /// Never.
        AlwaysUnique = "always_unique",
        /// When their contexts are equal.
        Strict = "strict",
        /// When they have the same idempotency key, which each must have.
        CallerProvided = "caller_provided",
    }
}

/// A step's `batch_config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPolicy {
    /// Workers that may run at a time.
    pub parallelism: u32,
    pub cursor_field: String,
    pub worker_template: Option<String>,
    pub strategy: FailureStrategy,
}

/// Without a `batch_config`, a failed worker holds up what joins the batch, as any failed step does.
impl Default for BatchPolicy {
    fn default() -> Self {
        BatchPolicy {
            parallelism: u32::MAX,
            cursor_field: "id".into(),
            worker_template: None,
            strategy: FailureStrategy::Isolate,
        }
    }
}

/// How long a task may take, in all and in some of its states, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    pub duration_ms: Option<u64>,
    pub waiting_for_dependencies_ms: Option<u64>,
    pub waiting_for_retry_ms: Option<u64>,
    pub steps_in_process_ms: Option<u64>,
    pub staleness: Staleness,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Lifecycle {
            duration_ms: None,
            waiting_for_dependencies_ms: None,
            waiting_for_retry_ms: None,
            steps_in_process_ms: None,
            staleness: Staleness::Dlq,
        }
    }
}

/// A workflow: its steps and what each depends on.
#[derive(Debug, Clone)]
pub struct Template {
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub description: Option<String>,
    pub steps: Vec<StepTemplate>,
    pub lifecycle: Lifecycle,
    pub identity: IdentityStrategy,
    /// The step that runs once when the task is about to be blocked by failures.
    pub on_failure: Option<u32>,
    /// The document as canonical JSON, from which [`Template::from_document`] makes the same template again.
    pub document: String,
    /// SHA-256 of `document`: what a task that was submitted with this template remembers it by.
    pub hash: [u8; 32],
    index: HashMap<String, u32>,
}

/// One step of a template.
#[derive(Debug, Clone)]
pub struct StepTemplate {
    pub name: String,
    pub description: Option<String>,
    pub kind: StepKind,
    pub handler: HandlerSpec,
    /// Positions in [`Template::steps`] of the steps that this one waits for.
    pub dependencies: Vec<u32>,
    /// Positions of the steps that wait for this one.
    pub dependants: Vec<u32>,
    pub retry: RetryPolicy,
    /// How long an attempt may take, or a signal may be waited for, in milliseconds.
    pub timeout_ms: Option<u64>,
    pub batch: Option<Box<BatchPolicy>>,
    /// Whether the step exists from the start; others are created by a decision or with a batch.
    pub initial: bool,
    /// Where the step stands in its file.
    pub at: Position,
}

/// Which code runs a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandlerSpec {
    pub callable: String,
    pub method: Option<String>,
    pub resolver: Option<String>,
    /// A JSON object.
    pub initialization: serde_json::Value,
}

/// A template that can't be used, and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the template has {} problem(s), the first: {}", .problems.len(), .problems[0])]
pub struct InvalidTemplate {
    /// Errors and warnings in the order of their places; at least one error.
    pub problems: Vec<Problem>,
}

impl Template {
    /// Reads and checks a template.
    ///
    /// `environment` picks an entry of the template's `environments`, as `TASKER_ENV` does.
    ///
    /// # Errors
    /// [`InvalidTemplate`] with every problem found, not the first alone.
    pub fn parse(source: &str, environment: Option<&str>) -> Result<(Template, Vec<Problem>), InvalidTemplate> {
        let root = document::read(source).map_err(|problems| InvalidTemplate { problems })?;
        reader::template(&root, environment)
    }

    /// Makes the template again from the canonical JSON that the store kept.
    ///
    /// # Errors
    /// [`InvalidTemplate`] when the rules of this version refuse what an older one took.
    pub fn from_document(document: &str, environment: Option<&str>) -> Result<Template, InvalidTemplate> {
        let value: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
        reader::template(&document::Node::from_json(&value), environment).map(|(template, _)| template)
    }

    /// The position of the step with this name.
    pub fn step_index(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// `namespace/name@version`, for messages.
    pub fn label(&self) -> String {
        format!("{}/{}@{}", self.namespace, self.name, self.version)
    }

    fn new(
        namespace: String,
        name: String,
        version: String,
        description: Option<String>,
        steps: Vec<StepTemplate>,
        (lifecycle, identity): (Lifecycle, IdentityStrategy),
        document: &serde_json::Value,
    ) -> Template {
        let document = canonical(document);
        let hash = Sha256::digest(document.as_bytes()).into();
        let index = steps.iter().zip(0..).map(|(step, position)| (step.name.clone(), position)).collect();
        let on_failure = steps.iter().position(|step| step.kind == StepKind::OnFailure).map(|place| place as u32);
        Template {
            namespace,
            name,
            version,
            description,
            steps,
            lifecycle,
            identity,
            on_failure,
            document,
            hash,
            index,
        }
    }
}
