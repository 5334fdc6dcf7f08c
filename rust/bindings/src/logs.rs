//! Log events of the Rust crates, on their way to Python's `logging`.
//!
//! Events go into a bounded ring, which never waits and never takes Python's lock. A thread of the package drains it; what it is too slow for is
//! dropped, oldest first, and counted.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Condvar, Mutex, Once, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const CAPACITY: usize = 4096;

static RING: Mutex<Ring> = Mutex::new(Ring { lines: VecDeque::new(), dropped: 0 });
static ARRIVED: Condvar = Condvar::new();

struct Ring {
    lines: VecDeque<Line>,
    dropped: u64,
}

struct Line {
    /// As Python numbers them.
    level: u8,
    target: &'static str,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
}

/// Sends events to the ring from the first engine on; importing the package starts nothing.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another subscriber can only be there when this library is embedded in a Rust program, whose choice it is.
        let _ = tracing::subscriber::set_global_default(ToRing);
    });
}

struct ToRing;

impl Subscriber for ToRing {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("tasker")
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::INFO)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let level = match *metadata.level() {
            Level::ERROR => 40,
            Level::WARN => 30,
            _ => 20,
        };
        let mut line = Line { level, target: metadata.target(), message: String::new(), fields: Vec::new() };
        event.record(&mut line);
        let mut ring = RING.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.lines.len() >= CAPACITY {
            ring.lines.pop_front();
            ring.dropped += 1;
        }
        ring.lines.push_back(line);
        ARRIVED.notify_one();
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_string();
        } else {
            self.fields.push((field.name(), Value::Text(value.to_string())));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), Value::Integer(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), Value::Integer(value as i64)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), Value::Flag(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// `(level, target, message, fields)`.
type LogRecord = (u8, String, String, Py<PyDict>);

/// Waits for log events: `(level, target, message, fields)` each. Python's lock is free meanwhile.
#[pyfunction]
pub fn next_logs(py: Python<'_>) -> PyResult<Vec<LogRecord>> {
    let (lines, dropped) = py.detach(|| {
        let mut ring = RING.lock().unwrap_or_else(PoisonError::into_inner);
        while ring.lines.is_empty() {
            ring = ARRIVED.wait(ring).unwrap_or_else(PoisonError::into_inner);
        }
        (std::mem::take(&mut ring.lines), std::mem::take(&mut ring.dropped))
    });
    let mut records = Vec::with_capacity(lines.len() + 1);
    if dropped > 0 {
        let message = format!("{dropped} log events were dropped: more came than could be passed on");
        records.push((30, "tasker_worker".to_string(), message, PyDict::new(py).unbind()));
    }
    for line in lines {
        let fields = PyDict::new(py);
        for (name, value) in line.fields {
            match value {
                Value::Text(text) => fields.set_item(name, text)?,
                Value::Integer(number) => fields.set_item(name, number)?,
                Value::Flag(flag) => fields.set_item(name, flag)?,
            }
        }
        records.push((line.level, line.target.to_string(), line.message, fields.unbind()));
    }
    Ok(records)
}
