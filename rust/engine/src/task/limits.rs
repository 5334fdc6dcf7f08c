//! How long a task may take, in all and in some of its states.

use super::{Cause, Effect, Task};
use crate::state::table::{named, Path};
use crate::state::{TaskEvent as T, TaskState};
use crate::template::Staleness;
use crate::Micros;

named! {
    /// What of a task is limited in time.
    Limit {
        Duration = "max_duration_minutes",
        WaitingForDependencies = "max_waiting_for_dependencies_minutes",
        WaitingForRetry = "max_waiting_for_retry_minutes",
        StepsInProcess = "max_steps_in_process_minutes",
    }
}

/// For which limits a reminder is on its way. A state is entered often, and one reminder serves all entries: it is asked for again when it comes early.
#[derive(Debug, Default, Clone)]
pub(super) struct Reminded([bool; Limit::ALL.len()]);

impl Task {
    /// Asks to be reminded of the limits that hold now.
    pub(super) fn remind(&mut self, now: Micros, effects: &mut Vec<Effect>) {
        for &limit in Limit::ALL {
            if self.reminded.0[limit as usize] {
                continue;
            }
            if let Some(at) = self.limit_at(limit) {
                self.reminded.0[limit as usize] = true;
                effects.push(Effect::LimitAt { limit, at: at.max(now) });
            }
        }
    }

    /// When a limit is reached if nothing moves; `None` if it does not hold now.
    fn limit_at(&self, limit: Limit) -> Option<Micros> {
        let lifecycle = &self.template.lifecycle;
        let (state, ms) = match limit {
            Limit::Duration => return Some(self.created_at + lifecycle.duration_ms? as i64 * 1000),
            Limit::WaitingForDependencies => (TaskState::WaitingForDependencies, lifecycle.waiting_for_dependencies_ms),
            Limit::WaitingForRetry => (TaskState::WaitingForRetry, lifecycle.waiting_for_retry_ms),
            Limit::StepsInProcess => (TaskState::StepsInProcess, lifecycle.steps_in_process_ms),
        };
        (self.state == state).then_some(self.entered_at + ms? as i64 * 1000)
    }

    pub(super) fn limit_reached(&mut self, limit: Limit, now: Micros, effects: &mut Vec<Effect>) {
        self.reminded.0[limit as usize] = false;
        if self.state.is_final() {
            return;
        }
        match self.limit_at(limit) {
            Some(at) if now < at => self.remind(now, effects),
            Some(_) if self.template.lifecycle.staleness != Staleness::None => self.end_stale(now, effects),
            // It goes on; once told is enough.
            Some(_) => self.reminded.0[limit as usize] = true,
            None => {}
        }
    }

    fn end_stale(&mut self, now: Micros, effects: &mut Vec<Effect>) {
        let mut path = Path::from(self.state);
        self.cancel_open(true, Cause::Stale, now, effects);
        self.wake(&mut path);
        for event in [T::StepCompleted, T::PermanentFailure, T::GiveUp] {
            self.expect_move(&mut path, event);
        }
        self.arrived(path, Cause::Stale, now, effects);
    }
}
