//! What the bindings call.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tasker_engine::task::{Event, Failure, Refusal, Task};
use tasker_engine::template::Template;
use tasker_engine::Micros;
use tasker_store::write::{Op, TemplateRow};
use tasker_store::{Durability, Prune, Store};
use tokio_util::time::delay_queue;
use uuid::Uuid;

use crate::commit::{CommitLog, Level, Ticket};
use crate::driver::{Driver, Timer};
use crate::error::{TemplateChange, WorkerError};
use crate::live::{Consequence, Flags, Live, Phase, Plan, Waiter};
use crate::outcome::{TaskOutcome, Transition};
use crate::parker::{Parker, Wakeup};
use crate::ready::{Executor, TaskKey};
use crate::{recover, rows, submit, threads};

/// How a worker is opened.
#[derive(Debug, Clone)]
pub struct Options {
    pub path: PathBuf,
    pub durability: Durability,
    /// Attempts that run on handler threads at a time.
    pub threads: u32,
    /// What the jitter of retries is drawn from.
    pub seed: u64,
    pub retention: Retention,
}

/// How long finished tasks are kept. Those that failures have blocked are kept until a person has seen to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    pub age: Option<Duration>,
    pub count: Option<u32>,
}

impl Retention {
    fn prune(&self) -> Option<Prune> {
        let before = self.age.map(|age| now() - age.as_micros().min(i64::MAX as u128 / 2) as i64);
        (before.is_some() || self.count.is_some()).then_some(Prune { before, keep: self.count })
    }
}

/// After so many steps have ended, old tasks go.
const PRUNE_EVERY: u64 = 1000;

/// What the worker has to know of a step's handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandlerInfo {
    pub executor: Executor,
    /// Whether running it twice is harmless, whatever `retryable` says.
    pub idempotent: bool,
}

/// A template that was loaded.
pub type PlanId = u32;

/// A step in the hands of a handler.
#[derive(Debug)]
pub struct Attempt {
    pub task: TaskKey,
    pub task_id: Uuid,
    pub plan: PlanId,
    pub step: u32,
    /// Which step of the template it is, or is made from.
    pub of: u32,
    /// The name of a batch's worker.
    pub worker_name: Option<String>,
    /// Counts every claim of the step.
    pub number: u16,
    /// Counts those that were not interrupted: what `max_attempts` is compared with.
    pub counted: u16,
    pub template: Arc<Template>,
    pub context: Arc<str>,
    /// Results of the step's own dependencies, in their order.
    pub results: Vec<Option<Arc<str>>>,
    /// Names and results of the workers among its dependencies, those that failed left out.
    pub workers: Vec<(String, Arc<str>)>,
    /// What a batch's worker is given to do, as a JSON object.
    pub inputs: Option<String>,
    /// Where an earlier run of the handler said that it was, as a JSON object.
    pub checkpoint: Option<Arc<str>>,
    timeout_ms: Option<u64>,
    flags: Arc<Flags>,
    deadline: Option<delay_queue::Key>,
    place: Place,
}

/// Where an attempt is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On a handler thread.
    Pool,
    /// On the thread of a `run`.
    Caller,
    /// On the event loop.
    Loop,
}

impl Attempt {
    /// Whether its result is not wanted any more: its deadline passed, its task was cancelled, or the engine gave up waiting.
    pub fn is_cancelled(&self) -> bool {
        self.flags.cancelled.load(Ordering::Relaxed)
    }

    /// Names an attempt on the event loop; 0 on a thread.
    pub fn serial(&self) -> u64 {
        self.flags.serial
    }

    /// The name of its step.
    pub fn step_name(&self) -> &str {
        self.worker_name.as_deref().unwrap_or(&self.template.steps[self.of as usize].name)
    }
}

/// The claim of a thread to carry out a task's steps itself, until the task's end.
#[derive(Debug)]
pub struct Run {
    pub task_id: Uuid,
    pub(crate) task: TaskKey,
    pub(crate) waiter: Arc<Waiter>,
}

