//! The worker, with Python's lock released while it works.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use tasker_worker as worker;
use tasker_worker::{
    Act, Durability, Executor, HandlerInfo, Next, Options, Retention, Submission, Submitted, Wait, Worker,
};
use uuid::Uuid;

use crate::attempt::Attempt;
use crate::error;
use crate::outcome::Task;
use crate::template::Template;

/// How a thread waits. Make it on the thread that uses it.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Parker {
    inner: Arc<worker::Parker>,
}

#[pymethods]
impl Parker {
    /// With `hears_signals`, its waits also end when the descriptor that they are given is readable.
    #[new]
    #[pyo3(signature = (*, hears_signals=false))]
    fn new(hears_signals: bool) -> PyResult<Parker> {
        let inner = match hears_signals {
            true => worker::Parker::with_pipe().map_err(|error| PyOSError::new_err(error.to_string()))?,
            false => worker::Parker::for_this_thread(),
        };
        Ok(Parker { inner: Arc::new(inner) })
    }
}

/// A thread's claim to carry out the steps of one task.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Run {
    inner: worker::Run,
}

#[pymethods]
impl Run {
    #[getter]
    fn task_uuid(&self) -> String {
        self.inner.task_id.to_string()
    }
}

/// The worker of one engine.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Core {
    worker: Arc<Worker>,
}

