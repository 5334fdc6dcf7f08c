//! Properties of any task under any order of events.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::state::{StepState, TaskState};
use crate::task::*;
use crate::template::{StepKind, Template};

/// Steps of every kind, up to `most`, each depending on some of those before it.
fn templates(most: usize) -> impl Strategy<Value = Arc<Template>> {
    prop::collection::vec((any::<u64>(), 1..4u16, any::<bool>(), 0..12u8), 1..most).prop_map(|steps| {
        let mut yaml = String::from("name: random\nsteps:\n");
        let mut kinds: Vec<&str> = Vec::new();
        for (index, (bits, max_attempts, retryable, kind)) in steps.iter().enumerate() {
            // a few of the steps before this one, and never what runs on failures
            let mut needs: Vec<usize> = (0..index)
                .filter(|need| bits.rotate_left(*need as u32) & 7 == 0 && kinds[*need] != "on_failure")
                .collect();
            let batchable = (0..index).rev().find(|need| kinds[*need] == "batchable");
            let kind = match kind {
                0 | 1 if !needs.is_empty() => "decision",
                2 | 3 if !needs.is_empty() => "deferred_convergence",
                4 => "batchable",
                5 | 6 if batchable.is_some() => "batch_worker",
                7 => "wait_for_signal",
                8 if !kinds.contains(&"on_failure") => "on_failure",
                _ => "standard",
            };
            match kind {
                "batch_worker" => needs = batchable.into_iter().collect(),
                "on_failure" => needs.clear(),
                _ => {}
            }
            kinds.push(kind);
            let config = match kind {
                "batchable" => {
                    let strategy = ["continue_on_failure", "fail_fast", "isolate"][(bits % 3) as usize];
                    format!(", batch_config: {{parallelism: {}, failure_strategy: {strategy}}}", 1 + bits % 4)
                }
                _ => String::new(),
            };
            let needs: Vec<String> = needs.iter().map(|need| format!("s{need}")).collect();
            yaml.push_str(&format!(
                "  - {{name: s{index}, type: {kind}, handler: {{callable: m.H}}, dependencies: [{}], timeout_seconds: 1, retry: {{max_attempts: {max_attempts}, retryable: {retryable}}}{config}}}\n",
                needs.join(", ")
            ));
        }
        let parsed = Template::parse(&yaml, None);
        Arc::new(parsed.unwrap_or_else(|invalid| panic!("{yaml}\n{:#?}", invalid.problems)).0)
    })
}

/// What a step of its kind may answer; `bits` chooses.
fn results(task: &Task, step: u32, bits: usize) -> String {
    let template = task.template();
    match task.rules(step).kind {
        StepKind::Decision => {
            let names: Vec<&str> =
                task.rules(step).dependants.iter().map(|&at| template.steps[at as usize].name.as_str()).collect();
            let chosen: Vec<&str> = names
                .iter()
                .enumerate()
                .filter(|(place, _)| bits >> (place % 60) & 1 == 1)
                .map(|(_, name)| *name)
                .collect();
            serde_json::json!({"decision_point_outcome": {"type": "create_steps", "step_names": chosen}}).to_string()
        }
        StepKind::Batchable => {
            let below = &task.rules(step).dependants;
            let worker =
                below.iter().map(|&at| &template.steps[at as usize]).find(|step| step.kind == StepKind::BatchWorker);
            let count = bits % 5;
            let name = worker.map(|step| step.name.as_str());
            let outcome = match (count, name) {
                (0, _) | (_, None) => serde_json::json!({"type": "no_batches", "worker_template_name": name}),
                _ => {
                    serde_json::json!({"type": "create_batches", "worker_template_name": name, "cursor_configs": (0..count).map(|id| serde_json::json!({"batch_id": id})).collect::<Vec<_>>()})
                }
            };
            serde_json::json!({"batch_processing_outcome": outcome}).to_string()
        }
        _ => "{}".into(),
    }
}

/// What a worker, a person or a timer could do next, given the task.
fn moves(task: &Task, bits: usize, by_hand: bool) -> Vec<Event> {
    let mut moves = Vec::new();
    for index in 0..task.steps().len() as u32 {
        let step = task.step(index);
        let attempt = step.record.attempts;
        if step.is_ready() {
            moves.push(Event::Claimed { step: index });
        }
        if step.record.state == StepState::InProgress {
            let result: Arc<str> = results(task, index, bits).into();
            for _ in 0..3 {
                moves.push(Event::Succeeded { step: index, attempt, result: Arc::clone(&result), metadata: None });
            }
            for retryable in [true, false] {
                let failure = Failure { error: "{}".into(), retryable, retry_after_ms: None };
                moves.push(Event::Failed { step: index, attempt, failure, random: 7 });
            }
            moves.push(Event::Interrupted { step: index, attempt, may_repeat: false, error: "{}".into() });
            moves.push(Event::Checkpointed { step: index, attempt, checkpoint: "{}".into() });
        }
        if step.record.state == StepState::WaitingForRetry && step.standing == Standing::Idle {
            moves.push(Event::RetryDue { step: index });
        }
        if step.standing == Standing::Awaiting {
            moves.push(Event::Signal { step: index, payload: "{}".into() });
            moves.push(Event::SignalOverdue { step: index });
        }
        if by_hand && step.created && !step.record.state.is_terminal() && !task.state().is_terminal() {
            moves.push(Event::Complete { step: index, result: results(task, index, bits).into() });
            moves.push(Event::Resolve { step: index });
            if step.record.state == StepState::Error {
                moves.push(Event::Reset { step: index });
            }
        }
    }
    moves
}