/// What comes next in a [`Run`].
#[derive(Debug)]
pub enum Next {
    Attempt(Box<Attempt>),
    End(Arc<TaskOutcome>),
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum Report {
    Success {
        result: Arc<str>,
        metadata: Option<Arc<str>>,
    },
    Failure(Failure),
    /// Given back unfinished: it runs again, at once or after a restart.
    Interrupted {
        error: Arc<str>,
    },
}

/// Why a wait ended without what it waited for.
#[derive(Debug, Clone)]
pub enum Wait {
    /// Python has signal handlers to run; wait again after that.
    Signal,
    TimedOut,
    Failed(WorkerError),
}

impl From<WorkerError> for Wait {
    fn from(error: WorkerError) -> Self {
        Wait::Failed(error)
    }
}

/// Counts of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub succeeded: u64,
    pub failed: u64,
    pub in_progress: u64,
    pub late_reports: u64,
    pub open_tasks: u64,
    pub abandoned_threads: u64,
}

/// The embedded source: live tasks, their store, and the threads that serve both.
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    /// Which fork of the process opened it.
    fork: u64,
}

pub struct Shared {
    /// For the threads that it starts.
    this: Weak<Shared>,
    live: Mutex<Live>,
    log: CommitLog<Consequence>,
    driver: Mutex<Option<Driver>>,
    retention: Retention,
    /// Attempts that have ended.
    ended: AtomicU64,
    /// Held between the look for a task of the same identity and the new task's place in the queue.
    pub(crate) identities: Mutex<()>,
    flusher: OnceLock<Mutex<Option<std::thread::JoinHandle<()>>>>,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

/// How often this process is a fork of one that used a worker.
static FORKS: AtomicU64 = AtomicU64::new(0);

fn count_forks() {
    static ONCE: OnceLock<()> = OnceLock::new();
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    ONCE.get_or_init(|| {
        // SAFETY: the handler only adds to an atomic, which is allowed between fork and exec.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

pub fn now() -> Micros {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros)
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn log(&self) -> &CommitLog<Consequence> {
        &self.log
    }

    /// Queues what the lock's holder decided.
    pub fn push(&self, live: &mut Live) -> Ticket {
        live.claim_for_loop();
        let Live { ops, consequences, .. } = live;
        self.log.push(ops, consequences)
    }

    pub(crate) fn reach(&self, ticket: Ticket, level: Level) -> Result<(), WorkerError> {
        let reached = self.log.reach(ticket, level, |due| self.release(due));
        if let Err(error) = &reached {
            tracing::error!(%error, "the engine takes no more work: its database failed");
            // Nothing will ever be durable again: nobody may wait for it.
            self.lock().wake_all();
        }
        Ok(reached?)
    }

    fn release(&self, due: Vec<Consequence>) {
        if due.is_empty() {
            return;
        }
        let mut live = self.lock();
        live.release(due, now());
        let retries_wait = live.timers.has_early();
        // The end of a task lets the next of its lane begin.
        let more = !(live.ops.is_empty() && live.consequences.is_empty());
        if more {
            self.push(&mut live);
        }
        drop(live);
        if more {
            self.log.flush_later();
        }
        if retries_wait {
            self.ensure_driver();
        }
    }

    /// Takes out a few old tasks; answers whether there may be more.
    fn tidy(&self, store: &Store) -> bool {
        let Some(prune) = self.retention.prune() else { return false };
        match store.prune(prune) {
            Ok(count) => count > 0,
            Err(error) => {
                tracing::warn!(%error, "old tasks could not be taken out");
                false
            }
        }
    }

    /// A step has ended: now and then old tasks go.
    fn tidy_now_and_then(&self) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed);
        // What is old when the engine opens goes when the first step has run.
        if ended.is_multiple_of(PRUNE_EVERY) && self.retention != Retention::default() {
            self.log.tidy_later();
        }
    }

    fn ensure_driver(&self) {
        let Some(this) = self.this.upgrade() else { return };
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if driver.is_none() {
            *driver = Some(Driver::start(&this).expect("the system has a thread left for the timers"));
        }
    }

    /// A timer's time has come.
    pub fn fire(&self, mut live: MutexGuard<'_, Live>, timer: Timer) {
        match timer {
            Timer::Retry { task, step } => {
                // Refused when the task was cancelled, or the step reset, since.
                let _ = live.apply(task, Event::RetryDue { step }, now());
            }
            Timer::Begin { task } => live.begin_or_wait(task, now()),
            Timer::Signal { task, step } => {
                let _ = live.apply(task, Event::SignalOverdue { step }, now());
            }
            Timer::Limit { task, limit } => {
                let before = live.get(task).map(|found| (found.id, found.task.state()));
                let _ = live.apply(task, Event::LimitReached { limit }, now());
                let after = live.get(task).map(|found| (found.id, found.task.state()));
                if let (true, Some((id, state))) = (before != after, after) {
                    tracing::warn!(task_uuid = %id, %limit, %state, "a task reached a limit of its lifecycle");
                }
            }
            Timer::Deadline { task, step, attempt, flags } => {
                // A report would have cancelled the timer: the thread is still in its handler, and counts as lost until it comes back.
                live.inbox.revoke(&flags);
                flags.abandoned.store(true, Ordering::Relaxed);
                // A coroutine is cancelled, a thread can't be.
                live.abandoned += u32::from(flags.serial == 0);
                if let Some(found) = live.get(task) {
                    tracing::warn!(
                        task_uuid = %found.id,
                        step = %found.task.name(step),
                        attempt,
                        "an attempt ran past its deadline"
                    );
                }
                if let Some(failure) = live.get(task).map(|found| timed_out(&found.task, step)) {
                    let random = live.next_random();
                    if live.apply(task, Event::Failed { step, attempt, failure, random }, now()).is_ok() {
                        live.end_attempt(task, step);
                        self.failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
                live.wake_one();
            }
        }
        self.push(&mut live);
        drop(live);
        self.log.flush_later();
    }
}

fn timed_out(task: &Task, step: u32) -> Failure {
    let seconds = task.rules(step).timeout_ms.unwrap_or(0) as f64 / 1000.0;
    let message = format!("step `{}` did not end within its timeout_seconds ({seconds})", task.name(step));
    let error = serde_json::json!({"message": message, "error_type": "timeout", "retryable": true});
    Failure { error: error.to_string().into(), retryable: true, retry_after_ms: None }
}

impl Worker {
    /// Opens the store. Tasks that an earlier process left open are taken up when their template is loaded.
    ///
    /// # Errors
    /// What [`Store::open`] finds wrong with the file.
    pub fn open(options: &Options) -> Result<Worker, WorkerError> {
        count_forks();
        let store = Store::open(&options.path, options.durability)?;
        let shared = Arc::new_cyclic(|this| Shared {
            this: Weak::clone(this),
            live: Mutex::new(Live::new(options.threads.max(1), options.seed)),
            log: CommitLog::new(store),
            driver: Mutex::new(None),
            identities: Mutex::new(()),
            retention: options.retention,
            ended: AtomicU64::new(0),
            flusher: OnceLock::new(),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        Ok(Worker { shared, fork: FORKS.load(Ordering::Relaxed) })
    }

    /// Makes a template runnable.
    ///
    /// `handlers` has an entry a step.
    ///
    /// # Errors
    /// [`WorkerError::TemplateChanged`] when the store has other content under the same name and version.
    pub fn load(&self, template: Template, handlers: Vec<HandlerInfo>) -> Result<PlanId, WorkerError> {
        self.check_fork()?;
        let id = rows::template_id(&template.hash);
        let store = self.shared.log.read()?;
        if let Some(stored) = store.template_named(&template.namespace, &template.name, &template.version)? {
            if stored.id != id {
                let change =
                    TemplateChange { label: template.label(), stored: stored.document, given: template.document };
                return Err(WorkerError::TemplateChanged(Box::new(change)));
            }
        }
        let template = Arc::new(template);
        let plan = Arc::new(Plan { template: Arc::clone(&template), handlers });
        let mut live = self.running()?;
        let number = live.plans.len() as PlanId;
        live.plans.push(plan);
        live.ops.push(Op::Template(Box::new(TemplateRow {
            id,
            namespace: template.namespace.clone(),
            name: template.name.clone(),
            version: template.version.clone(),
            document: template.document.clone(),
            created_at: now(),
        })));
        self.shared.push(&mut live);
        drop(live);
        Ok(number)
    }

    /// Takes up the open tasks of a template that an earlier process left; answers how many.
    ///
    /// # Errors
    /// The store's.
    pub fn resume_all(&self, plan: PlanId) -> Result<usize, WorkerError> {
        self.check_fork()?;
        let resumed = recover::open_tasks(&self.shared, plan, None)?;
        self.commit_all()?;
        Ok(resumed)
    }

    /// Takes up one open task that an earlier process left, or whose steps were given back here; answers whether it was open.
    ///
    /// # Errors
    /// [`WorkerError::UnknownTask`].
    pub fn resume(&self, plan: PlanId, task: Uuid) -> Result<bool, WorkerError> {
        self.check_fork()?;
        {
            let mut live = self.running()?;
            if let Some(key) = live.by_id.get(&task).copied() {
                live.release_again(key);
                return Ok(true);
            }
        }
        let resumed = recover::open_tasks(&self.shared, plan, Some(task))? > 0;
        self.commit_all()?;
        Ok(resumed)
    }

    /// In the commit that makes steps ready, claims the first that the calling thread may carry out.
    pub(crate) fn claim_lendable(&self, live: &mut Live, key: TaskKey, now: Micros) -> Option<Attempt> {
        let found = live.get(key)?;
        let may_lend = |due: &Consequence| matches!(due, Consequence::Ready { task, step } if *task == key && found.can_lend(*step));
        let place = live.consequences.iter().position(may_lend)?;
        let Consequence::Ready { step, .. } = live.consequences.remove(place) else { return None };
        claim(live, key, step, now, Place::Caller)
    }

    /// An attempt whose claim is on disk: its deadline runs from now.
    pub(crate) fn started(&self, mut attempt: Attempt) -> Attempt {
        if let Some(timeout_ms) = attempt.timeout_ms {
            let mut live = self.shared.lock();
            if live.timers.need_driver() {
                drop(live);
                self.shared.ensure_driver();
                live = self.shared.lock();
            }
            let timer = Timer::Deadline {
                task: attempt.task,
                step: attempt.step,
                attempt: attempt.number,
                flags: Arc::clone(&attempt.flags),
            };
            attempt.deadline = live.timers.deadline(timer, timeout_ms);
        }
        attempt
    }

    /// Waits for the next step for a handler thread; `None` when there will be none: the thread ends.
    ///
    /// # Errors
    /// The store's.
    pub fn take(&self, parker: &Arc<Parker>) -> Result<Option<Attempt>, WorkerError> {
        loop {
            self.check_fork()?;
            let mut live = self.shared.lock();
            if live.phase != Phase::Running {
                return Ok(None);
            }
            if let Some(error) = self.shared.log.failure() {
                return Err(error.into());
            }
            if live.may_take() {
                if let Some((key, step)) = live.next_ready() {
                    return self.begin(live, key, step).map(Some);
                }
            }
            live.idle.push(Arc::clone(parker));
            drop(live);
            parker.wait(None, None);
        }
    }

    /// Claims a step that was ready before, and hands it out once the claim is written: a claim needs no sync of its own.
    fn begin(&self, mut live: MutexGuard<'_, Live>, key: TaskKey, step: u32) -> Result<Attempt, WorkerError> {
        let attempt = claim(&mut live, key, step, now(), Place::Pool).expect("the queue holds ready steps only");
        let ticket = self.shared.push(&mut live);
        if live.queue.front().is_some() {
            live.wake_one();
        }
        drop(live);
        self.shared.reach(ticket, Level::Written)?;
        self.ensure_flusher();
        Ok(self.started(attempt))
    }

    /// Whether a handler thread more would find work, now or when the ones there are all busy.
    pub fn wants_thread(&self, threads: u32) -> bool {
        if self.check_fork().is_err() {
            return false;
        }
        let live = self.shared.lock();
        live.phase == Phase::Running && live.idle.is_empty() && threads < live.limit + live.abandoned + 1
    }

    /// Takes in what became of an attempt on a handler thread, and answers the next step, waiting for one.
    ///
    /// # Errors
    /// The store's.
    pub fn report_and_take(
        &self,
        attempt: Attempt,
        report: Report,
        parker: &Arc<Parker>,
    ) -> Result<Option<Attempt>, WorkerError> {
        self.check_fork()?;
        let mut live = self.shared.lock();
        self.settle(&mut live, &attempt, report);
        let now = now();
        let mut next = None;
        let mut level = Level::Durable;
        if live.may_take() {
            // A step that was ready before can start beside the sync of this one's result.
            if let Some((key, step)) = live.next_ready() {
                next = claim(&mut live, key, step, now, Place::Pool);
                level = Level::Written;
            } else if let Some(place) = live.consequences.iter().position(|due| live.is_for_thread(due)) {
                let Consequence::Ready { task, step } = live.consequences.remove(place) else { unreachable!() };
                next = claim(&mut live, task, step, now, Place::Pool);
            }
        }
        let ticket = self.shared.push(&mut live);
        if live.queue.front().is_some() {
            live.wake_one();
        }
        drop(live);
        self.ensure_flusher();
        self.shared.reach(ticket, level)?;
        match next {
            Some(attempt) => Ok(Some(self.started(attempt))),
            None => self.take(parker),
        }
    }

    /// Takes in what became of an attempt on the thread of a `run`, and answers the next step of the same task that this thread may carry out at once.
    ///
    /// # Errors
    /// The store's.
    pub fn report_and_lend(&self, attempt: Attempt, report: Report) -> Result<Option<Attempt>, WorkerError> {
        self.check_fork()?;
        let mut live = self.shared.lock();
        self.settle(&mut live, &attempt, report);
        let now = now();
        let mut level = Level::Durable;
        let mut next = None;
        if live.phase == Phase::Running {
            if let Some(step) = live.next_lendable(attempt.task) {
                next = claim(&mut live, attempt.task, step, now, Place::Caller);
                level = Level::Written;
            } else {
                next = self.claim_lendable(&mut live, attempt.task, now);
            }
        }
        let ticket = self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.reach(ticket, level)?;
        Ok(next.map(|attempt| self.started(attempt)))
    }

    /// Takes in what became of an attempt, durably, and nothing else.
    ///
    /// # Errors
    /// The store's.
    pub fn report(&self, attempt: Attempt, report: Report) -> Result<(), WorkerError> {
        self.check_fork()?;
        let mut live = self.shared.lock();
        self.settle(&mut live, &attempt, report);
        let ticket = self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.reach(ticket, Level::Durable)
    }

    /// Stores how far an attempt is, durably; its time to end starts anew. Answers whether the attempt may go on: not when it is over, and not when the
    /// engine drains, for which this is the best moment to give the step back.
    ///
    /// # Errors
    /// The store's.
    pub fn checkpoint(&self, attempt: &mut Attempt, checkpoint: Arc<str>) -> Result<bool, WorkerError> {
        self.check_fork()?;
        let mut live = self.shared.lock();
        let (step, number) = (attempt.step, attempt.number);
        let event = Event::Checkpointed { step, attempt: number, checkpoint: Arc::clone(&checkpoint) };
        if live.apply(attempt.task, event, now()).is_err() {
            return Ok(false);
        }
        attempt.checkpoint = Some(checkpoint);
        let ticket = self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.reach(ticket, Level::Durable)?;
        let mut live = self.shared.lock();
        if let (Some(deadline), Some(timeout_ms)) = (&attempt.deadline, attempt.timeout_ms) {
            // A timer that has fired is gone, and its key may be another's by now.
            if !attempt.flags.abandoned.load(Ordering::Relaxed) {
                live.timers.put_off(deadline, timeout_ms);
            }
        }
        Ok(live.phase == Phase::Running && !attempt.is_cancelled())
    }

    /// Takes an attempt back that nobody will report on: its thread was called away. The step stays as it is until its task is resumed, here or by the
    /// next process: who interrupts a program does not want its work to start over at once. Returns without waiting for the disk.
    pub fn give_back(&self, attempt: Attempt) {
        if self.check_fork().is_err() {
            return;
        }
        let mut live = self.shared.lock();
        let error = r#"{"message":"the attempt was interrupted","error_type":"interrupted","retryable":true}"#;
        self.settle(&mut live, &attempt, Report::Interrupted { error: error.into() });
        live.consequences.retain(|due| match due {
            Consequence::Ready { task, step } => (*task, *step) != (attempt.task, attempt.step),
            _ => true,
        });
        self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.log.flush_later();
    }

    pub(crate) fn settle(&self, live: &mut Live, attempt: &Attempt, report: Report) {
        match attempt.place {
            Place::Pool => live.busy_threads -= 1,
            Place::Caller => {}
            Place::Loop => live.inbox.running -= 1,
        }
        let (step, number) = (attempt.step, attempt.number);
        let random = live.next_random();
        let (event, counter) = match report {
            Report::Success { result, metadata } => {
                (Event::Succeeded { step, attempt: number, result, metadata }, Some(&self.shared.succeeded))
            }
            Report::Failure(failure) => {
                (Event::Failed { step, attempt: number, failure, random }, Some(&self.shared.failed))
            }
            Report::Interrupted { error } => {
                let may_repeat =
                    live.get(attempt.task).is_some_and(|found| found.plan.handlers[attempt.of as usize].idempotent);
                (Event::Interrupted { step, attempt: number, may_repeat, error }, None)
            }
        };
        match live.apply(attempt.task, event, now()) {
            Ok(()) => {
                live.end_attempt(attempt.task, step);
                if let Some(deadline) = &attempt.deadline {
                    live.timers.cancel(deadline);
                }
                if let Some(counter) = counter {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                self.shared.tidy_now_and_then();
            }
            Err(Refusal::Late { .. }) => {
                live.late_reports += 1;
                tracing::info!(
                    task_uuid = %attempt.task_id,
                    step = attempt.step_name(),
                    attempt = number,
                    "a report came after its attempt was over and is refused"
                );
                if attempt.flags.abandoned.load(Ordering::Relaxed) {
                    // The thread that was given up came back.
                    live.abandoned -= u32::from(attempt.place == Place::Pool);
                } else if let Some(deadline) = &attempt.deadline {
                    live.timers.cancel(deadline);
                }
            }
            Err(refusal) => unreachable!("a report is refused only when it is late: {refusal}"),
        }
        if live.phase != Phase::Running && live.running() == 0 {
            if let Some(parker) = live.drained.take() {
                parker.wake();
            }
        }
    }

    /// Waits for the next step of a run that its thread may carry out, or for the task's end.
    ///
    /// # Errors
    /// [`Wait`]: why there is neither.
    pub fn next(&self, run: &Run, signals: Option<i32>, deadline: Option<Instant>) -> Result<Next, Wait> {
        let parker = &run.waiter.parker;
        loop {
            self.check_fork()?;
            if let Some(outcome) = run.waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Ok(Next::End(outcome));
            }
            if let Some(error) = self.shared.log.failure() {
                return Err(WorkerError::from(error).into());
            }
            let mut live = self.shared.lock();
            if live.phase != Phase::Running {
                drop(live);
                // Its last step may have been taken in while the engine drained.
                let outcome = run.waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
                return outcome.map(Next::End).ok_or(Wait::Failed(WorkerError::Stopped));
            }
            if let Some(step) = live.next_lendable(run.task) {
                let attempt =
                    claim(&mut live, run.task, step, now(), Place::Caller).expect("ready steps can be claimed");
                let ticket = self.shared.push(&mut live);
                drop(live);
                self.shared.reach(ticket, Level::Written)?;
                self.ensure_flusher();
                return Ok(Next::Attempt(Box::new(self.started(attempt))));
            }
            if let Some(found) = live.get_mut(run.task) {
                found.lent = Some(Arc::clone(parker));
            } else if run.waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                continue;
            }
            drop(live);
            match parker.wait(signals, deadline) {
                Wakeup::Woken => {}
                Wakeup::Signal => return Err(Wait::Signal),
                Wakeup::TimedOut => return Err(Wait::TimedOut),
            }
        }
    }

    /// Waits for a task's end, until `deadline`. A task that is open in the store and not live here is answered as it stands.
    ///
    /// # Errors
    /// [`Wait`]: why there is no end to tell of.
    pub fn wait(
        &self,
        task: Uuid,
        parker: &Arc<Parker>,
        signals: Option<i32>,
        deadline: Option<Instant>,
    ) -> Result<Arc<TaskOutcome>, Wait> {
        let waiter = Arc::new(Waiter { parker: Arc::clone(parker), outcome: Mutex::new(None) });
        {
            self.check_fork()?;
            let mut live = self.shared.lock();
            match live.by_id.get(&task).copied() {
                Some(key) => live.get_mut(key).expect("it is live").waiters.push(Arc::clone(&waiter)),
                None => {
                    drop(live);
                    let outcome = self.outcome(task)?;
                    return Ok(Arc::new(outcome));
                }
            }
        }
        let answer = loop {
            if let Some(outcome) = waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Ok(outcome);
            }
            if let Some(error) = self.shared.log.failure() {
                break Wait::Failed(error.into());
            }
            if self.shared.lock().phase == Phase::Stopped {
                break Wait::Failed(WorkerError::Stopped);
            }
            match parker.wait(signals, deadline) {
                Wakeup::Woken => {}
                Wakeup::Signal => break Wait::Signal,
                Wakeup::TimedOut => break Wait::TimedOut,
            }
        };
        let mut live = self.shared.lock();
        if let Some(key) = live.by_id.get(&task).copied() {
            if let Some(found) = live.get_mut(key) {
                found.waiters.retain(|other| !Arc::ptr_eq(other, &waiter));
            }
        }
        drop(live);
        // It may have ended between the last look and now.
        let outcome = waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.ok_or(answer)
    }

    /// How a task stands.
    ///
    /// # Errors
    /// [`WorkerError::UnknownTask`], or the store's.
    pub fn outcome(&self, task: Uuid) -> Result<TaskOutcome, WorkerError> {
        self.check_fork()?;
        {
            let live = self.shared.lock();
            if let Some(found) = live.by_id.get(&task).and_then(|key| live.get(*key)) {
                return Ok(found.outcome());
            }
        }
        let store = self.shared.log.read()?;
        let row = store.task(task)?.ok_or(WorkerError::UnknownTask(task))?;
        let template = recover::template(&self.shared, &row)?;
        let saved = rows::saved(store, &row)?;
        Ok(rows::stored_outcome(row, saved, template))
    }

    /// The result of a step of a live task.
    pub fn result(&self, task: TaskKey, step: u32) -> Option<Arc<str>> {
        self.shared.lock().get(task)?.task.step(step).record.result.clone()
    }

    /// The newest task that was submitted as continuable with this template and context.
    ///
    /// # Errors
    /// The store's.
    pub fn find(&self, plan: PlanId, context: &str) -> Result<Option<TaskOutcome>, WorkerError> {
        self.check_fork()?;
        let template = Arc::clone(&self.running()?.plans[plan as usize].template);
        let row = self.shared.log.read()?.task_by_fingerprint(&submit::fingerprint(&template, context))?;
        row.map(|row| self.outcome(row.id)).transpose()
    }

    /// The ids of the tasks in the store of which something may follow by itself, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn open_tasks(&self) -> Result<Vec<Uuid>, WorkerError> {
        self.check_fork()?;
        Ok(self.shared.log.read()?.open_tasks()?.into_iter().map(|row| row.id).collect())
    }

    /// Every move of a task and its steps, first to last.
    ///
    /// # Errors
    /// The store's.
    pub fn trail(&self, task: Uuid) -> Result<Vec<Transition>, WorkerError> {
        self.check_fork()?;
        let rows = self.shared.log.read()?.audit(task)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let outcome = self.outcome(task)?;
        let name_of = |position| outcome.name(position);
        Ok(rows.iter().flat_map(|(row, worker)| rows::transitions(row, worker, name_of)).collect())
    }

    /// Takes out finished tasks; answers how many. Commits go on in between.
    ///
    /// # Errors
    /// The store's.
    pub fn prune(&self, which: Retention) -> Result<u64, WorkerError> {
        self.check_fork()?;
        drop(self.running()?);
        let Some(prune) = which.prune() else { return Ok(0) };
        let mut pruned = 0;
        loop {
            match self.shared.log.read()?.prune(prune)? {
                0 => return Ok(pruned),
                count => pruned += u64::from(count),
            }
        }
    }

    /// Copies the database, as it is now, into a new file, while the engine goes on.
    ///
    /// # Errors
    /// The store's; a file that is there is left alone.
    pub fn backup(&self, to: &Path) -> Result<(), WorkerError> {
        self.check_fork()?;
        drop(self.running()?);
        Ok(self.shared.log.read()?.backup(to)?)
    }

    /// What this process has done so far.
    ///
    /// # Errors
    /// [`WorkerError::Forked`].
    pub fn counters(&self) -> Result<Counters, WorkerError> {
        self.check_fork()?;
        let live = self.shared.lock();
        Ok(Counters {
            succeeded: self.shared.succeeded.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
            in_progress: live.running() as u64,
            late_reports: live.late_reports,
            open_tasks: live.len() as u64,
            abandoned_threads: u64::from(live.abandoned),
        })
    }

    /// Hands out nothing more. What runs goes on, and its outcomes are taken in.
    pub fn drain(&self) {
        if self.fork != FORKS.load(Ordering::Relaxed) {
            return;
        }
        let mut live = self.shared.lock();
        if live.phase == Phase::Running {
            live.phase = Phase::Draining;
            live.wake_all();
        }
    }

    /// Hands out nothing more, waits up to `limit` for running handlers, makes everything durable and ends the threads. Answers how many handlers it did
    /// not wait for; what they were doing runs again after the next start.
    ///
    /// A signal ends the wait early. Calling it again does nothing.
    pub fn stop(&self, limit: Duration, parker: &Arc<Parker>, signals: Option<i32>) -> usize {
        if self.fork != FORKS.load(Ordering::Relaxed) {
            return 0;
        }
        let deadline = Instant::now() + limit.min(Duration::from_secs(1_000_000));
        self.drain();
        if self.shared.lock().phase == Phase::Stopped {
            return 0;
        }
        let left = loop {
            let mut live = self.shared.lock();
            let running = live.running();
            if running == 0 || Instant::now() >= deadline {
                break running;
            }
            live.drained = Some(Arc::clone(parker));
            drop(live);
            if parker.wait(signals, Some(deadline)) == Wakeup::Signal {
                break self.shared.lock().running();
            }
        };
        if left > 0 {
            tracing::warn!(handlers = left, "stopped without waiting for running handlers; their steps run again");
        }
        let _ = self.commit_all();
        {
            let mut live = self.shared.lock();
            live.phase = Phase::Stopped;
            live.cancel_all_attempts();
            live.wake_all();
        }
        self.shared.log.close();
        if let Some(flusher) = self.shared.flusher.get() {
            if let Some(thread) = flusher.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = thread.join();
            }
        }
        if let Some(mut driver) = self.shared.driver.lock().unwrap_or_else(PoisonError::into_inner).take() {
            driver.stop();
        }
        self.shared.log.close_store();
        left
    }

    fn commit_all(&self) -> Result<(), WorkerError> {
        let ticket = {
            let mut live = self.shared.lock();
            self.shared.push(&mut live)
        };
        self.ensure_flusher();
        self.shared.reach(ticket, Level::Durable)
    }

    pub(crate) fn running(&self) -> Result<MutexGuard<'_, Live>, WorkerError> {
        if let Some(error) = self.shared.log.failure() {
            return Err(error.into());
        }
        let live = self.shared.lock();
        match live.phase {
            Phase::Running => Ok(live),
            _ => Err(WorkerError::Stopped),
        }
    }

