//! What is told of a task.

use std::sync::Arc;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use tasker_engine::task::Step;
use tasker_engine::template::StepKind;
use tasker_worker::TaskOutcome;

/// A task as it stands, or stood at its end. Texts are JSON.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Task {
    pub inner: Arc<TaskOutcome>,
}

/// A step of it: `(name, state, attempts, started_at, finished_at, retry_at, result, error, metadata)`, times in microseconds since the Unix epoch.
type StepTuple<'a> = (String, &'static str, u16, i64, i64, i64, Option<&'a str>, Option<&'a str>, Option<&'a str>);

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

    /// The step at a position, `None` where it was not created: a branch that was not taken.
    fn step(&self, position: u32) -> PyResult<Option<StepTuple<'_>>> {
        let step = self.inner.steps.get(position as usize).ok_or_else(|| PyIndexError::new_err(position))?;
        if !step.created {
            return Ok(None);
        }
        let record = &step.record;
        Ok(Some((
            self.inner.name(position),
            record.state.name(),
            record.attempts,
            record.started_at,
            record.finished_at,
            record.retry_at,
            record.result.as_deref(),
            record.error.as_deref(),
            record.metadata.as_deref(),
        )))
    }

    /// The names of the steps that no other depends on: their results are the task's.
    #[getter]
    fn last_steps(&self) -> Vec<String> {
        let (steps, template) = (&self.inner.steps, &self.inner.template);
        // The step that workers are made from is there when they are.
        let mut there = vec![false; template.steps.len()];
        for step in steps.iter().filter(|step| step.created) {
            there[step.of as usize] = true;
        }
        let is_last = |step: &&Step| {
            let rules = &template.steps[step.of as usize];
            let depended_on = rules.dependants.iter().any(|&next| there[next as usize]);
            step.created && !depended_on && rules.kind != StepKind::OnFailure
        };
        steps.iter().filter(is_last).map(|step| step.name(template).into_owned()).collect()
    }
}