/// What the store would have of a task.
fn saved(task: &Task, growths: &[Growth]) -> Saved {
    let records = task.steps().iter().zip(0..).map(|(step, place)| (place, step.record.clone()));
    let moved = records.filter(|(_, record)| *record != Record::default()).collect();
    Saved { created_at: 0, entered_at: 0, records: moved, growths: growths.to_vec() }
}

fn play(template: Arc<Template>, choices: Vec<(Index, usize)>, by_hand: bool) -> Result<(), TestCaseError> {
    let mut task = Task::new(Arc::clone(&template));
    let (mut effects, mut growths) = (Vec::new(), Vec::new());
    task.apply(Event::Start, 1, &mut effects).unwrap();
    for (now, (choice, bits)) in (2..).zip(&choices) {
        let moves = moves(&task, *bits, by_hand);
        if moves.is_empty() {
            break;
        }
        let event = choice.get(&moves).clone();
        effects.clear();
        match task.apply(event.clone(), now, &mut effects) {
            Ok(()) => {}
            // What joins a batch may have started, and a result may be one that can't be followed.
            Err(Refusal::Unfit(_)) if by_hand => prop_assert!(effects.is_empty()),
            Err(refusal) => return Err(TestCaseError::fail(format!("{event:?}: {refusal}"))),
        }
        growths.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Growth(growth) => Some((**growth).clone()),
            _ => None,
        }));
        check_steps(&task, by_hand)?;

        // what is counted along is what counting again finds
        let mut again = task.clone();
        again.recount();
        prop_assert_eq!(again.counts, task.counts, "after {:?}", event);
        prop_assert_eq!(&again.batches, &task.batches);
        prop_assert!(again
            .steps
            .iter()
            .zip(&task.steps)
            .all(|(a, b)| a.waiting_on == b.waiting_on || b.worker.is_some()));
        if task.ready() + task.running() > 0 {
            prop_assert_eq!(task.state(), TaskState::StepsInProcess);
        }

        // what the store kept makes the same task
        let restored = Task::restore(Arc::clone(&template), task.state(), saved(&task, &growths), now, &mut Vec::new());
        let shape = |task: &Task| {
            task.steps().iter().map(|step| (step.record.clone(), step.created, step.of)).collect::<Vec<_>>()
        };
        prop_assert_eq!(shape(&restored), shape(&task));
        prop_assert_eq!((restored.counts.open, restored.counts.failed), (task.counts.open, task.counts.failed));
        let standing = |task: &Task| {
            let pending = task.steps().iter().filter(|step| step.record.state == StepState::Pending);
            pending.filter(|step| step.worker.is_none()).map(|step| step.standing).collect::<Vec<_>>()
        };
        prop_assert_eq!(standing(&restored), standing(&task), "after {:?}", event);
    }
    if moves(&task, 0, false).is_empty() {
        prop_assert!(
            task.state().is_final(),
            "{} has nothing to do and does not say so\n{}",
            task.state(),
            picture(&task)
        );
        if !by_hand {
            let complete = task.counts.open == 0;
            prop_assert_eq!(task.state() == TaskState::Complete, complete);
        }
    }
    Ok(())
}

/// The steps of a task, a line each: for people who read a failure.
fn picture(task: &Task) -> String {
    let line = |place: u32| {
        let (step, rules) = (task.step(place), task.rules(place));
        let needs: Vec<_> = rules.dependencies.iter().map(|&need| format!("s{need}")).collect();
        let (created, state, standing) = (step.created, step.record.state, step.standing);
        format!(
            "{} {} [{}] created={created} {state} {standing:?} {:?}\n",
            task.name(place),
            rules.kind,
            needs.join(" "),
            step.record.result
        )
    };
    (0..task.steps().len() as u32).map(line).collect()
}

fn check_steps(task: &Task, by_hand: bool) -> Result<(), TestCaseError> {
    for index in 0..task.steps().len() as u32 {
        let (step, rules) = (task.step(index), task.rules(index));
        let began = step.record.attempts > 0 || step.is_ready();
        prop_assert!(step.created || !began, "a step that does not exist began");
        if rules.kind != StepKind::DeferredConvergence && !by_hand {
            let satisfied = rules.dependencies.iter().all(|&need| task.is_satisfied(need));
            prop_assert!(!began || satisfied, "a step began before its dependencies were done");
        }
        prop_assert!(step.record.counted_attempts() <= rules.retry.max_attempts);
        prop_assert!(step.record.interrupted_in_a_row <= MAX_INTERRUPTIONS_IN_A_ROW);
    }
    for batch in &task.batches {
        let active = batch
            .workers
            .clone()
            .filter(|&worker| task.step(worker).is_ready() || task.step(worker).record.state == StepState::InProgress);
        prop_assert!(active.count() <= 4, "more workers than the batch may have at a time");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_play_keeps_the_rules_and_comes_to_an_end(template in templates(20), choices in prop::collection::vec(any::<(Index, usize)>(), 400)) {
        play(template, choices, false)?;
    }

    #[test]
    fn a_person_who_interferes_breaks_no_rule(template in templates(14), choices in prop::collection::vec(any::<(Index, usize)>(), 200)) {
        play(template, choices, true)?;
    }
}
