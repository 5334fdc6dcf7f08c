//! What an event asks of the worker.

use std::sync::Arc;

use super::{Growth, Limit};
use crate::state::table::{named, Path};
use crate::state::{StepState, TaskState};
use crate::Micros;

#[derive(Debug, Clone)]
pub enum Effect {
    /// Store the step as it is now, and that it walked this path.
    Step { step: u32, attempt: u16, path: Path<StepState>, cause: Cause },
    /// Store the step as it is now: it did not move.
    Record { step: u32 },
    /// Store the step's checkpoint beside those before it.
    Checkpoint { step: u32 },
    /// Store the task's state, and that it walked this path.
    Task { path: Path<TaskState>, cause: Cause },
    /// Store which steps were created; [`super::Task::restore`] needs them in their order.
    Growth(Arc<Growth>),
    /// The step may be claimed.
    Ready { step: u32 },
    /// Nobody wants the result of the attempt that runs: tell its handler.
    Unwanted { step: u32 },
    /// Apply [`super::Event::RetryDue`] at this time.
    RetryAt { step: u32, at: Micros },
    /// Apply [`super::Event::SignalOverdue`] at this time.
    SignalBy { step: u32, at: Micros },
    /// Apply [`super::Event::LimitReached`] at this time.
    LimitAt { limit: Limit, at: Micros },
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
        Reset = "reset" as b'e',
        CompletedByHand = "completed_by_hand" as b'h',
        ResolvedByHand = "resolved_by_hand" as b'm',
        GivenUp = "given_up" as b'g',
        Signalled = "signalled" as b'n',
        Overdue = "overdue" as b'o',
        Stale = "stale" as b'z',
    }
}
