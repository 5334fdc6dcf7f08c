//! What an event asks of the worker.

use crate::state::table::{named, Path};
use crate::state::{StepState, TaskState};
use crate::Micros;

#[derive(Debug, Clone)]
pub enum Effect {
    /// Store the step as it is now, and that it walked this path.
    Step { step: u32, attempt: u16, path: Path<StepState>, cause: Cause },
    /// Store the task's state, and that it walked this path.
    Task { path: Path<TaskState>, cause: Cause },
    /// The step may be claimed.
    Ready { step: u32 },
    /// Apply [`super::Event::RetryDue`] at this time.
    RetryAt { step: u32, at: Micros },
    /// Nothing follows by itself: tell those who wait. The task may still be taken up again by hand.
    Final(TaskState),
}

named! {
    /// Why something moved: a column of the trail.
    Cause {
        Submitted = "submitted" as b's',
        Claimed = "claimed" as b'c',
        Succeeded = "succeeded" as b'y',
        Failed = "failed" as b'f',
        Interrupted = "interrupted" as b'i',
        RetryDue = "retry_due" as b'r',
        Cancelled = "cancelled" as b'k',
    }
}
