//! The rules: which event moves what.

use super::{Cause, Effect, Event, Failure, Refusal, Task, MAX_INTERRUPTIONS_IN_A_ROW};
use crate::state::table::Path;
use crate::state::{StepEvent, StepState, TaskEvent, TaskState};
use crate::Micros;

use StepEvent as S;
use TaskEvent as T;

impl Task {
    /// Takes an event at a time and appends what follows to `effects`.
    ///
    /// # Errors
    /// [`Refusal`], with task and effects untouched.
    pub fn apply(&mut self, event: Event, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        match event {
            Event::Start => self.start(effects),
            Event::Claimed { step } => self.claimed(step, now, effects),
            Event::Succeeded { step, attempt, result, metadata } => {
                self.check_running(step, attempt)?;
                let row = &mut self.steps[step as usize];
                row.result = Some(result);
                row.metadata = metadata;
                row.error = None;
                row.interrupted_in_a_row = 0;
                self.end_attempt(step, now);
                self.walk_step(step, &[S::EnqueueForOrchestration, S::Complete], Cause::Succeeded, effects);
                let made_ready = self.satisfy(step, effects);
                self.settle(made_ready > 0, Cause::Succeeded, effects);
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
            Event::RetryDue { step } => self.retry_due(step, effects),
            Event::Cancel => self.cancel(now, effects),
        }
    }

    fn start(&mut self, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let mut path = Path::from(self.state);
        self.move_task(&mut path, T::Start)?;
        let roots: Vec<u32> =
            (0..self.steps.len() as u32).filter(|&step| self.steps[step as usize].waiting_on == 0).collect();
        if roots.is_empty() {
            self.expect_move(&mut path, T::NoStepsFound);
            effects.push(Effect::Task { path, cause: Cause::Submitted });
            effects.push(Effect::Final(self.state));
            return Ok(());
        }
        self.expect_move(&mut path, T::ReadyStepsFound);
        self.expect_move(&mut path, T::StepsEnqueued);
        effects.push(Effect::Task { path, cause: Cause::Submitted });
        for step in roots {
            self.make_ready(step, effects);
        }
        Ok(())
    }

    fn claimed(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let row = &mut self.steps[step as usize];
        if !row.ready {
            return Err(Refusal::NotReady { step });
        }
        row.ready = false;
        row.attempts = row.attempts.saturating_add(1);
        row.started_at = now;
        self.counts.ready -= 1;
        self.counts.running += 1;
        let walk: &[StepEvent] = match row.state {
            StepState::WaitingForRetry => {
                self.counts.retrying -= 1;
                &[S::Retry, S::Enqueue, S::Start]
            }
            _ => &[S::Enqueue, S::Start],
        };
        self.walk_step(step, walk, Cause::Claimed, effects);
        Ok(())
    }

    fn failed(&mut self, step: u32, failure: Failure, random: u64, now: Micros, effects: &mut Vec<Effect>) {
        let policy = self.template.steps[step as usize].retry;
        let row = &mut self.steps[step as usize];
        row.error = Some(failure.error);
        row.interrupted_in_a_row = 0;
        let failures = row.counted_attempts();
        let again = failure.retryable && policy.retryable && failures < policy.max_attempts;
        let delay_ms = policy.jittered_ms(failures, failure.retry_after_ms, random);
        self.end_attempt(step, now);
        if again {
            self.retry_at(step, now + delay_ms as i64 * 1000, Cause::Failed, effects);
        } else {
            self.fail_for_good(step, Cause::Failed, effects);
        }
        self.settle(false, Cause::Failed, effects);
    }

    fn interrupted(
        &mut self,
        step: u32,
        may_repeat: bool,
        error: std::sync::Arc<str>,
        now: Micros,
        effects: &mut Vec<Effect>,
    ) {
        let repeatable = may_repeat || self.template.steps[step as usize].retry.retryable;
        let row = &mut self.steps[step as usize];
        row.error = Some(error);
        row.interrupted = row.interrupted.saturating_add(1);
        row.interrupted_in_a_row = row.interrupted_in_a_row.saturating_add(1);
        let again = repeatable && row.interrupted_in_a_row < MAX_INTERRUPTIONS_IN_A_ROW;
        self.end_attempt(step, now);
        if again {
            self.steps[step as usize].retry_at = now;
            let walk = [S::EnqueueAsErrorForOrchestration, S::WaitForRetry, S::Retry];
            self.walk_step(step, &walk, Cause::Interrupted, effects);
            self.make_ready(step, effects);
        } else {
            self.fail_for_good(step, Cause::Interrupted, effects);
        }
        self.settle(again, Cause::Interrupted, effects);
    }

    fn retry_due(&mut self, step: u32, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let row = &self.steps[step as usize];
        if row.state != StepState::WaitingForRetry || row.ready {
            return Err(Refusal::NotReady { step });
        }
        if self.state == TaskState::WaitingForRetry {
            let mut path = Path::from(self.state);
            self.expect_move(&mut path, T::RetryReady);
            self.expect_move(&mut path, T::StepsEnqueued);
            effects.push(Effect::Task { path, cause: Cause::RetryDue });
        }
        self.make_ready(step, effects);
        Ok(())
    }

    fn cancel(&mut self, now: Micros, effects: &mut Vec<Effect>) -> Result<(), Refusal> {
        let mut path = Path::from(self.state);
        self.move_task(&mut path, T::Cancel)?;
        for step in 0..self.steps.len() as u32 {
            let row = &mut self.steps[step as usize];
            if row.state.is_terminal() {
                continue;
            }
            row.ready = false;
            row.finished_at = now;
            self.walk_step(step, &[S::Cancel], Cause::Cancelled, effects);
        }
        self.counts = super::Counts::default();
        effects.push(Effect::Task { path, cause: Cause::Cancelled });
        effects.push(Effect::Final(self.state));
        Ok(())
    }

    fn check_running(&self, step: u32, attempt: u16) -> Result<(), Refusal> {
        let row = &self.steps[step as usize];
        if row.state == StepState::InProgress && row.attempts == attempt {
            Ok(())
        } else {
            Err(Refusal::Late { step, attempt })
        }
    }

    fn end_attempt(&mut self, step: u32, now: Micros) {
        self.counts.running -= 1;
        self.steps[step as usize].finished_at = now;
    }

    fn retry_at(&mut self, step: u32, at: Micros, cause: Cause, effects: &mut Vec<Effect>) {
        self.steps[step as usize].retry_at = at;
        self.counts.retrying += 1;
        self.walk_step(step, &[S::EnqueueAsErrorForOrchestration, S::WaitForRetry], cause, effects);
        effects.push(Effect::RetryAt { step, at });
    }

    fn fail_for_good(&mut self, step: u32, cause: Cause, effects: &mut Vec<Effect>) {
        self.counts.failed += 1;
        self.walk_step(step, &[S::EnqueueAsErrorForOrchestration, S::Fail], cause, effects);
    }

    /// Counts a satisfied step off from those that wait for it; answers how many became ready.
    fn satisfy(&mut self, step: u32, effects: &mut Vec<Effect>) -> u32 {
        self.counts.open -= 1;
        let template = std::sync::Arc::clone(&self.template);
        let mut made_ready = 0;
        for &next in &template.steps[step as usize].dependants {
            let row = &mut self.steps[next as usize];
            row.waiting_on -= 1;
            if row.waiting_on == 0 && row.state == StepState::Pending {
                self.make_ready(next, effects);
                made_ready += 1;
            }
        }
        made_ready
    }

    pub(super) fn make_ready(&mut self, step: u32, effects: &mut Vec<Effect>) {
        self.steps[step as usize].ready = true;
        self.counts.ready += 1;
        effects.push(Effect::Ready { step });
    }

    /// Moves the task to where its steps now put it. While steps run or are ready it only moves when new ones became ready.
    fn settle(&mut self, made_ready: bool, cause: Cause, effects: &mut Vec<Effect>) {
        let mut path = Path::from(self.state);
        let quiet = self.counts.running == 0 && self.counts.ready == 0;
        if self.counts.open == 0 {
            self.evaluate(&mut path, T::AllStepsCompleted);
            self.expect_move(&mut path, T::AllStepsSuccessful);
        } else if made_ready {
            self.evaluate(&mut path, T::StepCompleted);
            self.expect_move(&mut path, T::ReadyStepsFound);
            self.expect_move(&mut path, T::StepsEnqueued);
        } else if quiet && self.counts.retrying > 0 {
            self.expect_move(&mut path, T::StepFailed);
        } else if quiet && self.counts.failed > 0 {
            self.evaluate(&mut path, T::StepCompleted);
            self.expect_move(&mut path, T::PermanentFailure);
        } else {
            return;
        }
        effects.push(Effect::Task { path, cause });
        if self.state.is_final() {
            effects.push(Effect::Final(self.state));
        }
    }

    /// Goes to evaluating_results from where steps end: in process, or while the task waited for what is not a step of its own.
    fn evaluate(&mut self, path: &mut Path<TaskState>, event: TaskEvent) {
        let event = if self.state == TaskState::WaitingForDependencies { T::DependenciesReady } else { event };
        self.expect_move(path, event);
    }

    fn move_task(&mut self, path: &mut Path<TaskState>, event: TaskEvent) -> Result<(), Refusal> {
        self.state = self.state.next(event)?;
        path.push(self.state);
        Ok(())
    }

    /// A move that the rules above have made sure of.
    fn expect_move(&mut self, path: &mut Path<TaskState>, event: TaskEvent) {
        if let Err(refusal) = self.move_task(path, event) {
            unreachable!("{refusal}");
        }
    }

    fn walk_step(&mut self, step: u32, walk: &[StepEvent], cause: Cause, effects: &mut Vec<Effect>) {
        let row = &mut self.steps[step as usize];
        let mut path = Path::from(row.state);
        for &event in walk {
            row.state = row.state.next(event).unwrap_or_else(|refusal| unreachable!("{refusal}"));
            path.push(row.state);
        }
        effects.push(Effect::Step { step, attempt: row.attempts, path, cause });
    }
}
