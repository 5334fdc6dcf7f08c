//! Attempts: claims, their outcomes, and retries.

use std::sync::Arc;

use super::{Cause, Effect, Event, Failure, Refusal, Standing, Task, MAX_INTERRUPTIONS_IN_A_ROW};
use crate::state::table::Path;
use crate::state::{StepEvent, StepState, TaskEvent};
use crate::Micros;

use StepEvent as S;
use TaskEvent as T;

impl Task {
    /// Takes an event at a time and appends what follows to `effects`.
    ///
    /// # Errors
    /// [`Refusal`], with task and effects untouched.
    pub fn apply(&mut self, event: Event, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        self.made_ready = false;
        match event {
            Event::Start => self.start(now, effects),
            Event::Claimed { step } => self.claimed(step, now, effects),
            Event::Succeeded { step, attempt, result, metadata } => {
                self.check_running(step, attempt)?;
                self.succeeded(step, result, metadata, now, effects);
                Ok(())
            }
            Event::Failed { step, attempt, failure, random } => {
                self.check_running(step, attempt)?;
                self.failed(step, failure, random, now, effects);
                Ok(())
            }
            Event::Interrupted { step, attempt, may_repeat, error } => {
                self.check_running(step, attempt)?;
                self.interrupted(step, may_repeat, error, now, effects);
                Ok(())
            }
            Event::Checkpointed { step, attempt, checkpoint } => {
                self.check_running(step, attempt)?;
                self.steps[step as usize].record.checkpoint = Some(checkpoint);
                effects.push(Effect::Checkpoint { step });
                Ok(())
            }
            Event::RetryDue { step } => self.retry_due(step, now, effects),
            Event::Signal { step, payload } => self.signal(step, payload, now, effects),
            Event::SignalOverdue { step } => self.signal_overdue(step, now, effects),
            Event::LimitReached { limit } => {
                self.limit_reached(limit, now, effects);
                Ok(())
            }
            Event::Reset { step } => self.reset(step, now, effects),
            Event::Complete { step, result } => self.complete_by_hand(step, result, now, effects),
            Event::Resolve { step } => self.resolve_by_hand(step, now, effects),
            Event::GiveUp => self.end_by_hand(T::GiveUp, Cause::GivenUp, now, effects),
            Event::ResolveTask => self.end_by_hand(T::ManualResolution, Cause::ResolvedByHand, now, effects),
            Event::Cancel => self.cancel(now, effects),
        }
    }

    fn start(&mut self, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let mut path = Path::from(self.state);
        self.move_task(&mut path, T::Start)?;
        (self.created_at, self.entered_at) = (now, now);
        if self.counts.open == 0 {
            self.expect_move(&mut path, T::NoStepsFound);
            self.arrived(path, Cause::Submitted, now, effects);
            return Ok(());
        }
        let place = effects.len();
        self.start_due(now, effects);
        let walk: &[T] = match self.counts.ready {
            // Whatever it begins with waits for a signal.
            0 => &[T::NoDependenciesReady],
            _ => &[T::ReadyStepsFound, T::StepsEnqueued],
        };
        for &event in walk {
            self.expect_move(&mut path, event);
        }
        effects.insert(place, Effect::Task { path, cause: Cause::Submitted });
        self.remind(now, effects);
        Ok(())
    }

    fn claimed(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let row = &mut self.steps[step as usize];
        if !row.is_ready() {
            return Err(Refusal::NotReady { step });
        }
        row.standing = Standing::Idle;
        row.record.attempts = row.record.attempts.saturating_add(1);
        row.record.started_at = now;
        self.counts.ready -= 1;
        self.counts.running += 1;
        let walk: &[StepEvent] = match row.record.state {
            StepState::WaitingForRetry => &[S::Retry, S::Enqueue, S::Start],
            _ => &[S::Enqueue, S::Start],
        };
        self.walk_step(step, walk, Cause::Claimed, effects);
        Ok(())
    }

    fn succeeded(
        &mut self,
        step: u32,
        result: Arc<str>,
        metadata: Option<Arc<str>>,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) {
        let growth = self.growth_by(step, Some(&result));
        self.end_attempt(step, now);
        let row = &mut self.steps[step as usize].record;
        row.interrupted_in_a_row = 0;
        row.metadata = metadata;
        match growth {
            Ok(growth) => {
                row.result = Some(result);
                row.error = None;
                self.walk_step(step, &[S::EnqueueForOrchestration, S::Complete], Cause::Succeeded, effects);
                self.satisfied(step, growth, now, effects);
                self.settle(Cause::Succeeded, now, effects);
            }
            Err(message) => {
                row.error = Some(permanent_error(&message));
                self.walk_step(step, &[S::EnqueueForOrchestration, S::Fail], Cause::Failed, effects);
                self.failed_for_good(step, now, effects);
                self.settle(Cause::Failed, now, effects);
            }
        }
    }

