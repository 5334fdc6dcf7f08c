//! What happens to a task.

use std::sync::Arc;

use super::Limit;
use crate::state::IllegalTransition;

#[derive(Debug, Clone)]
pub enum Event {
    /// The task was submitted.
    Start,
    /// A worker took a ready step.
    Claimed { step: u32 },
    /// The attempt's handler succeeded.
    Succeeded { step: u32, attempt: u16, result: Arc<str>, metadata: Option<Arc<str>> },
    /// The attempt's handler failed, or its deadline passed. `random` decides the jitter.
    Failed { step: u32, attempt: u16, failure: Failure, random: u64 },
    /// The attempt's process died, or gave the step back unfinished.
    /// `may_repeat` says whether running it again is harmless although `retryable` is false.
    Interrupted { step: u32, attempt: u16, may_repeat: bool, error: Arc<str> },
    /// The attempt's handler stored how far it is, and goes on in the same attempt.
    Checkpointed { step: u32, attempt: u16, checkpoint: Arc<str> },
    /// The time of a step's retry has come.
    RetryDue { step: u32 },
    /// What a step that waits for a signal was waiting for; it may come before the step waits.
    Signal { step: u32, payload: Arc<str> },
    /// The time in which a signal should have come is over.
    SignalOverdue { step: u32 },
    /// The time of a limit has come.
    LimitReached { limit: Limit },
    /// A person runs a failed step again, with all its attempts.
    Reset { step: u32 },
    /// A person did the step's work: this is its result.
    Complete { step: u32, result: Arc<str> },
    /// A person takes the step as done, without a result.
    Resolve { step: u32 },
    /// A person gives a task up that failures have blocked.
    GiveUp,
    /// A person takes a task as done that failures have blocked.
    ResolveTask,
    /// A person ends the task.
    Cancel,
}

/// Why an attempt failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// A JSON object: `message`, `error_type` and what else is known.
    pub error: Arc<str>,
    pub retryable: bool,
    /// What the error asked for; wins over the policy.
    pub retry_after_ms: Option<u64>,
}

/// Why an event was not taken. The task is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The report is for an attempt that is over: it timed out, was cancelled or was interrupted.
    #[error("attempt {attempt} of step {step} is over")]
    Late { step: u32, attempt: u16 },
    #[error("step {step} is not ready")]
    NotReady { step: u32 },
    /// What a person or a signal asks for does not fit how the step stands.
    #[error("{0}")]
    Unfit(String),
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}
