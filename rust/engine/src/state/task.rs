//! The state machine of a task.

use super::table::{dense, named, IllegalTransition};

named! {
    /// Where a task stands.
    TaskState {
        Pending = "pending" as b'p',
        Initializing = "initializing" as b'i',
        EnqueuingSteps = "enqueuing_steps" as b'q',
        StepsInProcess = "steps_in_process" as b's',
        EvaluatingResults = "evaluating_results" as b'v',
        WaitingForDependencies = "waiting_for_dependencies" as b'd',
        WaitingForRetry = "waiting_for_retry" as b'w',
        BlockedByFailures = "blocked_by_failures" as b'b',
        Complete = "complete" as b'c',
        Error = "error" as b'e',
        Cancelled = "cancelled" as b'k',
        ResolvedManually = "resolved_manually" as b'r',
    }
}

named! {
    /// What can happen to a task.
    TaskEvent {
        Start = "Start",
        ReadyStepsFound = "ReadyStepsFound",
        NoStepsFound = "NoStepsFound",
        NoDependenciesReady = "NoDependenciesReady",
        StepsEnqueued = "StepsEnqueued",
        EnqueueFailed = "EnqueueFailed",
        StepCompleted = "StepCompleted",
        AllStepsCompleted = "AllStepsCompleted",
        StepFailed = "StepFailed",
        AllStepsSuccessful = "AllStepsSuccessful",
        PermanentFailure = "PermanentFailure",
        DependenciesReady = "DependenciesReady",
        RetryReady = "RetryReady",
        GiveUp = "GiveUp",
        ManualResolution = "ManualResolution",
        StepReset = "StepReset",
        Cancel = "Cancel",
    }
}

use TaskEvent as E;
use TaskState as S;

/// Every pair that is allowed, but for `Cancel`, which all but the terminal states take.
#[rustfmt::skip]
pub const TABLE: &[(S, E, S)] = &[
    (S::Pending,                E::Start,               S::Initializing),
    (S::Initializing,           E::ReadyStepsFound,     S::EnqueuingSteps),
    (S::Initializing,           E::NoStepsFound,        S::Complete),
    (S::Initializing,           E::NoDependenciesReady, S::WaitingForDependencies),
    (S::EnqueuingSteps,         E::StepsEnqueued,       S::StepsInProcess),
    (S::EnqueuingSteps,         E::EnqueueFailed,       S::Error),
    (S::StepsInProcess,         E::StepCompleted,       S::EvaluatingResults),
    (S::StepsInProcess,         E::AllStepsCompleted,   S::EvaluatingResults),
    (S::StepsInProcess,         E::StepFailed,          S::WaitingForRetry),
    (S::EvaluatingResults,      E::AllStepsSuccessful,  S::Complete),
    (S::EvaluatingResults,      E::ReadyStepsFound,     S::EnqueuingSteps),
    (S::EvaluatingResults,      E::NoDependenciesReady, S::WaitingForDependencies),
    (S::EvaluatingResults,      E::PermanentFailure,    S::BlockedByFailures),
    (S::EvaluatingResults,      E::StepFailed,          S::WaitingForRetry),
    (S::WaitingForDependencies, E::DependenciesReady,   S::EvaluatingResults),
    (S::WaitingForDependencies, E::StepFailed,          S::WaitingForRetry),
    (S::WaitingForRetry,        E::RetryReady,          S::EnqueuingSteps),
    (S::BlockedByFailures,      E::GiveUp,              S::Error),
    (S::BlockedByFailures,      E::ManualResolution,    S::ResolvedManually),
    (S::BlockedByFailures,      E::StepReset,           S::EnqueuingSteps),
];

const NEXT: [[Option<S>; E::ALL.len()]; S::ALL.len()] = {
    let mut next = dense!(S, E, TABLE);
    let mut state = 0;
    while state < S::ALL.len() {
        if !S::ALL[state].is_terminal() {
            next[state][E::Cancel as usize] = Some(S::Cancelled);
        }
        state += 1;
    }
    next
};

impl TaskState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when this state does not take the event.
    #[inline]
    pub fn next(self, event: TaskEvent) -> Result<TaskState, IllegalTransition> {
        NEXT[self as usize][event as usize].ok_or(IllegalTransition {
            machine: "a task",
            state: self.name(),
            event: event.name(),
        })
    }

    /// Whether nothing can follow.
    pub const fn is_terminal(self) -> bool {
        matches!(self, S::Complete | S::Error | S::Cancelled | S::ResolvedManually)
    }

    /// Whether nothing follows by itself: what `run` and `wait` take as the end.
    pub const fn is_final(self) -> bool {
        self.is_terminal() || matches!(self, S::BlockedByFailures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(state: S, event: E) -> Option<S> {
        Some(match (state, event) {
            (S::Complete | S::Error | S::Cancelled | S::ResolvedManually, _) => return None,
            (_, E::Cancel) => S::Cancelled,
            (S::Pending, E::Start) => S::Initializing,
            (S::Initializing, E::ReadyStepsFound) => S::EnqueuingSteps,
            (S::Initializing, E::NoStepsFound) => S::Complete,
            (S::Initializing, E::NoDependenciesReady) => S::WaitingForDependencies,
            (S::EnqueuingSteps, E::StepsEnqueued) => S::StepsInProcess,
            (S::EnqueuingSteps, E::EnqueueFailed) => S::Error,
            (S::StepsInProcess, E::StepCompleted | E::AllStepsCompleted) => S::EvaluatingResults,
            (S::StepsInProcess, E::StepFailed) => S::WaitingForRetry,
            (S::EvaluatingResults, E::AllStepsSuccessful) => S::Complete,
            (S::EvaluatingResults, E::ReadyStepsFound) => S::EnqueuingSteps,
            (S::EvaluatingResults, E::NoDependenciesReady) => S::WaitingForDependencies,
            (S::EvaluatingResults, E::PermanentFailure) => S::BlockedByFailures,
            (S::EvaluatingResults, E::StepFailed) => S::WaitingForRetry,
            (S::WaitingForDependencies, E::DependenciesReady) => S::EvaluatingResults,
            (S::WaitingForDependencies, E::StepFailed) => S::WaitingForRetry,
            (S::WaitingForRetry, E::RetryReady) => S::EnqueuingSteps,
            (S::BlockedByFailures, E::GiveUp) => S::Error,
            (S::BlockedByFailures, E::ManualResolution) => S::ResolvedManually,
            (S::BlockedByFailures, E::StepReset) => S::EnqueuingSteps,
            _ => return None,
        })
    }

    #[test]
    fn every_pair_of_state_and_event_is_as_the_rules_say() {
        let mut pairs = 0;
        for &state in S::ALL {
            for &event in E::ALL {
                assert_eq!(state.next(event).ok(), expected(state, event), "{state} + {event}");
                pairs += 1;
            }
        }
        assert_eq!(pairs, 12 * 17);
    }

    #[test]
    fn codes_and_names_come_back() {
        for &state in S::ALL {
            assert_eq!(S::from_code(state.code()), Some(state));
            assert_eq!(S::from_name(state.name()), Some(state));
        }
    }
}
