//! Python values as JSON text.
//!
//! What `json.dumps(allow_nan=False)` takes, and through `tasker_core._jsonable` what pydantic's JSON mode adds. Stricter where that would lose something:
//! keys must be text, text must be Unicode. Integers of any size survive.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::error;

const MAX_DEPTH: usize = 128;

/// The JSON of a value, at most `limit` bytes long. `what` names it in errors.
///
/// Raises `ConversionError` with the path of what JSON cannot say.
#[pyfunction]
#[pyo3(signature = (value, *, what, limit))]
pub fn to_json(value: &Bound<'_, PyAny>, what: &str, limit: usize) -> PyResult<String> {
    let mut writer = Writer { out: String::new(), path: Vec::new(), limit };
    match writer.write(value, 0).and_then(|()| writer.check_size()) {
        Ok(()) => Ok(writer.out),
        Err(Stop::Python(error)) => Err(error),
        Err(Stop::Because(reason)) => {
            Err(error::conversion(value.py(), &format!("{what}{}: {reason}", writer.place()), &writer.place()))
        }
    }
}

enum Stop {
    Because(String),
    Python(PyErr),
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Stop::Python(error)
    }
}

enum Segment {
    Key(String),
    Index(usize),
}

struct Writer {
    out: String,
    /// Where the value stands that JSON cannot say; written from the inside out, after the error.
    path: Vec<Segment>,
    limit: usize,
}

impl Writer {
    fn write(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), Stop> {
        self.check_size()?;
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text);
        }
        if value.is_none() {
            self.out.push_str("null");
        } else if let Ok(flag) = value.cast_exact::<PyBool>() {
            self.out.push_str(if flag.is_true() { "true" } else { "false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            return self.integer(number);
        } else if let Ok(number) = value.cast::<PyFloat>() {
            return self.float(number.value());
        } else if let Ok(entries) = value.cast::<PyDict>() {
            return self.dict(entries, depth);
        } else if let Ok(items) = value.cast::<PyList>() {
            return self.items(items.iter(), depth);
        } else if let Ok(items) = value.cast::<PyTuple>() {
            return self.items(items.iter(), depth);
        } else {
            return self.other(value, depth);
        }
        Ok(())
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Result<(), Stop> {
        match text.to_str() {
            Ok(text) => {
                push_text(&mut self.out, text);
                Ok(())
            }
            Err(_) => Err(Stop::Because("the text holds half of a surrogate pair, which is no Unicode".into())),
        }
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) -> Result<(), Stop> {
        match number.extract::<i64>() {
            Ok(small) => self.out.push_str(itoa::Buffer::new().format(small)),
            // An int subclass may print itself otherwise: ask int.
            Err(_) => {
                let digits: String = number.py().get_type::<PyInt>().call_method1("__repr__", (number,))?.extract()?;
                self.out.push_str(&digits);
            }
        }
        Ok(())
    }

    fn float(&mut self, number: f64) -> Result<(), Stop> {
        if !number.is_finite() {
            let name = if number.is_nan() { "nan".into() } else { number.to_string() };
            return Err(Stop::Because(format!("{name} is no number that JSON can hold")));
        }
        self.out.push_str(ryu::Buffer::new().format_finite(number));
        Ok(())
    }

    fn dict(&mut self, entries: &Bound<'_, PyDict>, depth: usize) -> Result<(), Stop> {
        self.check_depth(depth)?;
        self.out.push('{');
        let mut first = true;
        for (key, value) in entries.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                let kind = key.get_type().name()?;
                return Err(Stop::Because(format!("the key {} is {kind}, and keys must be text", short(&key))));
            };
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            self.text(key)?;
            self.out.push(':');
            let result = self.write(&value, depth + 1);
            if result.is_err() {
                self.path.insert(0, Segment::Key(key.to_string_lossy().into_owned()));
                return result;
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> Result<(), Stop> {
        self.check_depth(depth)?;
        self.out.push('[');
        for (index, value) in items.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            let result = self.write(&value, depth + 1);
            if result.is_err() {
                self.path.insert(0, Segment::Index(index));
                return result;
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// Models, dataclasses, dates and the like: as Python makes them plain.
    fn other(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), Stop> {
        static JSONABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        self.check_depth(depth)?;
        let plain = match JSONABLE.import(value.py(), "tasker_core._jsonable", "jsonable")?.call1((value,)) {
            Ok(plain) => plain,
            Err(error) if error.is_instance_of::<PyValueError>(value.py()) => {
                return Err(Stop::Because(error.value(value.py()).to_string()))
            }
            Err(error) => return Err(error.into()),
        };
        self.write(&plain, depth + 1)
    }

    fn check_size(&self) -> Result<(), Stop> {
        if self.out.len() > self.limit {
            return Err(Stop::Because(format!("it has more than {} bytes as JSON", self.limit)));
        }
        Ok(())
    }

    fn check_depth(&self, depth: usize) -> Result<(), Stop> {
        if depth >= MAX_DEPTH {
            return Err(Stop::Because(format!("it is nested deeper than {MAX_DEPTH}, or holds itself")));
        }
        Ok(())
    }

    /// `["a"][0]`, shortened in the middle of a very long path.
    fn place(&self) -> String {
        let segment = |segment: &Segment| match segment {
            Segment::Key(key) => format!("[{}]", serde_json::to_string(key).unwrap_or_default()),
            Segment::Index(index) => format!("[{index}]"),
        };
        if self.path.len() <= 12 {
            return self.path.iter().map(segment).collect();
        }
        let start: String = self.path[..6].iter().map(segment).collect();
        let end: String = self.path[self.path.len() - 3..].iter().map(segment).collect();
        format!("{start}...{end}")
    }
}

/// A value's `repr`, short enough for a message.
fn short(value: &Bound<'_, PyAny>) -> String {
    let text = value.repr().map_or_else(|_| "<without a repr>".into(), |text| text.to_string_lossy().into_owned());
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn push_text(out: &mut String, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.reserve(text.len() + 2);
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}
