//! Where the task stands when its steps have moved.

use super::{Cause, Effect, Refusal, Task};
use crate::state::table::Path;
use crate::state::{TaskEvent, TaskState};
use crate::Micros;

use TaskEvent as T;

impl Task {
    /// Moves the task to where its steps now put it, after a step that was running ended.
    pub(super) fn settle(&mut self, cause: Cause, now: Micros, effects: &mut Vec<Effect>) {
        let path = Path::from(self.state);
        self.settle_from(path, cause, now, effects);
    }

    /// The same, along a path that has begun. While steps run or are ready the task only moves when new ones became ready.
    pub(super) fn settle_from(
        &mut self,
        mut path: Path<TaskState>,
        cause: Cause,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) {
        let quiet = self.counts.running == 0 && self.counts.ready == 0;
        if self.counts.open == 0 {
            self.wake(&mut path);
            self.expect_move(&mut path, T::AllStepsCompleted);
            self.expect_move(&mut path, T::AllStepsSuccessful);
        } else if !quiet {
            if self.state != TaskState::StepsInProcess {
                self.wake(&mut path);
            } else if self.made_ready && !path.moved() {
                self.evaluate(&mut path);
            }
        } else if self.counts.retrying > 0 {
            if self.state != TaskState::WaitingForRetry {
                self.wake(&mut path);
                self.expect_move(&mut path, T::StepFailed);
            }
        } else if self.counts.failed > 0 {
            if self.start_on_failure(effects) {
                match self.state {
                    TaskState::StepsInProcess => self.evaluate(&mut path),
                    _ => self.wake(&mut path),
                }
            } else if self.state != TaskState::BlockedByFailures {
                self.wake(&mut path);
                self.expect_move(&mut path, T::StepCompleted);
                self.expect_move(&mut path, T::PermanentFailure);
            }
        } else if self.state != TaskState::WaitingForDependencies {
            self.wake(&mut path);
            self.expect_move(&mut path, T::StepCompleted);
            self.expect_move(&mut path, T::NoDependenciesReady);
        }
        self.arrived(path, cause, now, effects);
    }

    /// The task walked a path: says so, and asks to be reminded of what limits it now.
    pub(super) fn arrived(&mut self, path: Path<TaskState>, cause: Cause, now: Micros, effects: &mut Vec<Effect>) {
        if !path.moved() {
            return;
        }
        effects.push(Effect::Task { path, cause });
        self.entered_at = now;
        if self.state.is_final() {
            effects.push(Effect::Final(self.state));
        } else {
            self.remind(now, effects);
        }
    }

    /// New steps are ready: once around, as Tasker has it.
    fn evaluate(&mut self, path: &mut Path<TaskState>) {
        self.expect_move(path, T::StepCompleted);
        self.expect_move(path, T::ReadyStepsFound);
        self.expect_move(path, T::StepsEnqueued);
    }

    /// Brings a task that waits, or is blocked, back to where its steps are in process.
    pub(super) fn wake(&mut self, path: &mut Path<TaskState>) {
        let walk: &[T] = match self.state {
            TaskState::WaitingForRetry => &[T::RetryReady, T::StepsEnqueued],
            TaskState::BlockedByFailures => &[T::StepReset, T::StepsEnqueued],
            TaskState::WaitingForDependencies => &[T::DependenciesReady, T::ReadyStepsFound, T::StepsEnqueued],
            _ => &[],
        };
        for &event in walk {
            self.expect_move(path, event);
        }
    }

    /// The step that is there for failures runs once; answers whether it does now.
    fn start_on_failure(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Some(step) = self.template.on_failure.filter(|&step| !self.step(step).created) else { return false };
        let growth = super::Growth { by: step, steps: vec![step], workers: Vec::new() };
        self.grow(&growth);
        effects.push(Effect::Growth(growth.into()));
        self.make_ready(step, effects);
        true
    }

    pub(super) fn move_task(&mut self, path: &mut Path<TaskState>, event: TaskEvent) -> Result<(), Refusal> {
        self.state = self.state.next(event)?;
        path.push(self.state);
        Ok(())
    }

    /// A move that the rules above have made sure of.
    pub(super) fn expect_move(&mut self, path: &mut Path<TaskState>, event: TaskEvent) {
        if let Err(refusal) = self.move_task(path, event) {
            unreachable!("{refusal}");
        }
    }
}
