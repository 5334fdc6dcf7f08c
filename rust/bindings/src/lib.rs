//! The extension module `tasker_core._tasker_core`: conversions, errors and logging between Python and the worker, and no rules.

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
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    Ok(())
}
