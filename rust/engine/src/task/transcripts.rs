//! Tests that read as transcripts: given these events, these effects.

use std::sync::Arc;

use super::*;
use crate::template::Template;

/// A task, and what it said since it was last asked.
struct Play {
    task: Task,
    now: Micros,
    effects: Vec<Effect>,
}

/// `spec` names each step and what it depends on: `"a; b: a; c: a b"`. A word after `!` goes into the step's retry.
fn template(spec: &str) -> Arc<Template> {
    let mut yaml = String::from("name: play\nsteps:\n");
    for step in spec.split(';') {
        let (step, retry) = step.split_once('!').unwrap_or((step, ""));
        let (name, needs) = step.split_once(':').unwrap_or((step, ""));
        let needs = needs.split_whitespace().collect::<Vec<_>>().join(", ");
        yaml.push_str(&format!(
            "  - {{name: {}, handler: {{callable: m.H}}, dependencies: [{needs}], timeout_seconds: 1, retry: {{{retry}}}}}\n",
            name.trim()
        ));
    }
    Arc::new(Template::parse(&yaml, None).unwrap().0)
}

impl Play {
    fn new(spec: &str) -> Play {
        let mut play = Play { task: Task::new(template(spec)), now: 0, effects: Vec::new() };
        play.apply(Event::Start).unwrap();
        play
    }

    fn apply(&mut self, event: Event) -> Result<(), Refusal> {
        self.task.apply(event, self.now, &mut self.effects)
    }

    fn index(&self, name: &str) -> u32 {
        self.task.template().step_index(name).unwrap()
    }

    fn claim(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        self.apply(Event::Claimed { step }).unwrap();
        self
    }

    fn succeed(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).attempts;
        self.apply(Event::Succeeded { step, attempt, result: "{}".into(), metadata: None }).unwrap();
        self
    }

    fn fail(&mut self, name: &str, retryable: bool) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).attempts;
        let failure = Failure { error: "{}".into(), retryable, retry_after_ms: None };
        // 150 is the middle of the jitter: none
        self.apply(Event::Failed { step, attempt, failure, random: 150 }).unwrap();
        self
    }

    fn interrupt(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        let attempt = self.task.step(step).attempts;
        self.apply(Event::Interrupted { step, attempt, may_repeat: false, error: "{}".into() }).unwrap();
        self
    }

    fn retry_due(&mut self, name: &str) -> &mut Self {
        let step = self.index(name);
        self.apply(Event::RetryDue { step }).unwrap();
        self
    }

    /// The effects since the last call, a line each.
    fn said(&mut self) -> Vec<String> {
        let name = |step: u32| self.task.template().steps[step as usize].name.clone();
        self.effects
            .drain(..)
            .map(|effect| match effect {
                Effect::Step { step, attempt, path, cause } => format!("{} #{attempt} {cause}: {path}", name(step)),
                Effect::Task { path, cause } => format!("task {cause}: {path}"),
                Effect::Ready { step } => format!("{} ready", name(step)),
                Effect::RetryAt { step, at } => format!("{} again at {} ms", name(step), at / 1000),
                Effect::Final(state) => format!("final: {state}"),
            })
            .collect()
    }
}

const STARTED: &str = "task submitted: pending > initializing > enqueuing_steps > steps_in_process";
const CLAIM: &str = "pending > enqueued > in_progress";
const SUCCESS: &str = "in_progress > enqueued_for_orchestration > complete";
const RETRY: &str = "in_progress > enqueued_as_error_for_orchestration > waiting_for_retry";
const ERROR: &str = "in_progress > enqueued_as_error_for_orchestration > error";
const ON: &str = "steps_in_process > evaluating_results > enqueuing_steps > steps_in_process";
const DONE: &str = "steps_in_process > evaluating_results > complete";
const BLOCKED: &str = "steps_in_process > evaluating_results > blocked_by_failures";

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
    let empty = Template::parse("name: nothing\nsteps: []\n", None).unwrap().0;
    let mut play = Play { task: Task::new(Arc::new(empty)), now: 0, effects: Vec::new() };
    play.apply(Event::Start).unwrap();
    assert_eq!(play.said(), ["task submitted: pending > initializing > complete", "final: complete"]);
}
