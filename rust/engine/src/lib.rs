//! The rules of a workflow, without I/O, threads or a clock of its own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`template`] | reading a template from YAML, with every problem in it and where it is |
//! | [`state`] | the two state machines, as tables |
//! | [`task`] | a task that runs: `apply(event, now)` answers the effects |
//! | [`retry`] | whether and when a failed step runs again |
//! | [`identity`] | what makes two requests the same task |
//!
//! Time is a [`Micros`] that the caller passes in, so the same code runs in production, in property tests and in a simulation.

pub mod identity;
pub mod retry;
pub mod state;
pub mod task;
pub mod template;

/// Microseconds since the Unix epoch.
pub type Micros = i64;