/// What a wait answers when it was cut short: `"signal"` or `"timeout"`.
type CutShort = &'static str;

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (path, *, durability, threads, seed, retention_seconds=None, retention_count=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        durability: &str,
        threads: u32,
        seed: u64,
        retention_seconds: Option<f64>,
        retention_count: Option<u32>,
    ) -> PyResult<Core> {
        let durability = match durability {
            "full" => Durability::Full,
            "fast" => Durability::Fast,
            "memory" => Durability::Memory,
            other => return Err(PyValueError::new_err(format!("durability is full, fast or memory, not {other:?}"))),
        };
        crate::logs::start();
        let retention = retention(retention_seconds, retention_count);
        let options = Options { path, durability, threads, seed, retention };
        let opened = py.detach(|| Worker::open(&options));
        opened.map(|worker| Core { worker: Arc::new(worker) }).map_err(|error| error::to_python(py, error))
    }

    /// Makes a template runnable; `idempotent` and `on_loop` have an entry a step.
    #[pyo3(signature = (template, *, idempotent, on_loop))]
    fn load(&self, py: Python<'_>, template: &Template, idempotent: Vec<bool>, on_loop: Vec<bool>) -> PyResult<u32> {
        if [idempotent.len(), on_loop.len()] != [template.inner.steps.len(); 2] {
            return Err(PyValueError::new_err("idempotent and on_loop have an entry for each step"));
        }
        let info = |(idempotent, on_loop)| HandlerInfo {
            executor: if on_loop { Executor::Loop } else { Executor::Thread },
            idempotent,
        };
        let handlers = idempotent.into_iter().zip(on_loop).map(info).collect();
        let template = template.inner.clone();
        self.call(py, |worker| worker.load(template, handlers))
    }

    /// Takes up all open tasks of a template; answers how many.
    fn resume_all(&self, py: Python<'_>, plan: u32) -> PyResult<usize> {
        self.call(py, |worker| worker.resume_all(plan))
    }

    /// Takes up one open task; answers whether it was open.
    fn resume(&self, py: Python<'_>, plan: u32, task: &str) -> PyResult<bool> {
        let task = self.id(py, task)?;
        self.call(py, |worker| worker.resume(plan, task))
    }

    /// Writes tasks, one a context, and answers their ids. `keys` has an idempotency key or `None` for each.
    #[pyo3(signature = (plan, contexts, *, keys=None, lane=None, run_at=None, priority=0, continuable=false))]
    #[allow(clippy::too_many_arguments)]
    fn submit(
        &self,
        py: Python<'_>,
        plan: u32,
        contexts: Vec<String>,
        keys: Option<Vec<Option<String>>>,
        lane: Option<String>,
        run_at: Option<i64>,
        priority: i16,
        continuable: bool,
    ) -> PyResult<Vec<String>> {
        let mut keys = keys.unwrap_or_default();
        keys.resize(contexts.len(), None);
        let lane: Option<Arc<str>> = lane.map(Into::into);
        let requests = contexts.into_iter().zip(keys).map(|(context, idempotency_key)| Submission {
            plan,
            context: context.into(),
            priority,
            continuable,
            idempotency_key,
            concurrency_key: lane.clone(),
            run_at,
        });
        let requests = requests.collect();
        let ids = self.call(py, |worker| worker.submit(requests))?;
        Ok(ids.iter().map(Uuid::to_string).collect())
    }

    /// Writes a task whose steps this thread carries out, and answers the first if it may; of one that was there already its id.
    #[pyo3(signature = (plan, context, parker, *, key=None, lane=None, run_at=None, priority=0, continuable=false))]
    #[allow(clippy::too_many_arguments)]
    fn submit_run<'py>(
        &self,
        py: Python<'py>,
        plan: u32,
        context: String,
        parker: &Parker,
        key: Option<String>,
        lane: Option<String>,
        run_at: Option<i64>,
        priority: i16,
        continuable: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = Submission {
            plan,
            context: context.into(),
            priority,
            continuable,
            idempotency_key: key,
            concurrency_key: lane.map(Into::into),
            run_at,
        };
        match self.call(py, |worker| worker.submit_run(request, &parker.inner))? {
            Submitted::New(inner, attempt) => {
                let attempt = attempt.map(|attempt| self.attempt(*attempt));
                Ok((Run { inner }, attempt).into_pyobject(py)?.into_any())
            }
            Submitted::Known(task) => Ok(task.to_string().into_pyobject(py)?.into_any()),
        }
    }

    /// The next step for a handler thread; `None` when the thread is to end.
    fn take(&self, py: Python<'_>, parker: &Parker) -> PyResult<Option<Attempt>> {
        let parker = Arc::clone(&parker.inner);
        Ok(self.call(py, |worker| worker.take(&parker))?.map(|attempt| self.attempt(attempt)))
    }

    /// Takes in an attempt's outcome and answers the next step, waiting for one.
    fn report_and_take(&self, py: Python<'_>, attempt: &Attempt, parker: &Parker) -> PyResult<Option<Attempt>> {
        let (attempt, report) = attempt.take()?;
        let parker = Arc::clone(&parker.inner);
        Ok(self
            .call(py, |worker| worker.report_and_take(attempt, report, &parker))?
            .map(|attempt| self.attempt(attempt)))
    }

    /// Takes in an attempt's outcome and answers the task's next step if this thread may run it at once.
    fn report_and_lend(&self, py: Python<'_>, attempt: &Attempt) -> PyResult<Option<Attempt>> {
        let (attempt, report) = attempt.take()?;
        Ok(self.call(py, |worker| worker.report_and_lend(attempt, report))?.map(|attempt| self.attempt(attempt)))
    }

    /// Takes in an attempt's outcome and answers nothing.
    fn report(&self, py: Python<'_>, attempt: &Attempt) -> PyResult<()> {
        let (attempt, report) = attempt.take()?;
        self.call(py, |worker| worker.report(attempt, report))
    }

    /// The descriptor that is readable while there is something to collect.
    fn loop_descriptor(&self) -> PyResult<i32> {
        self.worker.loop_descriptor().map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// Attempts for the event loop, and the serial numbers of those that are not wanted any more. Never waits for the disk.
    fn collect(&self, py: Python<'_>) -> PyResult<(Vec<Attempt>, Vec<u64>)> {
        let (attempts, revoked) = self.call(py, Worker::collect)?;
        Ok((attempts.into_iter().map(|attempt| self.attempt(attempt)).collect(), revoked))
    }

    /// Takes in an attempt's outcome from the event loop. Never waits for the disk.
    fn report_from_loop(&self, py: Python<'_>, attempt: &Attempt) -> PyResult<()> {
        let (attempt, report) = attempt.take()?;
        self.call(py, |worker| worker.report_from_loop(attempt, report))
    }

    /// Waits for the next step of a run, or its task's end; answers either, or why it was cut short.
    #[pyo3(signature = (run, *, signals=None, timeout=None))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        run: &Run,
        signals: Option<i32>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let deadline = deadline(timeout);
        match py.detach(|| self.worker.next(&run.inner, signals, deadline)) {
            Ok(Next::Attempt(attempt)) => Ok(Bound::new(py, self.attempt(*attempt))?.into_any()),
            Ok(Next::End(inner)) => Ok(Bound::new(py, Task { inner })?.into_any()),
            Err(cut) => Ok(cut_short(py, cut)?.into_pyobject(py)?.into_any()),
        }
    }

    /// Waits for a task's end; answers the task, or why it was cut short.
    #[pyo3(signature = (task, parker, *, signals=None, timeout=None))]
    fn wait<'py>(
        &self,
        py: Python<'py>,
        task: &str,
        parker: &Parker,
        signals: Option<i32>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (task, deadline) = (self.id(py, task)?, deadline(timeout));
        match py.detach(|| self.worker.wait(task, &parker.inner, signals, deadline)) {
            Ok(inner) => Ok(Bound::new(py, Task { inner })?.into_any()),
            Err(cut) => Ok(cut_short(py, cut)?.into_pyobject(py)?.into_any()),
        }
    }

    /// How a task stands.
    fn task(&self, py: Python<'_>, task: &str) -> PyResult<Task> {
        let task = self.id(py, task)?;
        Ok(Task { inner: Arc::new(self.call(py, |worker| worker.outcome(task))?) })
    }

    /// The newest task that was submitted as continuable with this template and context.
    fn find(&self, py: Python<'_>, plan: u32, context: &str) -> PyResult<Option<Task>> {
        let found = self.call(py, |worker| worker.find(plan, context))?;
        Ok(found.map(|inner| Task { inner: Arc::new(inner) }))
    }

    /// The ids of the tasks in the database that are not at their end, oldest first.
    fn open_tasks(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.call(py, Worker::open_tasks)?.iter().map(Uuid::to_string).collect())
    }

    /// Every move of a task: `(name of the step or None, from, to, at, attempt, cause, worker)`.
    #[allow(clippy::type_complexity)]
    fn trail(
        &self,
        py: Python<'_>,
        task: &str,
    ) -> PyResult<Vec<(Option<String>, &'static str, &'static str, i64, u16, &'static str, String)>> {
        let task = self.id(py, task)?;
        let trail = self.call(py, |worker| worker.trail(task))?;
        Ok(trail
            .into_iter()
            .map(|moved| (moved.step, moved.from, moved.to, moved.at, moved.attempt, moved.cause, moved.worker))
            .collect())
    }

    /// Ends a task; answers whether it was open.
    fn cancel(&self, py: Python<'_>, task: &str) -> PyResult<bool> {
        let task = self.id(py, task)?;
        match py.detach(|| self.worker.act(task, Act::Cancel)) {
            Ok(()) => Ok(true),
            Err(worker::WorkerError::Unfit { .. }) => Ok(false),
            Err(failure) => Err(error::to_python(py, failure)),
        }
    }

    /// Runs a failed step again, with all its attempts.
    fn reset_step(&self, py: Python<'_>, task: &str, step: String) -> PyResult<()> {
        self.act(py, task, Act::Reset { step })
    }

    /// Takes a step as done with a result, which is JSON.
    fn complete_step(&self, py: Python<'_>, task: &str, step: String, result: String) -> PyResult<()> {
        self.act(py, task, Act::Complete { step, result: result.into() })
    }

    /// Takes a step as done without a result.
    fn resolve_step(&self, py: Python<'_>, task: &str, step: String) -> PyResult<()> {
        self.act(py, task, Act::Resolve { step })
    }

    /// Gives a step what it waits for, which is JSON.
    fn signal(&self, py: Python<'_>, task: &str, step: String, payload: String) -> PyResult<()> {
        self.act(py, task, Act::Signal { step, payload: payload.into() })
    }

    /// Ends a task that failures have blocked: in error, or as resolved.
    fn end_blocked(&self, py: Python<'_>, task: &str, resolved: bool) -> PyResult<()> {
        self.act(py, task, if resolved { Act::ResolveTask } else { Act::GiveUp })
    }

    /// The result of a step of the attempt's task, whether or not the attempt's step depends on it.
    fn result_of(&self, attempt: &Attempt, step: u32) -> PyResult<Option<String>> {
        let task = attempt.task_key()?;
        Ok(self.worker.result(task, step).map(|result| result.to_string()))
    }

    /// Takes out finished tasks that ended so long ago, or are older than so many others; answers how many.
    #[pyo3(signature = (seconds, count))]
    fn prune(&self, py: Python<'_>, seconds: Option<f64>, count: Option<u32>) -> PyResult<u64> {
        self.call(py, |worker| worker.prune(retention(seconds, count)))
    }

    /// Copies the database into a new file.
    fn backup(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.call(py, |worker| worker.backup(&path))
    }

    /// Whether one handler thread more would be of use, when there are this many.
    fn wants_thread(&self, threads: u32) -> bool {
        self.worker.wants_thread(threads)
    }

    /// `(succeeded, failed, in progress, late reports, open tasks, abandoned threads)`.
    fn counters(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, u64, u64, u64)> {
        let counted = self.call(py, Worker::counters)?;
        Ok((
            counted.succeeded,
            counted.failed,
            counted.in_progress,
            counted.late_reports,
            counted.open_tasks,
            counted.abandoned_threads,
        ))
    }

    /// Hands out nothing more.
    fn drain(&self, py: Python<'_>) {
        py.detach(|| self.worker.drain());
    }

    /// Drains and closes; answers how many handlers were not waited for.
    #[pyo3(signature = (timeout, parker, *, signals=None))]
    fn stop(&self, py: Python<'_>, timeout: f64, parker: &Parker, signals: Option<i32>) -> usize {
        let limit = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::MAX);
        py.detach(|| self.worker.stop(limit, &parker.inner, signals))
    }
}

