//! What is told of a task.

use std::sync::Arc;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use tasker_worker::TaskOutcome;

/// A task as it stands, or stood at its end. Texts are JSON.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Task {
    pub inner: Arc<TaskOutcome>,
}

/// A step of it: `(name, state, attempts, started_at, finished_at, retry_at, result, error, metadata)`, times in microseconds since the Unix epoch.
type StepTuple<'a> = (&'a str, &'static str, u16, i64, i64, i64, Option<&'a str>, Option<&'a str>, Option<&'a str>);

#[pymethods]
impl Task {
    #[getter]
    fn task_uuid(&self) -> String {
        self.inner.id.to_string()
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.inner.state.name()
    }

    /// Whether nothing follows by itself.
    #[getter]
    fn is_final(&self) -> bool {
        self.inner.state.is_final()
    }

    #[getter]
    fn namespace(&self) -> &str {
        &self.inner.template.namespace
    }

    #[getter]
    fn name(&self) -> &str {
        &self.inner.template.name
    }

    #[getter]
    fn version(&self) -> &str {
        &self.inner.template.version
    }

    #[getter]
    fn context(&self) -> &str {
        &self.inner.context
    }

    #[getter]
    fn created_at(&self) -> i64 {
        self.inner.created_at
    }

    fn __len__(&self) -> usize {
        self.inner.steps.len()
    }

    /// The step at a position of the template.
    fn step(&self, position: usize) -> PyResult<StepTuple<'_>> {
        let step = self.inner.steps.get(position).ok_or_else(|| PyIndexError::new_err(position))?;
        Ok((
            &self.inner.template.steps[position].name,
            step.state.name(),
            step.attempts,
            step.started_at,
            step.finished_at,
            step.retry_at,
            step.result.as_deref(),
            step.error.as_deref(),
            step.metadata.as_deref(),
        ))
    }

    /// The names of the steps that no other depends on: their results are the task's.
    #[getter]
    fn last_steps(&self) -> Vec<&str> {
        let steps = &self.inner.template.steps;
        steps.iter().filter(|step| step.dependants.is_empty()).map(|step| step.name.as_str()).collect()
    }
}
