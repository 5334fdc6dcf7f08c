//! The worker with handlers in Rust: what the threads, the timers and the store make of the rules.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{mpsc, Arc, Barrier};
use std::time::Duration;

use tasker_engine::state::{StepState, TaskState};
use tasker_engine::task::Failure;
use tasker_engine::template::Template;
use uuid::Uuid;

use crate::by_hand::Act;
use crate::{
    Attempt, Durability, Executor, HandlerInfo, Next, Options, Parker, PlanId, Report, Retention, Run, Submission,
    Submitted, Worker, WorkerError,
};

/// A task that the calling thread carries out, with its first step.
fn run(worker: &Worker, request: Submission, parker: &Arc<Parker>) -> (Run, Option<Attempt>) {
    match worker.submit_run(request, parker).unwrap() {
        Submitted::New(run, attempt) => (run, attempt.map(|attempt| *attempt)),
        Submitted::Known(task) => panic!("the task {task} was there already"),
    }
}

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let base = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("tasker-worker-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tasker.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path, durability: Durability) -> Arc<Worker> {
    let options =
        Options { path: path.to_path_buf(), durability, threads: 4, seed: 7, retention: Retention::default() };
    Arc::new(Worker::open(&options).unwrap())
}

fn memory() -> Arc<Worker> {
    open(Path::new(""), Durability::Memory)
}

/// `"a; b: a ! timeout_seconds: 1"`: steps, what they depend on, and more keys.
fn template(spec: &str) -> Template {
    let mut yaml = String::from("name: play\nsteps:\n");
    for step in spec.split(';') {
        let (step, more) = step.split_once('!').unwrap_or((step, ""));
        let (name, needs) = step.split_once(':').unwrap_or((step, ""));
        let needs = needs.split_whitespace().collect::<Vec<_>>().join(", ");
        let name = name.trim();
        yaml.push_str(&format!("  - {{name: {name}, handler: {{callable: m.H}}, dependencies: [{needs}], {more}}}\n"));
    }
    Template::parse(&yaml, None).unwrap().0
}

fn load(worker: &Worker, spec: &str) -> PlanId {
    let template = template(spec);
    let handlers = vec![HandlerInfo { executor: Executor::Thread, idempotent: false }; template.steps.len()];
    let plan = worker.load(template, handlers).unwrap();
    worker.resume_all(plan).unwrap();
    plan
}

