//! Steps that succeed, fail and are tried again.

use super::play::*;
use crate::task::{Event, Refusal, MAX_INTERRUPTIONS_IN_A_ROW};

#[test]
fn a_chain_runs_to_its_end() {
    let mut play = Play::new("a; b: a");
    assert_eq!(play.said(), [STARTED, "a ready"]);
    play.claim("a");
    assert_eq!(play.said(), [format!("a #1 claimed: {CLAIM}")]);
    play.succeed("a");
    assert_eq!(play.said(), [format!("a #1 succeeded: {SUCCESS}"), "b ready".into(), format!("task succeeded: {ON}")]);
    play.claim("b").succeed("b");
    assert_eq!(
        play.said(),
        [
            format!("b #1 claimed: {CLAIM}"),
            format!("b #1 succeeded: {SUCCESS}"),
            format!("task succeeded: {DONE}"),
            "final: complete".into()
        ]
    );
}

#[test]
fn a_step_starts_when_its_own_dependencies_are_done_whatever_its_siblings_do() {
    let mut play = Play::new("slow; quick; after: quick; join: slow after");
    play.claim("slow").claim("quick").said();
    play.succeed("quick");
    assert!(play.said().contains(&"after ready".to_string()));
    play.claim("after").said();
    play.succeed("after");
    // `slow` still runs: nothing new is ready, and the task stays where it is
    assert_eq!(play.said(), [format!("after #1 succeeded: {SUCCESS}")]);
    play.succeed("slow");
    assert!(play.said().contains(&"join ready".to_string()));
}

#[test]
fn a_failure_is_retried_after_its_delay() {
    let mut play = Play::new("a");
    play.claim("a").said();
    play.now = 5_000_000;
    play.fail("a", true);
    assert_eq!(
        play.said(),
        [
            format!("a #1 failed: {RETRY}"),
            "a again at 6000 ms".into(),
            "task failed: steps_in_process > waiting_for_retry".into()
        ]
    );
    play.retry_due("a");
    assert_eq!(play.said(), ["task retry_due: waiting_for_retry > enqueuing_steps > steps_in_process", "a ready"]);
    play.claim("a");
    assert_eq!(play.said(), ["a #2 claimed: waiting_for_retry > pending > enqueued > in_progress"]);
}

#[test]
fn attempts_run_out() {
    let mut play = Play::new("a ! max_attempts: 2; b: a");
    play.claim("a").fail("a", true).retry_due("a").claim("a").said();
    play.fail("a", true);
    assert_eq!(
        play.said(),
        [format!("a #2 failed: {ERROR}"), format!("task failed: {BLOCKED}"), "final: blocked_by_failures".into()]
    );
}

#[test]
fn a_permanent_failure_is_not_retried_and_waits_for_what_still_runs() {
    let mut play = Play::new("a; b");
    play.claim("a").claim("b").said();
    play.fail("a", false);
    assert_eq!(play.said(), [format!("a #1 failed: {ERROR}")]);
    play.succeed("b");
    assert_eq!(
        play.said(),
        [
            format!("b #1 succeeded: {SUCCESS}"),
            format!("task succeeded: {BLOCKED}"),
            "final: blocked_by_failures".into()
        ]
    );
}

#[test]
fn a_task_waits_for_its_retry_only_when_nothing_else_runs() {
    let mut play = Play::new("a; b");
    play.claim("a").claim("b").said();
    play.fail("a", true);
    assert_eq!(play.said(), [format!("a #1 failed: {RETRY}"), "a again at 1000 ms".into()]);
    play.succeed("b");
    assert_eq!(
        play.said(),
        [format!("b #1 succeeded: {SUCCESS}"), "task succeeded: steps_in_process > waiting_for_retry".into()]
    );
}

#[test]
fn an_interrupted_attempt_runs_again_at_once_and_does_not_count() {
    let mut play = Play::new("a ! max_attempts: 1");
    play.claim("a").said();
    play.interrupt("a");
    assert_eq!(
        play.said(),
        [
            "a #1 interrupted: in_progress > enqueued_as_error_for_orchestration > waiting_for_retry > pending".into(),
            "a ready".into(),
            format!("task interrupted: {ON}")
        ]
    );
    play.claim("a").succeed("a");
    assert_eq!(play.said().last().unwrap(), "final: complete");
}

#[test]
fn a_step_that_keeps_killing_its_process_fails_for_good() {
    let mut play = Play::new("a");
    for _ in 1..MAX_INTERRUPTIONS_IN_A_ROW {
        play.claim("a").interrupt("a");
        assert!(play.said().contains(&"a ready".to_string()));
    }
    play.claim("a").said();
    play.interrupt("a");
    assert_eq!(
        play.said(),
        [
            format!("a #5 interrupted: {ERROR}"),
            format!("task interrupted: {BLOCKED}"),
            "final: blocked_by_failures".into()
        ]
    );
}

#[test]
fn a_step_that_may_not_be_repeated_waits_for_a_person_after_an_interruption() {
    let mut play = Play::new("a ! retryable: false");
    play.claim("a").said();
    play.interrupt("a");
    assert_eq!(play.said()[0], format!("a #1 interrupted: {ERROR}"));
}

#[test]
fn a_late_report_is_refused_and_changes_nothing() {
    let mut play = Play::new("a");
    play.claim("a").interrupt("a").claim("a").said();
    let late = Event::Succeeded { step: 0, attempt: 1, result: "{}".into(), metadata: None };
    assert_eq!(play.apply(late), Err(Refusal::Late { step: 0, attempt: 1 }));
    assert_eq!(play.said(), Vec::<String>::new());
    play.succeed("a");
    let twice = Event::Succeeded { step: 0, attempt: 2, result: "{}".into(), metadata: None };
    assert_eq!(play.apply(twice), Err(Refusal::Late { step: 0, attempt: 2 }));
}

#[test]
fn a_step_is_claimed_once() {
    let mut play = Play::new("a; b: a");
    play.claim("a");
    assert_eq!(play.apply(Event::Claimed { step: 0 }), Err(Refusal::NotReady { step: 0 }));
    assert_eq!(play.apply(Event::Claimed { step: 1 }), Err(Refusal::NotReady { step: 1 }));
}

#[test]
fn a_cancelled_task_ends_its_steps_and_refuses_their_reports() {
    let mut play = Play::new("a; b: a");
    play.claim("a").said();
    play.apply(Event::Cancel).unwrap();
    assert_eq!(
        play.said(),
        [
            "a unwanted",
            "a #1 cancelled: in_progress > cancelled",
            "b #0 cancelled: pending > cancelled",
            "task cancelled: steps_in_process > cancelled",
            "final: cancelled"
        ]
    );
    let late = Event::Succeeded { step: 0, attempt: 1, result: "{}".into(), metadata: None };
    assert!(matches!(play.apply(late), Err(Refusal::Late { .. })));
    assert!(matches!(play.apply(Event::Cancel), Err(Refusal::Illegal(_))));
}

#[test]
fn a_template_without_steps_is_complete_at_once() {
    let mut play = Play::of("name: nothing\nsteps: []\n");
    assert_eq!(play.said(), ["task submitted: pending > initializing > complete", "final: complete"]);
}
