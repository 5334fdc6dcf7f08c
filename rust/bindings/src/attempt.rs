//! A step in the hands of a handler.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tasker_engine::task::Failure;
use tasker_worker as worker;

use crate::{error, json};

/// An attempt: what its handler is given, and then what became of it.
///
/// Texts are JSON: what a handler does not read is never decoded.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Attempt {
    worker: Arc<worker::Worker>,
    inner: Mutex<Option<worker::Attempt>>,
    outcome: Mutex<Option<worker::Report>>,
    #[pyo3(get)]
    plan: u32,
    /// The position in the template of the step that it is, or is made from.
    #[pyo3(get)]
    step: u32,
    /// The position among the task's steps: another only for the worker of a batch.
    #[pyo3(get)]
    position: u32,
    /// Attempts of the step so far that were not interrupted, this one included.
    #[pyo3(get)]
    number: u16,
    /// Names an attempt on the event loop; 0 on a thread.
    #[pyo3(get)]
    serial: u64,
}

impl Attempt {
    pub fn new(worker: &Arc<worker::Worker>, inner: worker::Attempt) -> Attempt {
        let (plan, step, position, number) = (inner.plan, inner.of, inner.step, inner.counted);
        let serial = inner.serial();
        Attempt {
            worker: Arc::clone(worker),
            inner: Mutex::new(Some(inner)),
            outcome: Mutex::new(None),
            plan,
            step,
            position,
            number,
            serial,
        }
    }

    /// The attempt and what became of it: it can be reported once.
    pub fn take(&self) -> PyResult<(worker::Attempt, worker::Report)> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (inner, outcome) {
            (Some(inner), Some(outcome)) => Ok((inner, outcome)),
            _ => Err(PyRuntimeError::new_err("this attempt was reported before, or nothing is said of its outcome")),
        }
    }

    /// Where its task is.
    pub fn task_key(&self) -> PyResult<worker::TaskKey> {
        self.read(|inner| inner.task)
    }

    fn read<T>(&self, read: impl FnOnce(&worker::Attempt) -> T) -> PyResult<T> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.as_ref().map(read).ok_or_else(|| PyRuntimeError::new_err("this attempt is over"))
    }

    fn say(&self, outcome: worker::Report) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// An attempt that is dropped without a report (a signal struck between two lines of Python) goes back to the worker.
impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(attempt) = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            self.worker.give_back(attempt);
        }
    }
}

#[pymethods]
impl Attempt {
    #[getter]
    fn task_uuid(&self) -> PyResult<String> {
        self.read(|inner| inner.task_id.to_string())
    }

    /// The context of the task.
    #[getter]
    fn context(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.read(|inner| pyo3::types::PyString::new(py, &inner.context).into_any().unbind())
    }

    /// The result of one of the step's own dependencies, by its place among them.
    fn dependency(&self, py: Python<'_>, place: usize) -> PyResult<Option<Py<PyAny>>> {
        self.read(|inner| {
            let result = inner.results.get(place)?.as_deref()?;
            Some(pyo3::types::PyString::new(py, result).into_any().unbind())
        })
    }

    /// The step's name.
    #[getter]
    fn step_name(&self) -> PyResult<String> {
        self.read(|inner| inner.step_name().to_string())
    }

    /// What the worker of a batch is given to do.
    #[getter]
    fn inputs(&self) -> PyResult<Option<String>> {
        self.read(|inner| inner.inputs.clone())
    }

    /// Where an earlier run of the handler said that it was.
    #[getter]
    fn checkpoint(&self) -> PyResult<Option<String>> {
        self.read(|inner| inner.checkpoint.as_deref().map(str::to_string))
    }

    /// Names and results of the workers of batches among the step's dependencies.
    fn workers(&self) -> PyResult<Vec<(String, String)>> {
        self.read(|inner| inner.workers.iter().map(|(name, result)| (name.clone(), result.to_string())).collect())
    }

    /// Stores how far the handler is, durably; answers whether it may run again at once, in the same attempt. Else say `interrupt`.
    ///
    /// Raises `ConversionError` when the value has no JSON or is too large; say `fail` then.
    #[pyo3(signature = (checkpoint, *, limit))]
    fn keep(&self, py: Python<'_>, checkpoint: &Bound<'_, PyAny>, limit: usize) -> PyResult<bool> {
        let checkpoint = json::to_json(checkpoint, "checkpoint", limit)?;
        let taken = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut attempt) = taken else { return Err(PyRuntimeError::new_err("this attempt is over")) };
        let (attempt, kept) = py.detach(|| {
            let kept = self.worker.checkpoint(&mut attempt, checkpoint.into());
            (attempt, kept)
        });
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Some(attempt);
        kept.map_err(|error| error::to_python(py, error))
    }

    /// True once nobody wants the result any more.
    #[getter]
    fn cancelled(&self) -> bool {
        // After its report an attempt is over, whatever became of it.
        self.read(worker::Attempt::is_cancelled).unwrap_or(true)
    }

    /// The handler returned this.
    ///
    /// Raises `ConversionError` when a value has no JSON; say `fail` then.
    #[pyo3(signature = (result, metadata, *, limit))]
    fn succeed(&self, result: &Bound<'_, PyAny>, metadata: Option<&Bound<'_, PyAny>>, limit: usize) -> PyResult<()> {
        let result = json::to_json(result, "result", limit)?;
        let metadata = metadata.map(|metadata| json::to_json(metadata, "metadata", limit)).transpose()?;
        self.say(worker::Report::Success { result: result.into(), metadata: metadata.map(Into::into) });
        Ok(())
    }

    /// The handler failed; `error` is a JSON object.
    #[pyo3(signature = (error, *, retryable, retry_after_ms=None))]
    fn fail(&self, error: &str, retryable: bool, retry_after_ms: Option<u64>) {
        self.say(worker::Report::Failure(Failure { error: error.into(), retryable, retry_after_ms }));
    }

    /// The handler stopped where it can go on later.
    fn interrupt(&self) {
        let error = r#"{"message":"the engine stopped; the step goes on from its checkpoint","error_type":"interrupted","retryable":true}"#;
        self.say(worker::Report::Interrupted { error: error.into() });
    }

    /// The handler was called away by a signal: give the step back, unfinished. Does nothing after the report.
    fn give_back(&self, py: Python<'_>) {
        let taken = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(attempt) = taken {
            py.detach(|| self.worker.give_back(attempt));
        }
    }
}
