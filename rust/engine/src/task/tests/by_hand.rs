//! What a person does: run a step again, complete it, resolve it, give a task up.

use super::play::*;
use crate::state::TaskState;
use crate::task::{Event, Refusal};

#[test]
fn a_reset_step_has_all_its_attempts_again() {
    let mut play = Play::new("a ! max_attempts: 2; b: a");
    play.claim("a").fail("a", true).retry_due("a").claim("a").fail("a", true).said();
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    play.apply(Event::Reset { step: 0 }).unwrap();
    assert_eq!(
        play.said(),
        [
            "a #2 reset: error > pending",
            "a ready",
            "task reset: blocked_by_failures > enqueuing_steps > steps_in_process"
        ]
    );
    play.claim("a").fail("a", true);
    assert_eq!(play.task.state(), TaskState::WaitingForRetry);
    play.retry_due("a").run("a").run("b");
    assert_eq!(play.task.state(), TaskState::Complete);
}

#[test]
fn a_step_that_waits_for_its_retry_can_be_run_at_once() {
    let mut play = Play::new("a");
    play.claim("a").fail("a", true).said();
    play.apply(Event::Reset { step: 0 }).unwrap();
    assert_eq!(
        play.said(),
        [
            "a #1 reset: waiting_for_retry > pending",
            "a ready",
            "task reset: waiting_for_retry > enqueuing_steps > steps_in_process"
        ]
    );
    assert_eq!(play.apply(Event::RetryDue { step: 0 }), Err(Refusal::NotReady { step: 0 }));
}

#[test]
fn only_a_step_that_failed_can_be_reset() {
    let mut play = Play::new("a; b: a");
    for step in [0, 1] {
        let refusal = play.apply(Event::Reset { step }).unwrap_err();
        assert!(refusal.to_string().contains("is pending; only a step that failed can be run again"), "{refusal}");
    }
    play.run("a").run("b");
    let refusal = play.apply(Event::Reset { step: 0 }).unwrap_err();
    assert_eq!(refusal.to_string(), "the task is complete");
}

#[test]
fn a_failed_step_is_completed_by_hand_with_a_result() {
    let mut play = Play::new("a; b: a");
    play.claim("a").fail("a", false).said();
    play.apply(Event::Complete { step: 0, result: r#"{"x":1}"#.into() }).unwrap();
    assert_eq!(
        play.said(),
        [
            "a #1 completed_by_hand: error > complete",
            "b ready",
            "task completed_by_hand: blocked_by_failures > enqueuing_steps > steps_in_process"
        ]
    );
    assert_eq!(play.task.step(0).record.result.as_deref(), Some(r#"{"x":1}"#));
    let again = play.apply(Event::Complete { step: 0, result: "{}".into() }).unwrap_err();
    assert_eq!(again.to_string(), "step `a` is complete already");
}

#[test]
fn a_running_step_that_is_completed_by_hand_is_unwanted_and_its_report_late() {
    let mut play = Play::new("a");
    play.claim("a").said();
    play.apply(Event::Complete { step: 0, result: "{}".into() }).unwrap();
    assert_eq!(
        play.said(),
        [
            "a unwanted".to_string(),
            "a #1 completed_by_hand: in_progress > complete".into(),
            format!("task completed_by_hand: {DONE}"),
            "final: complete".into()
        ]
    );
    let late = Event::Succeeded { step: 0, attempt: 1, result: "{}".into(), metadata: None };
    assert_eq!(play.apply(late), Err(Refusal::Late { step: 0, attempt: 1 }));
}

#[test]
fn resolving_the_last_failed_step_completes_the_task() {
    let mut play = Play::new("a; b");
    play.claim("a").fail("a", false).claim("b").fail("b", false).said();
    play.apply(Event::Resolve { step: 0 }).unwrap();
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    assert!(play.said().contains(&"final: blocked_by_failures".to_string()));
    play.apply(Event::Resolve { step: 1 }).unwrap();
    assert_eq!(
        play.said(),
        [
            "b #1 resolved_by_hand: error > resolved_manually",
            "task resolved_by_hand: blocked_by_failures > enqueuing_steps > steps_in_process > evaluating_results > complete",
            "final: complete"
        ]
    );
}

#[test]
fn a_blocked_task_is_given_up_or_resolved_as_a_whole_and_no_other() {
    for (event, state) in [(Event::GiveUp, TaskState::Error), (Event::ResolveTask, TaskState::ResolvedManually)] {
        let mut play = Play::new("a; b: a");
        assert!(matches!(play.apply(event.clone()), Err(Refusal::Illegal(_))));
        play.claim("a").fail("a", false).said();
        play.apply(event).unwrap();
        assert_eq!(play.task.state(), state);
        let said = play.said();
        assert!(said[0].starts_with("b #0") && said[0].ends_with("pending > cancelled"), "{said:?}");
        assert_eq!(said.last().unwrap(), &format!("final: {state}"));
        assert!(play.apply(Event::Reset { step: 0 }).is_err());
    }
}

const COMPENSATED: &str = "
name: order
steps:
  - {name: charge, handler: {callable: m.H}, timeout_seconds: 1, retry: {max_attempts: 1}}
  - {name: ship, handler: {callable: m.H}, dependencies: [charge], timeout_seconds: 1, retry: {max_attempts: 1}}
  - {name: refund, type: on_failure, handler: {callable: m.H}, timeout_seconds: 1}
";

#[test]
fn the_step_for_failures_runs_before_the_task_is_blocked() {
    let mut play = Play::of(COMPENSATED);
    play.run("charge").claim("ship").said();
    play.fail("ship", true);
    assert_eq!(
        play.said(),
        [
            format!("ship #1 failed: {ERROR}"),
            "refund creates refund".into(),
            "refund ready".into(),
            format!("task failed: {ON}")
        ]
    );
    play.run("refund");
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    let ship = play.index("ship");
    play.apply(Event::Reset { step: ship }).unwrap();
    play.claim("ship").fail("ship", true);
    // it has done its work; a second time would undo what was undone
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
}

#[test]
fn the_step_for_failures_stays_out_of_a_task_without_any() {
    let mut play = Play::of(COMPENSATED);
    play.run("charge").run("ship");
    assert_eq!(play.task.state(), TaskState::Complete);
    assert_eq!(play.task.find("refund"), None);
}