impl Core {
    /// Calls the worker without Python's lock.
    fn call<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Worker) -> Result<T, worker::WorkerError> + Send,
    ) -> PyResult<T> {
        py.detach(|| work(&self.worker)).map_err(|error| error::to_python(py, error))
    }

    fn act(&self, py: Python<'_>, task: &str, act: Act) -> PyResult<()> {
        let task = self.id(py, task)?;
        self.call(py, |worker| worker.act(task, act))
    }

    fn attempt(&self, attempt: worker::Attempt) -> Attempt {
        Attempt::new(&self.worker, attempt)
    }

    fn id(&self, py: Python<'_>, task: &str) -> PyResult<Uuid> {
        Uuid::parse_str(task).map_err(|_| error::not_a_task(py, task))
    }
}

fn retention(seconds: Option<f64>, count: Option<u32>) -> Retention {
    // What is too long to say is for ever.
    let age = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    Retention { age, count }
}

fn deadline(timeout: Option<f64>) -> Option<Instant> {
    let limit = Duration::try_from_secs_f64(timeout?.max(0.0)).ok()?;
    Instant::now().checked_add(limit)
}

fn cut_short(py: Python<'_>, cut: Wait) -> PyResult<CutShort> {
    match cut {
        Wait::Signal => Ok("signal"),
        Wait::TimedOut => Ok("timeout"),
        Wait::Failed(failure) => Err(error::to_python(py, failure)),
    }
}
