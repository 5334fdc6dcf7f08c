//! Limits of a task's lifecycle.

use super::play::*;
use crate::state::TaskState;
use crate::task::{Event, Limit};

const MINUTE: i64 = 60_000_000;

fn limited(lifecycle: &str) -> Play {
    Play::of(&format!(
        "
name: limited
lifecycle: {{{lifecycle}}}
steps:
  - {{name: a, handler: {{callable: m.H}}, timeout_seconds: 1}}
  - {{name: b, handler: {{callable: m.H}}, dependencies: [a], timeout_seconds: 1}}
"
    ))
}

#[test]
fn a_task_that_takes_too_long_ends_in_error_with_what_runs_cancelled() {
    let mut play = limited("max_duration_minutes: 5");
    assert!(play.said().contains(&"max_duration_minutes at 300000 ms".to_string()));
    play.claim("a").said();
    play.now = 5 * MINUTE;
    play.apply(Event::LimitReached { limit: Limit::Duration }).unwrap();
    assert_eq!(
        play.said(),
        [
            "a unwanted",
            "a #1 stale: in_progress > cancelled",
            "b #0 stale: pending > cancelled",
            "task stale: steps_in_process > evaluating_results > blocked_by_failures > error",
            "final: error"
        ]
    );
}

#[test]
fn a_state_that_was_left_and_entered_again_starts_its_time_anew() {
    let mut play = limited("max_waiting_for_retry_minutes: 5, staleness_action: error");
    play.claim("a").fail("a", true);
    assert!(play.said().contains(&"max_waiting_for_retry_minutes at 300000 ms".to_string()));
    play.now = 2 * MINUTE;
    play.retry_due("a").claim("a").fail("a", true);
    // one reminder is on its way, and is not asked for twice
    assert!(!play.said().iter().any(|said| said.starts_with("max_waiting")));
    play.now = 5 * MINUTE;
    play.apply(Event::LimitReached { limit: Limit::WaitingForRetry }).unwrap();
    assert_eq!(play.said(), ["max_waiting_for_retry_minutes at 420000 ms"]);
    play.now = 7 * MINUTE;
    play.apply(Event::LimitReached { limit: Limit::WaitingForRetry }).unwrap();
    assert_eq!(play.task.state(), TaskState::Error);
}

#[test]
fn a_limit_of_a_state_that_was_left_does_nothing() {
    let mut play = limited("max_steps_in_process_minutes: 1");
    play.claim("a").fail("a", true).said();
    play.now = MINUTE;
    play.apply(Event::LimitReached { limit: Limit::StepsInProcess }).unwrap();
    assert_eq!(play.said(), Vec::<String>::new());
    play.retry_due("a");
    assert!(play.said().contains(&"max_steps_in_process_minutes at 120000 ms".to_string()));
}

#[test]
fn a_task_may_be_left_to_go_on() {
    let mut play = limited("max_duration_minutes: 1, staleness_action: none");
    play.now = 3 * MINUTE;
    play.said();
    play.apply(Event::LimitReached { limit: Limit::Duration }).unwrap();
    assert_eq!(play.said(), Vec::<String>::new());
    play.run("a").run("b");
    assert_eq!(play.task.state(), TaskState::Complete);
}

#[test]
fn a_limit_that_comes_after_the_end_does_nothing() {
    let mut play = limited("max_duration_minutes: 1");
    play.run("a").run("b").said();
    play.now = MINUTE;
    play.apply(Event::LimitReached { limit: Limit::Duration }).unwrap();
    assert_eq!(play.said(), Vec::<String>::new());
}