    /// Every call begins with it.
    pub(crate) fn check_fork(&self) -> Result<(), WorkerError> {
        if self.fork == FORKS.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(WorkerError::Forked)
        }
    }

    pub(crate) fn ensure_flusher(&self) {
        self.shared.flusher.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            let body = move || shared.log.run_flusher(|due| shared.release(due), |store| shared.tidy(store));
            let thread = threads::spawn("tasker-commit", body).expect("the system has a thread left for commits");
            Mutex::new(Some(thread))
        });
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.fork == FORKS.load(Ordering::Relaxed) {
            let parker = Arc::new(Parker::for_this_thread());
            self.stop(Duration::ZERO, &parker, None);
        } else {
            // The child of a fork must not close what its parent has open.
            std::mem::forget(Arc::clone(&self.shared));
        }
    }
}

/// Claims a step: what its handler is given.
pub(crate) fn claim(live: &mut Live, key: TaskKey, step: u32, now: Micros, place: Place) -> Option<Attempt> {
    let flags = live.claim(key, step, now).ok()?;
    let found = live.get(key)?;
    let (task, row) = (&found.task, found.task.step(step));
    let rules = task.rules(step);
    let result = |place: u32| task.step(place).record.result.clone();
    let workers = rules.dependencies.iter().flat_map(|&need| task.workers_of(need));
    let attempt = Attempt {
        task: key,
        task_id: found.id,
        plan: found.plan_id,
        step,
        of: row.of,
        worker_name: row.worker.as_ref().map(|_| task.name(step).into_owned()),
        number: row.record.attempts,
        counted: row.record.counted_attempts(),
        context: Arc::clone(&found.context),
        results: rules.dependencies.iter().map(|&need| result(need)).collect(),
        workers: workers.filter_map(|place| Some((task.name(place).into_owned(), result(place)?))).collect(),
        inputs: task.inputs(step),
        checkpoint: row.record.checkpoint.clone(),
        timeout_ms: rules.timeout_ms,
        flags,
        deadline: None,
        place,
        template: Arc::clone(&found.plan.template),
    };
    match place {
        Place::Pool => live.busy_threads += 1,
        Place::Caller => {}
        Place::Loop => live.inbox.running += 1,
    }
    Some(attempt)
}
