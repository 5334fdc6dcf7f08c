//! The state machines of steps and tasks, as tables that can be read as drawings.

pub mod step;
pub mod table;
pub mod task;

pub use step::{StepEvent, StepState};
pub use table::IllegalTransition;
pub use task::{TaskEvent, TaskState};
