//! Batches: their workers, how many run at a time, and what a failed one means.

use super::play::*;
use crate::state::TaskState;
use crate::task::Event;

fn import(config: &str) -> Play {
    Play::of(&format!(
        "
name: import
steps:
  - {{name: count, type: batchable, handler: {{callable: m.H}}, timeout_seconds: 1, batch_config: {{{config}}}}}
  - {{name: load, type: batch_worker, handler: {{callable: m.H, initialization: {{table: rows}}}}, dependencies: [count], timeout_seconds: 1, retry: {{max_attempts: 2}}}}
  - {{name: sum, type: deferred_convergence, handler: {{callable: m.H}}, dependencies: [load], timeout_seconds: 1}}
  - {{name: mail, handler: {{callable: m.H}}, dependencies: [sum], timeout_seconds: 1}}
"
    ))
}

#[test]
fn a_batch_is_cut_into_workers_and_joined() {
    let mut play = import("");
    assert_eq!(play.ready(), ["count"]);
    play.cut("count", &["001", "002"]);
    assert!(play.said().contains(&"count creates sum + 2 workers".to_string()));
    assert_eq!(play.ready(), ["load_001", "load_002"]);
    play.run("load_002");
    assert_eq!(play.ready(), ["load_001"]);
    play.run("load_001");
    assert_eq!(play.ready(), ["sum"]);
    play.run("sum").run("mail");
    assert_eq!(play.task.state(), TaskState::Complete);
}

#[test]
fn a_worker_gets_its_cursor_over_the_configuration_of_its_template() {
    let mut play = import("cursor_field: key, failure_strategy: fail_fast");
    let cursor = r#"{"batch_id":"a","start_cursor":{"k":[1,"x"]},"end_cursor":12345678901234567890123,"batch_size":5}"#;
    let result = format!(
        r#"{{"batch_processing_outcome":{{"type":"create_batches","worker_template_name":"load","worker_count":1,"cursor_configs":[{cursor}],"total_items":5}}}}"#
    );
    play.claim("count").succeed_with("count", &result);
    let inputs = play.task.inputs(play.index("load_a")).unwrap();
    assert_eq!(
        inputs,
        format!(
            r#"{{"table":"rows","cursor":{cursor},"batch_metadata":{{"cursor_field":"key","failure_strategy":"fail_fast"}},"is_no_op":false}}"#
        )
    );
    assert_eq!(play.task.inputs(0), None);
}

