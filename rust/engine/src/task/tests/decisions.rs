//! Decisions: what they create, what they may not, and what joins their branches.

use super::play::*;
use crate::state::{StepState, TaskState};
use crate::task::{Event, Standing};

/// An order that is approved by nobody, one person or two; `archive` follows from the join.
const APPROVAL: &str = "
name: approval
steps:
  - {name: check, handler: {callable: m.H}, timeout_seconds: 1}
  - {name: route, type: decision, handler: {callable: m.H}, dependencies: [check], timeout_seconds: 1, retry: {max_attempts: 1}}
  - {name: auto, handler: {callable: m.H}, dependencies: [route], timeout_seconds: 1}
  - {name: manager, handler: {callable: m.H}, dependencies: [route], timeout_seconds: 1}
  - {name: finance, handler: {callable: m.H}, dependencies: [route], timeout_seconds: 1}
  - {name: sign, handler: {callable: m.H}, dependencies: [finance], timeout_seconds: 1}
  - {name: join, type: deferred_convergence, handler: {callable: m.H}, dependencies: [auto, manager, sign], timeout_seconds: 1}
  - {name: archive, handler: {callable: m.H}, dependencies: [join], timeout_seconds: 1}
  - {name: log, handler: {callable: m.H}, dependencies: [check], timeout_seconds: 1}
";

fn created(play: &Play) -> Vec<String> {
    let steps = play.task.steps().iter().zip(0..);
    steps.filter(|(step, _)| step.created).map(|(_, place)| play.task.name(place).into_owned()).collect()
}

#[test]
fn nothing_below_a_decision_exists_before_it() {
    assert_eq!(created(&Play::of(APPROVAL)), ["check", "route", "log"]);
}

#[test]
fn a_decision_creates_what_it_names_what_follows_and_what_joins() {
    let mut play = Play::of(APPROVAL);
    play.run("check").said();
    play.decide("route", &["finance"]);
    assert!(play.said().contains(&"route creates finance sign join archive".to_string()));
    assert_eq!(play.ready(), ["finance", "log"]);
    play.run("finance").run("sign");
    assert_eq!(play.ready(), ["join", "log"]);
    play.run("join").run("archive").run("log");
    assert_eq!(play.task.state(), TaskState::Complete);
    assert_eq!(play.task.step(play.task.template().step_index("auto").unwrap()).record.state, StepState::Pending);
}

#[test]
fn a_join_waits_for_the_branches_that_were_taken_alone() {
    let mut play = Play::of(APPROVAL);
    play.run("check").decide("route", &["auto", "manager"]).run("auto");
    assert_eq!(play.ready(), ["manager", "log"]);
    play.run("manager");
    assert_eq!(play.ready(), ["join", "log"]);
}

