//! Each error of the worker as its Python class. The classes are in `tasker_core.exceptions`; here is which is for what.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use tasker_engine::template::{InvalidTemplate, Problem};
use tasker_worker::{StoreError, WorkerError};

/// A worker's error, on its way to Python.
pub fn to_python(py: Python<'_>, error: WorkerError) -> PyErr {
    let message = error.to_string();
    match error {
        WorkerError::Stopped => raise(py, "EngineStoppedError", &message, &[]),
        WorkerError::Forked => raise(py, "EngineForkedError", &message, &[]),
        WorkerError::Identity { .. } => raise(py, "IdentityError", &message, &[]),
        WorkerError::Unfit { .. } => raise(py, "TaskStateError", &message, &[]),
        WorkerError::UnknownTask(_) | WorkerError::NotLoaded { .. } => raise(py, "TaskNotFoundError", &message, &[]),
        WorkerError::StoredTemplate { .. } => raise(py, "TemplateError", &message, &[]),
        WorkerError::TemplateChanged(change) => {
            raise(py, "TemplateChangedError", &message, &[("stored", &change.stored), ("given", &change.given)])
        }
        WorkerError::Store(error) => {
            let class = match *error {
                StoreError::InUse { .. } => "DatabaseInUseError",
                StoreError::Newer { .. } => "DatabaseVersionError",
                _ => "DatabaseError",
            };
            raise(py, class, &message, &[])
        }
    }
}

/// A text that can't be the id of a task.
pub fn not_a_task(py: Python<'_>, text: &str) -> PyErr {
    raise(py, "TaskNotFoundError", &format!("there is no task {text:?}: an id is a UUID"), &[])
}

/// A value that JSON cannot say.
pub fn conversion(py: Python<'_>, message: &str, path: &str) -> PyErr {
    raise(py, "ConversionError", message, &[("path", path)])
}

/// A template with errors: the message shows all of them with their places.
pub fn template(py: Python<'_>, error: &InvalidTemplate, file: &str, source: &str) -> PyErr {
    let built = || -> PyResult<PyErr> {
        let rendered: Vec<String> = error.problems.iter().map(|problem| problem.render(file, source)).collect();
        let problems =
            error.problems.iter().map(|found| problem(py, found, file, source)).collect::<PyResult<Vec<_>>>()?;
        let arguments = PyDict::new(py);
        arguments.set_item("problems", problems)?;
        let raised = class(py, "TemplateError")?.call((rendered.join("\n"),), Some(&arguments))?;
        Ok(PyErr::from_value(raised))
    };
    built().unwrap_or_else(|error| error)
}

/// One finding as a `TemplateProblem`.
pub fn problem<'py>(py: Python<'py>, problem: &Problem, file: &str, source: &str) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("file", file)?;
    fields.set_item("line", problem.at.line)?;
    fields.set_item("column", problem.at.column)?;
    fields.set_item("path", &problem.path)?;
    fields.set_item("code", problem.code)?;
    fields.set_item("message", &problem.message)?;
    fields.set_item("hint", &problem.hint)?;
    fields.set_item("is_error", problem.is_error())?;
    fields.set_item("text", problem.render(file, source))?;
    class(py, "TemplateProblem")?.call((), Some(&fields))
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("tasker_core.exceptions")?.getattr(name)?.cast_into()?)
}

fn raise(py: Python<'_>, name: &str, message: &str, fields: &[(&str, &str)]) -> PyErr {
    let built = || -> PyResult<PyErr> {
        let arguments = PyDict::new(py);
        for (field, value) in fields {
            arguments.set_item(field, value)?;
        }
        let raised = class(py, name)?.call((message,), Some(&arguments))?;
        Ok(PyErr::from_value(raised))
    };
    // Python is going down, or the package is broken: the message is what is left.
    built().unwrap_or_else(|_| PyRuntimeError::new_err(message.to_string()))
}