fn request(plan: PlanId) -> Submission {
    Submission { plan, context: r#"{"n":1}"#.into(), ..Submission::default() }
}

fn success() -> Report {
    Report::Success { result: "{}".into(), metadata: None }
}

fn failure(retryable: bool) -> Report {
    Report::Failure(Failure { error: r#"{"message":"no"}"#.into(), retryable, retry_after_ms: Some(1) })
}

fn name(attempt: &Attempt) -> String {
    attempt.template.steps[attempt.step as usize].name.clone()
}

/// Handler threads that answer each attempt by a function.
fn serve(worker: &Arc<Worker>, threads: usize, handler: impl Fn(&Attempt) -> Report + Send + Sync + 'static) {
    let handler = Arc::new(handler);
    for _ in 0..threads {
        let (worker, handler) = (Arc::clone(worker), Arc::clone(&handler));
        std::thread::spawn(move || {
            let parker = Arc::new(Parker::for_this_thread());
            let mut next = worker.take(&parker);
            while let Ok(Some(attempt)) = next {
                let report = handler(&attempt);
                next = worker.report_and_take(attempt, report, &parker);
            }
        });
    }
}

fn wait(worker: &Worker, task: Uuid) -> Arc<crate::TaskOutcome> {
    worker.wait(task, &Arc::new(Parker::for_this_thread()), None, None).unwrap()
}

fn stop(worker: &Worker) -> usize {
    worker.stop(Duration::from_secs(10), &Arc::new(Parker::for_this_thread()), None)
}

#[test]
fn tasks_run_on_handler_threads_to_their_end() {
    let folder = Folder::new();
    for durability in [Durability::Memory, Durability::Fast, Durability::Full] {
        let worker = open(&folder.file(), durability);
        let plan = load(&worker, "a; b: a; c: a; d: b c");
        serve(&worker, 3, |attempt| {
            let result = format!(r#"{{"from":"{}"}}"#, name(attempt));
            Report::Success { result: result.into(), metadata: None }
        });
        let ids = worker.submit(vec![request(plan); 50]).unwrap();
        for id in ids {
            let outcome = wait(&worker, id);
            assert_eq!(outcome.state, TaskState::Complete);
            assert_eq!(outcome.steps[3].record.result.as_deref(), Some(r#"{"from":"d"}"#));
            assert!(outcome.steps.iter().all(|step| step.record.attempts == 1));
            // the store says the same as memory did
            let stored = worker.outcome(id).unwrap();
            assert_eq!(
                (stored.state, stored.steps[3].record.result.clone()),
                (outcome.state, outcome.steps[3].record.result.clone())
            );
        }
        assert_eq!(worker.counters().unwrap().succeeded, 200);
        assert_eq!(worker.counters().unwrap().open_tasks, 0);
        stop(&worker);
    }
}

#[test]
fn the_submitting_thread_may_carry_out_the_steps_itself() {
    let worker = memory();
    let plan = load(&worker, "a; b: a; c: b");
    let parker = Arc::new(Parker::for_this_thread());
    let (run, mut next) = run(&worker, request(plan), &parker);
    let mut order = Vec::new();
    while let Some(attempt) = next {
        order.push(name(&attempt));
        next = worker.report_and_lend(attempt, success()).unwrap();
    }
    assert_eq!(order, ["a", "b", "c"]);
    let Next::End(outcome) = worker.next(&run, None, None).unwrap() else { panic!("there is a fourth step") };
    assert_eq!((outcome.state, outcome.id), (TaskState::Complete, run.task_id));
}

#[test]
fn the_lent_thread_leaves_steps_with_a_deadline_to_handler_threads() {
    let worker = memory();
    let plan = load(&worker, "a; b: a ! timeout_seconds: 60; c: b");
    serve(&worker, 1, |_| success());
    let parker = Arc::new(Parker::for_this_thread());
    let (run, first) = run(&worker, request(plan), &parker);
    let first = first.unwrap();
    assert_eq!(name(&first), "a");
    assert!(worker.report_and_lend(first, success()).unwrap().is_none());
    // `c` goes to whichever thread is there first
    let outcome = loop {
        match worker.next(&run, None, None).unwrap() {
            Next::End(outcome) => break outcome,
            Next::Attempt(attempt) => {
                assert_eq!(name(&attempt), "c");
                worker.report(*attempt, success()).unwrap();
            }
        }
    };
    assert_eq!(outcome.state, TaskState::Complete);
}

#[test]
fn a_slow_sibling_holds_nobody_up() {
    let worker = memory();
    let plan = load(&worker, "slow; quick; after: quick");
    let both_ran = Arc::new(Barrier::new(2));
    let gate = Arc::clone(&both_ran);
    // `slow` ends only when `after` has begun: with a barrier between levels this would hang
    serve(&worker, 2, move |attempt| {
        if name(attempt) != "quick" {
            gate.wait();
        }
        success()
    });
    let ids = worker.submit(vec![request(plan)]).unwrap();
    assert_eq!(wait(&worker, ids[0]).state, TaskState::Complete);
}

#[test]
fn a_failure_is_retried_and_the_trail_tells_it() {
    let worker = memory();
    let plan = load(&worker, "a");
    serve(&worker, 1, |attempt| if attempt.number < 3 { failure(true) } else { success() });
    let ids = worker.submit(vec![request(plan)]).unwrap();
    let outcome = wait(&worker, ids[0]);
    assert_eq!((outcome.state, outcome.steps[0].record.attempts), (TaskState::Complete, 3));
    let trail: Vec<String> = worker
        .trail(ids[0])
        .unwrap()
        .iter()
        .filter(|moved| moved.step.as_deref() == Some("a") && moved.attempt == 2)
        .map(|moved| format!("{} {} -> {}", moved.cause, moved.from, moved.to))
        .collect();
    assert_eq!(
        trail,
        [
            "claimed waiting_for_retry -> pending",
            "claimed pending -> enqueued",
            "claimed enqueued -> in_progress",
            "failed in_progress -> enqueued_as_error_for_orchestration",
            "failed enqueued_as_error_for_orchestration -> waiting_for_retry",
        ]
    );
}

#[test]
fn a_deadline_fails_the_attempt_frees_its_place_and_refuses_its_report() {
    let worker = memory();
    let plan = load(&worker, "a ! timeout_seconds: 0.05, retry: {max_attempts: 2, backoff: none}");
    let (release, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    serve(&worker, 2, move |attempt| {
        if attempt.number == 1 {
            // ends only when the test says so, long after the deadline
            gate.lock().unwrap().recv().unwrap();
            assert!(attempt.is_cancelled());
        }
        success()
    });
    let ids = worker.submit(vec![request(plan)]).unwrap();
    let outcome = wait(&worker, ids[0]);
    assert_eq!((outcome.state, outcome.steps[0].record.attempts), (TaskState::Complete, 2));
    assert_eq!(worker.counters().unwrap().abandoned_threads, 1);
    release.send(()).unwrap();
    assert_eq!(stop(&worker), 0);
}

#[test]
fn what_a_dead_process_left_goes_on() {
    let folder = Folder::new();
    let worker = open(&folder.file(), Durability::Full);
    let plan = load(&worker, "a; b: a; c: b");
    let (run, first) = run(&worker, request(plan), &Arc::new(Parker::for_this_thread()));
    let ids = [run.task_id];
    let second = worker.report_and_lend(first.unwrap(), success()).unwrap().unwrap();
    assert_eq!(name(&second), "b");
    // what kill -9 leaves behind
    let left = Folder::new();
    for file in ["tasker.db", "tasker.db-wal"] {
        std::fs::copy(folder.0.join(file), left.0.join(file)).unwrap();
    }
    let again = open(&left.file(), Durability::Full);
    let ran = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&ran);
    serve(&again, 1, move |attempt| {
        seen.lock().unwrap().push((name(attempt), attempt.number, attempt.counted));
        success()
    });
    load(&again, "a; b: a; c: b");
    let outcome = wait(&again, ids[0]);
    assert_eq!(outcome.state, TaskState::Complete);
    // `a` was acknowledged and does not run again; the interrupted attempt of `b` does not count
    assert_eq!(*ran.lock().unwrap(), [("b".to_string(), 2, 1), ("c".to_string(), 1, 1)]);
    let causes: Vec<_> = again.trail(ids[0]).unwrap().iter().map(|moved| moved.cause).collect();
    assert!(causes.contains(&"interrupted"));
}

#[test]
fn other_content_under_the_same_version_is_refused() {
    let worker = memory();
    load(&worker, "a");
    let changed = template("a; b");
    let handlers = vec![HandlerInfo { executor: Executor::Thread, idempotent: false }; 2];
    let error = worker.load(changed, handlers).unwrap_err();
    assert!(matches!(error, WorkerError::TemplateChanged(_)), "{error}");
}

#[test]
fn a_task_is_found_again_by_its_template_and_context() {
    let worker = memory();
    let plan = load(&worker, "a");
    let submission = Submission { continuable: true, context: r#"{"b":1.0,"a":2}"#.into(), ..request(plan) };
    let ids = worker.submit(vec![submission]).unwrap();
    assert_eq!(worker.find(plan, r#"{"a": 2, "b": 1}"#).unwrap().unwrap().id, ids[0]);
    assert!(worker.find(plan, r#"{"a": 3, "b": 1}"#).unwrap().is_none());
}

#[test]
fn stop_waits_for_running_handlers_and_keeps_their_results() {
    let folder = Folder::new();
    let worker = open(&folder.file(), Durability::Full);
    let plan = load(&worker, "a; b: a");
    let (begun, has_begun) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    serve(&worker, 1, move |_| {
        begun.send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        success()
    });
    let ids = worker.submit(vec![request(plan)]).unwrap();
    has_begun.recv().unwrap();
    // a second handler thread: it ends when the draining begins
    let idle = Arc::clone(&worker);
    let idle = std::thread::spawn(move || idle.take(&Arc::new(Parker::for_this_thread())).unwrap().is_none());
    let stopping = Arc::clone(&worker);
    let stopper = std::thread::spawn(move || stop(&stopping));
    assert!(idle.join().unwrap());
    release.send(()).unwrap();
    assert_eq!(stopper.join().unwrap(), 0);
    assert!(matches!(worker.submit(vec![request(plan)]), Err(WorkerError::Stopped)));
    let again = open(&folder.file(), Durability::Full);
    let stored = again.outcome(ids[0]).unwrap();
    assert_eq!((stored.steps[0].record.state, stored.steps[1].record.state), (StepState::Complete, StepState::Pending));
}

#[test]
fn a_cancelled_task_is_final_and_its_handler_is_told() {
    let worker = memory();
    let plan = load(&worker, "a; b: a");
    let (begun, has_begun) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let (told, was_told) = mpsc::channel();
    let gate = std::sync::Mutex::new(gate);
    serve(&worker, 1, move |attempt| {
        begun.send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        told.send(attempt.is_cancelled()).unwrap();
        success()
    });
    let ids = worker.submit(vec![request(plan)]).unwrap();
    has_begun.recv().unwrap();
    worker.act(ids[0], Act::Cancel).unwrap();
    assert_eq!(wait(&worker, ids[0]).state, TaskState::Cancelled);
    release.send(()).unwrap();
    assert!(was_told.recv().unwrap());
    stop(&worker);
    assert_eq!(worker.counters().unwrap().late_reports, 1);
}