#[test]
fn without_branches_the_task_ends_without_what_joins_them() {
    for outcome in [r#"{"type":"no_branches"}"#, r#"{"type":"create_steps","step_names":[]}"#] {
        let mut play = Play::of(APPROVAL);
        let result = format!(r#"{{"decision_point_outcome":{outcome}}}"#);
        play.run("check").run("log").claim("route").succeed_with("route", &result);
        assert_eq!(play.task.state(), TaskState::Complete);
        assert_eq!(created(&play), ["check", "route", "log"]);
    }
}

#[test]
fn a_step_that_may_not_be_created_fails_the_decision_for_good_and_the_allowed_ones_are_listed() {
    for (wanted, hint) in [("managr", " (did you mean `manager`?)"), ("log", ""), ("route", ""), ("nowhere_near", "")] {
        let mut play = Play::of(APPROVAL);
        play.run("check").run("log").decide("route", &["auto", wanted]);
        let listed = "it may create: auto, manager, finance, sign, join, archive";
        let said = format!("decision step `route`: it may not create `{wanted}`{hint}; {listed}");
        assert_eq!(play.message("route"), said);
        assert_eq!(play.task.state(), TaskState::BlockedByFailures);
        assert_eq!(created(&play), ["check", "route", "log"]);
    }
}

#[test]
fn a_step_whose_dependency_will_never_exist_is_refused() {
    let mut play = Play::of(APPROVAL);
    play.run("check").decide("route", &["sign"]);
    assert!(play.message("route").contains("`sign` depends on `finance`, which neither exists nor is created with it"));
    play = Play::of(APPROVAL);
    play.run("check").decide("route", &["sign", "finance"]);
    assert_eq!(play.ready(), ["finance", "log"]);
}

#[test]
fn an_outcome_that_is_missing_or_wrong_fails_the_decision_for_good() {
    for (result, said) in [
        ("{}", "its result has no `decision_point_outcome`"),
        (r#"{"decision_point_outcome":null}"#, "its result has no `decision_point_outcome`"),
        (r#"{"decision_point_outcome":{"type":"all"}}"#, "`create_steps` or `no_branches`, not `all`"),
        (r#"{"decision_point_outcome":{"type":"create_steps","step_names":"auto"}}"#, "its `decision_point_outcome`: "),
        (r#"{"decision_point_outcome":7}"#, "its `decision_point_outcome`: "),
    ] {
        let mut play = Play::of(APPROVAL);
        play.run("check").claim("route").succeed_with("route", result);
        assert!(play.message("route").contains(said), "{}", play.message("route"));
        assert_eq!(play.task.step(play.index("route")).record.state, StepState::Error);
    }
}

/// A decision below another, and a join below both.
const NESTED: &str = "
name: nested
steps:
  - {name: a, handler: {callable: m.H}, timeout_seconds: 1}
  - {name: outer, type: decision, handler: {callable: m.H}, dependencies: [a], timeout_seconds: 1}
  - {name: quick, handler: {callable: m.H}, dependencies: [outer], timeout_seconds: 1}
  - {name: inner, type: decision, handler: {callable: m.H}, dependencies: [outer], timeout_seconds: 1}
  - {name: left, handler: {callable: m.H}, dependencies: [inner], timeout_seconds: 1}
  - {name: right, handler: {callable: m.H}, dependencies: [inner], timeout_seconds: 1}
  - {name: join, type: deferred_convergence, handler: {callable: m.H}, dependencies: [quick, left, right], timeout_seconds: 1}
";

#[test]
fn a_join_waits_while_a_decision_above_it_may_still_create_branches() {
    let mut play = Play::of(NESTED);
    play.run("a").decide("outer", &["quick", "inner"]).run("quick");
    assert_eq!(created(&play), ["a", "outer", "quick", "inner", "join"]);
    assert_eq!(play.ready(), ["inner"]);
    play.decide("inner", &["right"]);
    assert_eq!(play.ready(), ["right"]);
    play.run("right");
    assert_eq!(play.ready(), ["join"]);
    play.run("join");
    assert_eq!(play.task.state(), TaskState::Complete);
}

#[test]
fn a_join_runs_when_the_last_decision_above_it_takes_no_branch() {
    let mut play = Play::of(NESTED);
    play.run("a").decide("outer", &["quick", "inner"]).run("quick").decide("inner", &[]);
    assert_eq!(play.ready(), ["join"]);
}

#[test]
fn at_most_a_hundred_steps_are_created_at_a_time() {
    for (count, blocked) in [(100, false), (101, true)] {
        let mut yaml = String::from(
            "name: wide\nsteps:\n- {name: a, handler: {callable: m.H}}\n- {name: d, type: decision, handler: {callable: m.H}, dependencies: [a]}\n",
        );
        let names: Vec<String> = (0..count).map(|number| format!("s{number}")).collect();
        for name in &names {
            yaml.push_str(&format!("- {{name: {name}, handler: {{callable: m.H}}, dependencies: [d]}}\n"));
        }
        let mut play = Play::of(&yaml);
        play.run("a").decide("d", &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(play.task.state() == TaskState::BlockedByFailures, blocked);
    }
}

/// A person says yes before `ship`, or a day passes.
const APPROVED_BY_HAND: &str = "
name: by_hand
steps:
  - {name: pack, handler: {callable: m.H}, timeout_seconds: 1}
  - {name: approval, type: wait_for_signal, dependencies: [pack], timeout_seconds: 86400}
  - {name: ship, handler: {callable: m.H}, dependencies: [approval], timeout_seconds: 1}
";

#[test]
fn a_step_waits_for_its_signal_and_the_task_for_the_step() {
    let mut play = Play::of(APPROVED_BY_HAND);
    play.run("pack");
    assert_eq!(play.task.state(), TaskState::WaitingForDependencies);
    assert!(play.said().contains(&"approval signal by 86400000 ms".to_string()));
    let approval = play.index("approval");
    play.apply(Event::Signal { step: approval, payload: r#"{"by":"Kim"}"#.into() }).unwrap();
    assert_eq!(
        play.said(),
        [
            "approval #1 signalled: pending > enqueued > in_progress > enqueued_for_orchestration > complete",
            "ship ready",
            "task signalled: waiting_for_dependencies > evaluating_results > enqueuing_steps > steps_in_process"
        ]
    );
    assert_eq!(play.task.step(approval).record.result.as_deref(), Some(r#"{"by":"Kim"}"#));
    let twice = play.apply(Event::Signal { step: approval, payload: "{}".into() }).unwrap_err();
    assert!(twice.to_string().contains("step `approval` is complete: it has its signal"));
    let wrong = play.apply(Event::Signal { step: 0, payload: "{}".into() }).unwrap_err();
    assert!(wrong.to_string().contains("step `pack` waits for no signal"));
}

#[test]
fn a_signal_that_comes_early_is_kept() {
    let mut play = Play::of(APPROVED_BY_HAND);
    let approval = play.index("approval");
    play.apply(Event::Signal { step: approval, payload: "{}".into() }).unwrap();
    assert!(play.said().contains(&"approval kept".to_string()));
    let second = play.apply(Event::Signal { step: approval, payload: "{}".into() }).unwrap_err();
    assert!(second.to_string().contains("has a signal that it has not come to yet"));
    play.run("pack");
    assert_eq!(play.ready(), ["ship"]);
}

#[test]
fn a_signal_that_does_not_come_in_time_fails_its_step() {
    let mut play = Play::of(APPROVED_BY_HAND);
    play.run("pack");
    let approval = play.index("approval");
    play.apply(Event::SignalOverdue { step: approval }).unwrap();
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    assert!(play.message("approval").contains("no signal came within its timeout_seconds"));
    assert!(play.apply(Event::Signal { step: approval, payload: "{}".into() }).is_err());
    play.apply(Event::Reset { step: approval }).unwrap();
    assert_eq!(play.task.state(), TaskState::WaitingForDependencies);
    assert_eq!(play.task.step(approval).standing, Standing::Awaiting);
}
