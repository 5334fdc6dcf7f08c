//! The state machine of a step.

use super::table::{dense, named, IllegalTransition};

named! {
    /// Where a step stands.
    StepState {
        Pending = "pending" as b'p',
        Enqueued = "enqueued" as b'q',
        InProgress = "in_progress" as b'i',
        EnqueuedForOrchestration = "enqueued_for_orchestration" as b'o',
        EnqueuedAsErrorForOrchestration = "enqueued_as_error_for_orchestration" as b'x',
        WaitingForRetry = "waiting_for_retry" as b'w',
        Error = "error" as b'e',
        Complete = "complete" as b'c',
        Cancelled = "cancelled" as b'k',
        ResolvedManually = "resolved_manually" as b'r',
    }
}

named! {
    /// What can happen to a step.
    StepEvent {
        Enqueue = "Enqueue",
        Start = "Start",
        EnqueueForOrchestration = "EnqueueForOrchestration",
        EnqueueAsErrorForOrchestration = "EnqueueAsErrorForOrchestration",
        Complete = "Complete",
        Fail = "Fail",
        WaitForRetry = "WaitForRetry",
        Retry = "Retry",
        ResetForRetry = "ResetForRetry",
        Cancel = "Cancel",
        CompleteManually = "CompleteManually",
        ResolveManually = "ResolveManually",
    }
}

use StepEvent as E;
use StepState as S;

/// Every pair that is allowed, but for the three events that many states take; those are the rules of [`StepState::next`].
#[rustfmt::skip]
pub const TABLE: &[(S, E, S)] = &[
    (S::Pending,                         E::Enqueue,                        S::Enqueued),
    (S::Pending,                         E::Start,                          S::InProgress),
    (S::Enqueued,                        E::Start,                          S::InProgress),
    (S::InProgress,                      E::EnqueueForOrchestration,        S::EnqueuedForOrchestration),
    (S::InProgress,                      E::EnqueueAsErrorForOrchestration, S::EnqueuedAsErrorForOrchestration),
    (S::EnqueuedForOrchestration,        E::Complete,                       S::Complete),
    (S::EnqueuedForOrchestration,        E::Fail,                           S::Error),
    (S::EnqueuedAsErrorForOrchestration, E::WaitForRetry,                   S::WaitingForRetry),
    (S::EnqueuedAsErrorForOrchestration, E::Fail,                           S::Error),
    (S::EnqueuedAsErrorForOrchestration, E::Complete,                       S::Complete),
    (S::WaitingForRetry,                 E::Retry,                          S::Pending),
    (S::Error,                           E::Retry,                          S::Pending),
    (S::Error,                           E::ResetForRetry,                  S::Pending),
];

/// The table, and the rules for the events that many states take.
const NEXT: [[Option<S>; E::ALL.len()]; S::ALL.len()] = {
    let mut next = dense!(S, E, TABLE);
    let mut state = 0;
    while state < S::ALL.len() {
        if !S::ALL[state].is_terminal() {
            next[state][E::Cancel as usize] = Some(S::Cancelled);
        }
        next[state][E::CompleteManually as usize] = Some(S::Complete);
        next[state][E::ResolveManually as usize] = Some(S::ResolvedManually);
        state += 1;
    }
    next
};

impl StepState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when this state does not take the event.
    #[inline]
    pub fn next(self, event: StepEvent) -> Result<StepState, IllegalTransition> {
        NEXT[self as usize][event as usize].ok_or(IllegalTransition {
            machine: "a step",
            state: self.name(),
            event: event.name(),
        })
    }

    /// Whether nothing follows by itself.
    pub const fn is_terminal(self) -> bool {
        matches!(self, S::Complete | S::Cancelled | S::ResolvedManually)
    }

    /// Whether a step that depends on this one may start.
    pub const fn satisfies(self) -> bool {
        matches!(self, S::Complete | S::ResolvedManually)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules as the reference words them, apart from the table, so that neither can drift alone.
    fn expected(state: S, event: E) -> Option<S> {
        Some(match (state, event) {
            (S::Pending, E::Enqueue) => S::Enqueued,
            (S::Pending | S::Enqueued, E::Start) => S::InProgress,
            (S::InProgress, E::EnqueueForOrchestration) => S::EnqueuedForOrchestration,
            (S::InProgress, E::EnqueueAsErrorForOrchestration) => S::EnqueuedAsErrorForOrchestration,
            (S::EnqueuedForOrchestration | S::EnqueuedAsErrorForOrchestration, E::Complete) => S::Complete,
            (S::EnqueuedForOrchestration | S::EnqueuedAsErrorForOrchestration, E::Fail) => S::Error,
            (S::EnqueuedAsErrorForOrchestration, E::WaitForRetry) => S::WaitingForRetry,
            (S::WaitingForRetry, E::Retry) => S::Pending,
            (S::Error, E::Retry | E::ResetForRetry) => S::Pending,
            (S::Complete | S::Cancelled | S::ResolvedManually, E::Cancel) => return None,
            (_, E::Cancel) => S::Cancelled,
            (_, E::CompleteManually) => S::Complete,
            (_, E::ResolveManually) => S::ResolvedManually,
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
        assert_eq!(pairs, 10 * 12);
    }

    #[test]
    fn a_refusal_names_state_and_event() {
        let refusal = S::Complete.next(E::Start).unwrap_err();
        assert_eq!(refusal.to_string(), "a step in state complete does not take the event Start");
    }

    #[test]
    fn codes_and_names_come_back() {
        for &state in S::ALL {
            assert_eq!(S::from_code(state.code()), Some(state));
            assert_eq!(S::from_name(state.name()), Some(state));
        }
        assert_eq!(S::from_code(b'?'), None);
    }
}
