//! The extension module `tasker_core._tasker_core`: conversions, errors and waits between Python and the worker. No rules, no SQL.
//!
//! | module | what it holds |
//! |---|---|
//! | [`core`] | `Core`: the worker, with Python's lock released while it works |
//! | [`attempt`] | `Attempt`: a step in the hands of a handler |
//! | [`template`] | `Template`: a workflow that was read and checked |
//! | [`outcome`] | what is told of a task |
//! | [`json`] | Python values as JSON, with the path of what has none |
//! | [`logs`] | log events on their way to Python's `logging` |
//! | [`error`] | each error of the worker as its Python class, in one place |

mod attempt;
mod core;
mod error;
mod json;
mod logs;
mod outcome;
mod template;

use pyo3::prelude::*;

#[pyfunction]
fn get_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pyfunction]
fn get_rust_version() -> String {
    format!("tasker-worker-py {} (tasker-py compatible, rustc {})", env!("CARGO_PKG_VERSION"), env!("RUSTC_VERSION"))
}

#[pyfunction]
fn health_check() -> bool {
    true
}

#[pymodule]
fn _tasker_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(get_version, module)?)?;
    module.add_function(wrap_pyfunction!(get_rust_version, module)?)?;
    module.add_function(wrap_pyfunction!(health_check, module)?)?;
    module.add_function(wrap_pyfunction!(logs::next_logs, module)?)?;
    module.add_function(wrap_pyfunction!(json::to_json, module)?)?;
    module.add_function(wrap_pyfunction!(template::parse_template, module)?)?;
    module.add_class::<core::Core>()?;
    module.add_class::<core::Parker>()?;
    module.add_class::<core::Run>()?;
    module.add_class::<attempt::Attempt>()?;
    module.add_class::<template::Template>()?;
    module.add_class::<outcome::Task>()?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    Ok(())
}
