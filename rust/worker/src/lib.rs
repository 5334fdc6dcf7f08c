//! The worker: hands out steps that are ready, takes back results, and makes both durable. Knows threads, timers and the disk; no Python and no rules.
//!
//! | module | what it holds |
//! |---|---|
//! | [`worker`] | [`Worker`]: what the bindings call |
//! | [`submit`] | requests for tasks: what makes two the same, and when a task begins |
//! | [`by_hand`] | what people do to tasks |
//! | [`live`] | the tasks in memory, under one lock that is never held while waiting |
//! | [`ready`] | which step is next |
//! | [`commit`] | group commit: who writes, who syncs, and what may follow once it is durable |
//! | [`driver`] | the thread that keeps deadlines and retries |
//! | [`inbox`] | attempts on their way to the event loop |
//! | [`parker`] | how a thread waits, and how a wait on Python's main thread hears signals |
//! | [`outcome`] | what is told of a task |

mod by_hand;
mod commit;
mod doorbell;
mod driver;
mod error;
mod inbox;
mod live;
mod outcome;
mod parker;
mod ready;
mod recover;
mod rows;
mod submit;
mod threads;
mod worker;

pub use by_hand::Act;
pub use error::{TemplateChange, WorkerError};
pub use outcome::{TaskOutcome, Transition};
pub use parker::{Parker, Wakeup};
pub use ready::{Executor, TaskKey};
pub use submit::{Submission, Submitted};
pub use tasker_store::{Durability, StoreError};
pub use worker::{Attempt, Counters, HandlerInfo, Next, Options, PlanId, Report, Retention, Run, Wait, Worker};

#[cfg(test)]
mod tests;
