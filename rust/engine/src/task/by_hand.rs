//! What a person does to a step or a task, and the signals that steps wait for.

use std::sync::Arc;

use super::apply::permanent_error;
use super::{Cause, Effect, Refusal, Standing, Task};
use crate::state::table::Path;
use crate::state::{StepEvent as S, StepState, TaskEvent, TaskEvent as T};
use crate::template::StepKind;
use crate::Micros;

impl Task {
    /// Runs a failed step again, or one that waits for its retry, with all its attempts.
    pub(super) fn reset(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        self.check_open(step)?;
        let state = self.step(step).record.state;
        let walk = match state {
            StepState::Error => S::ResetForRetry,
            StepState::WaitingForRetry => S::Retry,
            _ => return Err(self.unfit(step, &format!("is {state}; only a step that failed can be run again"))),
        };
        if self.is_tolerated(step) && self.went_on_without(step) {
            return Err(self.unfit(step, "failed, and what joins its batch has started without it"));
        }
        let row = &mut self.steps[step as usize];
        row.standing = Standing::Idle;
        row.record.uncounted = row.record.attempts;
        row.record.interrupted_in_a_row = 0;
        row.record.retry_at = now;
        self.walk_step(step, &[walk], Cause::Reset, effects);
        self.go_on(Cause::Reset, now, effects);
        Ok(())
    }

    pub(super) fn complete_by_hand(
        &mut self,
        step: u32,
        result: Arc<str>,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.check_not_over(step)?;
        let growth = self.growth_by(step, Some(&result)).map_err(Refusal::Unfit)?;
        self.take_back(step, effects);
        let row = &mut self.steps[step as usize].record;
        row.result = Some(result);
        row.error = None;
        row.finished_at = now;
        self.walk_step(step, &[S::CompleteManually], Cause::CompletedByHand, effects);
        if let Some(growth) = growth {
            self.grow(&growth);
            effects.push(Effect::Growth(growth));
        }
        self.go_on(Cause::CompletedByHand, now, effects);
        Ok(())
    }

    pub(super) fn resolve_by_hand(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        self.check_not_over(step)?;
        let growth = self.growth_by(step, None).map_err(Refusal::Unfit)?;
        self.take_back(step, effects);
        let row = &mut self.steps[step as usize].record;
        row.result = None;
        row.finished_at = now;
        self.walk_step(step, &[S::ResolveManually], Cause::ResolvedByHand, effects);
        if let Some(growth) = growth {
            self.grow(&growth);
            effects.push(Effect::Growth(growth));
        }
        self.go_on(Cause::ResolvedByHand, now, effects);
        Ok(())
    }

    /// Ends a task that failures have blocked.
    pub(super) fn end_by_hand(
        &mut self,
        event: TaskEvent,
        cause: Cause,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let mut path = Path::from(self.state);
        self.move_task(&mut path, event)?;
        self.cancel_open(true, cause, now, effects);
        self.arrived(path, cause, now, effects);
        Ok(())
    }

    pub(super) fn cancel(&mut self, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let mut path = Path::from(self.state);
        self.move_task(&mut path, T::Cancel)?;
        self.cancel_open(false, Cause::Cancelled, now, effects);
        self.arrived(path, Cause::Cancelled, now, effects);
        Ok(())
    }

    pub(super) fn signal(
        &mut self,
        step: u32,
        payload: Arc<str>,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.check_open(step)?;
        if self.kind(step) != StepKind::WaitForSignal {
            return Err(self.unfit(step, "waits for no signal: its type is not `wait_for_signal`"));
        }
        let row = &mut self.steps[step as usize];
        if row.record.state != StepState::Pending {
            let state = row.record.state;
            return Err(self.unfit(step, &format!("is {state}: it has its signal, or waits for none any more")));
        }
        if row.record.result.is_some() {
            return Err(self.unfit(step, "has a signal that it has not come to yet"));
        }
        row.record.result = Some(payload);
        if row.standing != Standing::Awaiting {
            effects.push(Effect::Record { step });
            return Ok(());
        }
        self.take_signal(step, now, effects);
        self.satisfied(step, None, now, effects);
        self.settle(Cause::Signalled, now, effects);
        Ok(())
    }

    /// The step's dependencies are satisfied, and its signal has not come.
    pub(super) fn await_signal(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) {
        let timeout_ms = self.rules(step).timeout_ms;
        let row = &mut self.steps[step as usize];
        row.standing = Standing::Awaiting;
        if row.record.started_at == 0 {
            row.record.started_at = now;
            // The time that it may take counts from here, whatever happens to the process.
            effects.push(Effect::Record { step });
        }
        if let Some(timeout_ms) = timeout_ms {
            effects.push(Effect::SignalBy { step, at: row.record.started_at + timeout_ms as i64 * 1000 });
        }
    }

    /// The step's signal is there, and so is all that it depends on.
    pub(super) fn take_signal(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) {
        let row = &mut self.steps[step as usize];
        row.standing = Standing::Idle;
        row.record.attempts = row.record.attempts.saturating_add(1);
        row.record.finished_at = now;
        if row.record.started_at == 0 {
            row.record.started_at = now;
        }
        let walk = [S::Enqueue, S::Start, S::EnqueueForOrchestration, S::Complete];
        self.walk_step(step, &walk, Cause::Signalled, effects);
    }

    pub(super) fn signal_overdue(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let row = &mut self.steps[step as usize];
        if row.standing != Standing::Awaiting {
            return Err(Refusal::NotReady { step });
        }
        row.standing = Standing::Idle;
        row.record.attempts = row.record.attempts.saturating_add(1);
        row.record.finished_at = now;
        row.record.error = Some(permanent_error("no signal came within its timeout_seconds"));
        let walk = [S::Enqueue, S::Start, S::EnqueueAsErrorForOrchestration, S::Fail];
        self.walk_step(step, &walk, Cause::Overdue, effects);
        self.failed_for_good(step, now, effects);
        self.settle(Cause::Overdue, now, effects);
        Ok(())
    }

    /// After a step was moved by hand: all that follows.
    fn go_on(&mut self, cause: Cause, now: Micros, effects: &mut Vec<Effect>) {
        let mut path = Path::from(self.state);
        self.recount();
        self.start_due(now, effects);
        if self.state.is_final() {
            self.wake(&mut path);
        }
        self.settle_from(path, cause, now, effects);
    }

    /// Whether what joins a worker's batch has started.
    fn went_on_without(&self, step: u32) -> bool {
        let below = &self.rules(step).dependants;
        below.iter().any(|&next| self.step(next).record.attempts > 0 || self.step(next).record.state.is_terminal())
    }

    fn check_open(&self, step: u32) -> Result<(), Refusal> {
        if self.state.is_terminal() {
            return Err(Refusal::Unfit(format!("the task is {}", self.state)));
        }
        if !self.step(step).created {
            return Err(self.unfit(step, "was not created: no decision has chosen it"));
        }
        Ok(())
    }

    fn check_not_over(&self, step: u32) -> Result<(), Refusal> {
        self.check_open(step)?;
        let state = self.step(step).record.state;
        if state.is_terminal() {
            return Err(self.unfit(step, &format!("is {state} already")));
        }
        Ok(())
    }

    fn unfit(&self, step: u32, why: &str) -> Refusal {
        Refusal::Unfit(format!("step `{}` {why}", self.name(step)))
    }
}
