//! A workflow that was read and checked.

use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;
use tasker_engine::template as engine;

use crate::error;

/// A template: what its steps are called, what runs them and what they depend on.
#[pyclass(frozen, module = "tasker_core._tasker_core")]
pub struct Template {
    pub inner: engine::Template,
    warnings: Py<PyList>,
}

#[derive(Serialize)]
struct StepView<'a> {
    name: &'a str,
    description: Option<&'a str>,
    kind: &'static str,
    callable: &'a str,
    method: Option<&'a str>,
    resolver: Option<&'a str>,
    /// JSON.
    initialization: String,
    dependencies: Vec<&'a str>,
    retryable: bool,
    max_attempts: u16,
    timeout_seconds: Option<f64>,
    line: u32,
    column: u32,
}

/// Reads and checks a template.
///
/// Raises `TemplateError` with every problem.
#[pyfunction]
#[pyo3(signature = (source, *, file, environment=None))]
pub fn parse_template(py: Python<'_>, source: &str, file: &str, environment: Option<&str>) -> PyResult<Template> {
    match py.detach(|| engine::Template::parse(source, environment)) {
        Ok((inner, problems)) => {
            let warnings = PyList::empty(py);
            for found in &problems {
                warnings.append(error::problem(py, found, file, source)?)?;
            }
            Ok(Template { inner, warnings: warnings.unbind() })
        }
        Err(invalid) => Err(error::template(py, &invalid, file, source)),
    }
}

#[pymethods]
impl Template {
    #[getter]
    fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    #[getter]
    fn name(&self) -> &str {
        &self.inner.name
    }

    #[getter]
    fn version(&self) -> &str {
        &self.inner.version
    }

    #[getter]
    fn description(&self) -> Option<&str> {
        self.inner.description.as_deref()
    }

    #[getter]
    fn warnings(&self, py: Python<'_>) -> Py<PyList> {
        self.warnings.clone_ref(py)
    }

    /// A dict a step, in the order of the file.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let steps = &self.inner.steps;
        let views: Vec<StepView<'_>> = steps
            .iter()
            .map(|step| StepView {
                name: &step.name,
                description: step.description.as_deref(),
                kind: step.kind.name(),
                callable: &step.handler.callable,
                method: step.handler.method.as_deref(),
                resolver: step.handler.resolver.as_deref(),
                initialization: step.handler.initialization.to_string(),
                dependencies: step.dependencies.iter().map(|&need| steps[need as usize].name.as_str()).collect(),
                retryable: step.retry.retryable,
                max_attempts: step.retry.max_attempts,
                timeout_seconds: step.timeout_ms.map(|milliseconds| milliseconds as f64 / 1000.0),
                line: step.at.line,
                column: step.at.column,
            })
            .collect();
        Ok(pythonize::pythonize(py, &views)?)
    }
}
