//! Properties of any task under any order of events.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::template::Template;

/// A template of up to `most` steps, each depending on some of those before it.
fn templates(most: usize) -> impl Strategy<Value = Arc<Template>> {
    prop::collection::vec((any::<u64>(), 1..4u16, any::<bool>()), 1..most).prop_map(|steps| {
        let mut yaml = String::from("name: random\nsteps:\n");
        for (index, (bits, max_attempts, retryable)) in steps.iter().enumerate() {
            // a few of the steps before this one
            let needs: Vec<String> = (0..index)
                .filter(|need| bits.rotate_left(*need as u32) & 7 == 0)
                .map(|need| format!("s{need}"))
                .collect();
            yaml.push_str(&format!(
                "  - {{name: s{index}, handler: {{callable: m.H}}, dependencies: [{}], timeout_seconds: 1, retry: {{max_attempts: {max_attempts}, retryable: {retryable}}}}}\n",
                needs.join(", ")
            ));
        }
        Arc::new(Template::parse(&yaml, None).unwrap().0)
    })
}

/// What a worker could do next, given the task.
fn moves(task: &Task) -> Vec<Event> {
    let mut moves = Vec::new();
    for index in 0..task.steps().len() as u32 {
        let step = task.step(index);
        let attempt = step.attempts;
        if step.ready {
            moves.push(Event::Claimed { step: index });
        }
        if step.state == StepState::InProgress {
            moves.push(Event::Succeeded { step: index, attempt, result: "{}".into(), metadata: None });
            for retryable in [true, false] {
                let failure = Failure { error: "{}".into(), retryable, retry_after_ms: None };
                moves.push(Event::Failed { step: index, attempt, failure, random: 7 });
            }
            moves.push(Event::Interrupted { step: index, attempt, may_repeat: false, error: "{}".into() });
        }
        if step.state == StepState::WaitingForRetry && !step.ready {
            moves.push(Event::RetryDue { step: index });
        }
    }
    moves
}

fn saved(task: &Task) -> Vec<SavedStep> {
    task.steps()
        .iter()
        .zip(0..)
        .filter(|(step, _)| step.state != StepState::Pending || step.attempts > 0)
        .map(|(step, index)| SavedStep {
            index,
            state: step.state,
            attempts: step.attempts,
            interrupted: step.interrupted,
            interrupted_in_a_row: step.interrupted_in_a_row,
            started_at: step.started_at,
            finished_at: step.finished_at,
            retry_at: step.retry_at,
            result: step.result.clone(),
            error: step.error.clone(),
            metadata: step.metadata.clone(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_play_keeps_the_rules_and_comes_to_an_end(template in templates(20), choices in prop::collection::vec(any::<prop::sample::Index>(), 400)) {
        let mut task = Task::new(template.clone());
        let mut effects = Vec::new();
        task.apply(Event::Start, 0, &mut effects).unwrap();
        for (now, choice) in choices.iter().enumerate() {
            let moves = moves(&task);
            if moves.is_empty() {
                break;
            }
            let event = choice.get(&moves).clone();
            effects.clear();
            task.apply(event, now as i64, &mut effects).unwrap();

            for (step, rules) in task.steps().iter().zip(&template.steps) {
                let satisfied = rules.dependencies.iter().all(|&need| task.step(need).state.satisfies());
                prop_assert!(step.attempts == 0 || satisfied, "a step ran before its dependencies were done");
                prop_assert!(step.counted_attempts() <= rules.retry.max_attempts);
                prop_assert!(step.interrupted_in_a_row <= MAX_INTERRUPTIONS_IN_A_ROW);
                if step.state == StepState::Pending && satisfied {
                    prop_assert!(step.ready, "a step that could run is not ready");
                }
            }
            let ready = task.steps().iter().filter(|step| step.ready).count() as u32;
            let running = task.steps().iter().filter(|step| step.state == StepState::InProgress).count() as u32;
            prop_assert_eq!((task.ready(), task.running()), (ready, running));
            if ready + running > 0 {
                prop_assert_eq!(task.state(), TaskState::StepsInProcess);
            }

            // what the store kept makes the same task
            let again = Task::restore(template.clone(), task.state(), saved(&task), &mut Vec::new());
            let state = |task: &Task| task.steps().iter().map(|step| (step.state, step.waiting_on, step.attempts)).collect::<Vec<_>>();
            prop_assert_eq!(state(&again), state(&task));
            prop_assert_eq!((again.counts.open, again.counts.failed, again.counts.retrying), (task.counts.open, task.counts.failed, task.counts.retrying));
        }
        if moves(&task).is_empty() {
            prop_assert!(task.state().is_final(), "{} has nothing to do and does not say so", task.state());
            let complete = task.steps().iter().all(|step| step.state == StepState::Complete);
            prop_assert_eq!(task.state() == TaskState::Complete, complete);
        }
    }
}