    fn failed(&mut self, step: u32, failure: Failure, random: u64, now: Micros, effects: &mut Vec<Effect>) {
        let policy = self.rules(step).retry;
        let row = &mut self.steps[step as usize].record;
        row.error = Some(failure.error);
        row.interrupted_in_a_row = 0;
        let failures = row.counted_attempts();
        let again = failure.retryable && policy.retryable && failures < policy.max_attempts;
        let delay_ms = policy.jittered_ms(failures, failure.retry_after_ms, random);
        self.end_attempt(step, now);
        if again {
            let at = now + delay_ms as i64 * 1000;
            self.steps[step as usize].record.retry_at = at;
            self.counts.retrying += 1;
            self.walk_step(step, &[S::EnqueueAsErrorForOrchestration, S::WaitForRetry], Cause::Failed, effects);
            effects.push(Effect::RetryAt { step, at });
            self.release_held(step, effects);
        } else {
            self.walk_step(step, &[S::EnqueueAsErrorForOrchestration, S::Fail], Cause::Failed, effects);
            self.failed_for_good(step, now, effects);
        }
        self.settle(Cause::Failed, now, effects);
    }

    fn interrupted(&mut self, step: u32, may_repeat: bool, error: Arc<str>, now: Micros, effects: &mut Vec<Effect>) {
        let repeatable = may_repeat || self.rules(step).retry.retryable;
        let row = &mut self.steps[step as usize].record;
        row.error = Some(error);
        row.uncounted = row.uncounted.saturating_add(1);
        row.interrupted_in_a_row = row.interrupted_in_a_row.saturating_add(1);
        let again = repeatable && row.interrupted_in_a_row < MAX_INTERRUPTIONS_IN_A_ROW;
        self.end_attempt(step, now);
        if again {
            self.steps[step as usize].record.retry_at = now;
            let walk = [S::EnqueueAsErrorForOrchestration, S::WaitForRetry, S::Retry];
            self.walk_step(step, &walk, Cause::Interrupted, effects);
            self.start_step(step, now, effects);
        } else {
            self.walk_step(step, &[S::EnqueueAsErrorForOrchestration, S::Fail], Cause::Interrupted, effects);
            self.failed_for_good(step, now, effects);
        }
        self.settle(Cause::Interrupted, now, effects);
    }

    fn retry_due(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let row = &self.steps[step as usize];
        if row.record.state != StepState::WaitingForRetry || row.standing != Standing::Idle {
            return Err(Refusal::NotReady { step });
        }
        self.counts.retrying -= 1;
        let place = effects.len();
        self.start_step(step, now, effects);
        if !self.made_ready {
            // Others of its batch keep it.
            self.settle(Cause::RetryDue, now, effects);
            return Ok(());
        }
        let mut path = Path::from(self.state);
        self.wake(&mut path);
        if path.moved() {
            effects.insert(place, Effect::Task { path, cause: Cause::RetryDue });
            self.entered_at = now;
            self.remind(now, effects);
        }
        Ok(())
    }

    fn check_running(&self, step: u32, attempt: u16) -> Result<(), Refusal> {
        match self.steps.get(step as usize) {
            Some(row) if row.record.state == StepState::InProgress && row.record.attempts == attempt => Ok(()),
            _ => Err(Refusal::Late { step, attempt }),
        }
    }

    fn end_attempt(&mut self, step: u32, now: Micros) {
        self.counts.running -= 1;
        self.steps[step as usize].record.finished_at = now;
        if let Some(batch) = self.batch_of_worker(step) {
            batch.active -= 1;
        }
    }

    pub(super) fn make_ready(&mut self, step: u32, effects: &mut Vec<Effect>) {
        self.steps[step as usize].standing = Standing::Ready;
        self.counts.ready += 1;
        self.made_ready = true;
        effects.push(Effect::Ready { step });
    }

    pub(super) fn walk_step(&mut self, step: u32, walk: &[StepEvent], cause: Cause, effects: &mut Vec<Effect>) {
        let row = &mut self.steps[step as usize].record;
        let mut path = Path::from(row.state);
        for &event in walk {
            row.state = row.state.next(event).unwrap_or_else(|refusal| unreachable!("{refusal}"));
            path.push(row.state);
        }
        effects.push(Effect::Step { step, attempt: row.attempts, path, cause });
    }
}

/// An error that no retry cures.
pub(super) fn permanent_error(message: &str) -> Arc<str> {
    serde_json::json!({"message": message, "error_type": "permanent_error", "retryable": false}).to_string().into()
}