#[test]
fn no_batches_are_one_worker_without_work() {
    let mut play = import("");
    play.claim("count").succeed_with("count", r#"{"batch_processing_outcome":{"type":"no_batches"}}"#);
    assert_eq!(play.ready(), ["load_000"]);
    assert!(play.task.inputs(play.index("load_000")).unwrap().contains(r#""is_no_op":true"#));
    play.run("load_000");
    assert_eq!(play.ready(), ["sum"]);
}

#[test]
fn parallelism_bounds_how_many_run_at_a_time() {
    let mut play = import("parallelism: 2");
    play.cut("count", &["1", "2", "3", "4"]);
    assert_eq!(play.ready(), ["load_1", "load_2"]);
    play.claim("load_1").claim("load_2");
    assert_eq!(play.ready(), Vec::<String>::new());
    play.succeed("load_1");
    assert_eq!(play.ready(), ["load_3"]);
    // a worker that waits for its retry leaves its place, and queues for another
    play.claim("load_3").fail("load_3", true);
    assert_eq!(play.ready(), ["load_4"]);
    play.claim("load_4").retry_due("load_3");
    assert_eq!(play.ready(), Vec::<String>::new());
    play.succeed("load_2");
    assert_eq!(play.ready(), ["load_3"]);
    play.run("load_3").succeed("load_4");
    assert_eq!(play.ready(), ["sum"]);
}

#[test]
fn continue_on_failure_joins_without_the_failed() {
    let mut play = import("failure_strategy: continue_on_failure");
    play.cut("count", &["1", "2"]).claim("load_1").fail("load_1", false);
    assert_eq!(play.ready(), ["load_2"]);
    play.run("load_2");
    assert_eq!(play.ready(), ["sum"]);
    let too_late = Event::Reset { step: play.index("load_1") };
    play.claim("sum");
    assert!(play.apply(too_late).unwrap_err().to_string().contains("has started without it"));
    play.succeed("sum").run("mail");
    assert_eq!(play.task.state(), TaskState::Complete);
}

#[test]
fn continue_on_failure_joins_even_when_all_failed() {
    let mut play = import("failure_strategy: continue_on_failure");
    play.cut("count", &["1"]).claim("load_1").fail("load_1", false);
    assert_eq!(play.ready(), ["sum"]);
}

#[test]
fn fail_fast_starts_no_more_until_a_person_has_seen_to_it() {
    let mut play = import("failure_strategy: fail_fast, parallelism: 2");
    play.cut("count", &["1", "2", "3", "4"]).claim("load_1").fail("load_1", false);
    assert_eq!(play.ready(), Vec::<String>::new());
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    let step = play.index("load_1");
    play.apply(Event::Reset { step }).unwrap();
    assert_eq!(play.ready(), ["load_1", "load_2"]);
    play.run("load_1").run("load_2").run("load_3").run("load_4");
    assert_eq!(play.ready(), ["sum"]);
}

#[test]
fn isolate_lets_the_others_run_and_the_join_wait() {
    let mut play = import("failure_strategy: isolate, parallelism: 1");
    play.cut("count", &["1", "2"]).claim("load_1").fail("load_1", false);
    assert_eq!(play.ready(), ["load_2"]);
    play.run("load_2");
    assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    let step = play.index("load_1");
    play.apply(Event::Resolve { step }).unwrap();
    assert_eq!(play.ready(), ["sum"]);
}

#[test]
fn an_outcome_that_is_missing_or_wrong_fails_the_step_for_good() {
    let outcome = |outcome: &str| format!(r#"{{"batch_processing_outcome":{outcome}}}"#);
    for (result, said) in [
        ("{}".to_string(), "its result has no `batch_processing_outcome`"),
        (outcome(r#"{"type":"some"}"#), "`create_batches` or `no_batches`, not `some`"),
        (outcome(r#"{"type":"create_batches","cursor_configs":[]}"#), "without any `cursor_configs`"),
        (outcome(r#"{"type":"create_batches","cursor_configs":[{"batch_id":"a"},{"batch_id":"a"}]}"#), "repeats `a`"),
        (outcome(r#"{"type":"create_batches","cursor_configs":[{"batch_id":[]}]}"#), "text of 1 to 200 bytes"),
        (outcome(r#"{"type":"create_batches","worker_template_name":"laod","cursor_configs":[{}]}"#), "there is: load"),
        (outcome(r#"{"type":"create_batches","cursor_configs":7}"#), "its `batch_processing_outcome`: "),
    ] {
        let mut play = import("");
        play.claim("count").succeed_with("count", &result);
        let message = play.message("count");
        assert!(message.starts_with("batchable step `count`: ") && message.contains(said), "{message}");
        assert_eq!(play.task.state(), TaskState::BlockedByFailures);
    }
}

#[test]
fn a_checkpoint_is_kept_and_moves_nothing() {
    let mut play = import("");
    play.cut("count", &["1"]).claim("load_1").said();
    let step = play.index("load_1");
    play.apply(Event::Checkpointed { step, attempt: 1, checkpoint: r#"{"cursor":5}"#.into() }).unwrap();
    assert_eq!(play.said(), ["load_1 checkpoint"]);
    play.fail("load_1", true).retry_due("load_1").claim("load_1");
    assert_eq!(play.task.step(step).record.checkpoint.as_deref(), Some(r#"{"cursor":5}"#));
    let late = Event::Checkpointed { step, attempt: 1, checkpoint: "{}".into() };
    assert!(play.apply(late).is_err());
}
