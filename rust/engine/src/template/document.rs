//! YAML as a tree whose every value and key knows its place.
//!
//! The text is untrusted: it is bounded in bytes, depth and number of values (an alias counts each time it is used), tags that name types are refused,
//! and what JSON cannot say (`.nan`, keys that are lists) is a problem with its place.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::problem::{Position, Problem, Severity};

pub const MAX_BYTES: usize = 1024 * 1024;
const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 500_000;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// As JSON writes it, so that integers of any size survive.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    pub at: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_at: Position,
    pub node: Node,
}

impl Node {
    /// What the value is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The tree of a JSON value, which knows no places.
    pub fn from_json(json: &serde_json::Value) -> Node {
        let nowhere = Position::default();
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => Value::Number(number.to_string()),
            serde_json::Value::String(text) => Value::Text(text.clone()),
            serde_json::Value::Array(items) => Value::List(items.iter().map(Node::from_json).collect()),
            serde_json::Value::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, item)| Entry { key: key.clone(), key_at: nowhere, node: Node::from_json(item) })
                    .collect(),
            ),
        };
        Node { value, at: nowhere }
    }

    /// The value as JSON, keys in the order they were written.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => serde_json::Value::Bool(*value),
            Value::Number(text) => serde_json::from_str(text).expect("numbers are kept in JSON's form"),
            Value::Text(text) => serde_json::Value::String(text.clone()),
            Value::List(items) => serde_json::Value::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
            ),
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// The problems that keep it from being read at all; after a syntax error there is only that one.
pub fn read(source: &str) -> Result<Node, Vec<Problem>> {
    let whole = |code, message: String, hint: &str| {
        vec![Problem {
            severity: Severity::Error,
            code,
            message,
            hint: Some(hint.to_string()),
            at: Position { line: 1, column: 1 },
            path: String::new(),
        }]
    };
    if source.len() > MAX_BYTES {
        return Err(whole(
            "too-large",
            format!("the template has {} bytes; at most {MAX_BYTES} are read", source.len()),
            "split the workflow, or move data out of the template",
        ));
    }
    let mut reader =
        Reader { events: Parser::new_from_str(source), anchors: HashMap::new(), values: 0, problems: Vec::new() };
    let root = match reader.document() {
        Ok(root) => root,
        Err(problem) => {
            reader.problems.push(*problem);
            None
        }
    };
    match root {
        _ if !reader.problems.is_empty() => Err(reader.problems),
        Some(root) => Ok(root),
        None => Err(whole("empty", "the template is empty".into(), "it needs at least `name` and `steps`")),
    }
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    values: usize,
    problems: Vec<Problem>,
}

/// Boxed, since it is rare and larger than what it stands beside.
type Fatal = Box<Problem>;

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Position), Fatal> {
        match self.events.next_event() {
            Some(Ok((event, Span { start, .. }))) => Ok((event, position(start))),
            Some(Err(error)) => {
                Err(fatal("syntax", position(*error.marker()), format!("this is not YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Fatal> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if root.is_some() => {
                    return Err(fatal(
                        "several-documents",
                        at,
                        "a second document starts here; a file holds one template".into(),
                    ))
                }
                event => root = Some(self.value(event, at, 0)?),
            }
        }
    }

    fn value(&mut self, event: Event<'a>, at: Position, depth: usize) -> Result<Node, Fatal> {
        self.count(1, at)?;
        if depth > MAX_DEPTH {
            return Err(fatal("too-deep", at, format!("values are nested deeper than {MAX_DEPTH}")));
        }
        let (value, anchor) = match event {
            Event::Alias(id) => return self.alias(id, at),
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_deref(), at), anchor),
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", at);
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, at) => items.push(self.value(event, at, depth + 1)?),
                    }
                }
                (Value::List(items), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", at);
                (Value::Map(self.entries(depth)?), anchor)
            }
            _ => (Value::Null, 0),
        };
        let node = Node { value, at };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Fatal> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Position> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, key_at) = match self.next()? {
                (Event::MappingEnd, _) => break,
                pair => pair,
            };
            let plain_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key_node = self.value(event, key_at, depth + 1)?;
            let (event, at) = self.next()?;
            let node = self.value(event, at, depth + 1)?;
            if plain_merge {
                merged.push(node);
                continue;
            }
            let key = match key_node.value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Bool(flag) => flag.to_string(),
                _ => {
                    self.problem("key", key_at, format!("a key must be text, not {}", key_node.kind()), None);
                    continue;
                }
            };
            if let Some(first) = seen.insert(key.clone(), key_at) {
                self.problem(
                    "duplicate-key",
                    key_at,
                    format!("the key `{key}` stands here a second time"),
                    Some(format!("the first is on line {}", first.line)),
                );
                continue;
            }
            entries.push(Entry { key, key_at, node });
        }
        for node in merged {
            self.merge(&mut entries, &mut seen, node);
        }
        Ok(entries)
    }

    /// `<<: *base` adds the keys of `base` that the mapping does not have itself.
    fn merge(&mut self, entries: &mut Vec<Entry>, seen: &mut HashMap<String, Position>, node: Node) {
        match node.value {
            Value::Map(base) => {
                for entry in base {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.key_at);
                        entries.push(entry);
                    }
                }
            }
            Value::List(bases) => {
                for base in bases {
                    self.merge(entries, seen, base);
                }
            }
            _ => self.problem("merge", node.at, format!("`<<` merges mappings, not {}", node.kind()), None),
        }
    }

    fn alias(&mut self, id: usize, at: Position) -> Result<Node, Fatal> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(fatal("alias", at, "this alias stands inside the value it names".into()));
        };
        self.count(size(&node), at)?;
        Ok(Node { at, ..node })
    }

    fn count(&mut self, more: usize, at: Position) -> Result<(), Fatal> {
        self.values += more;
        if self.values > MAX_VALUES {
            return Err(fatal(
                "too-many-values",
                at,
                format!("with its aliases written out, the template has more than {MAX_VALUES} values"),
            ));
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, allowed: &str, at: Position) {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == allowed) => self.refuse_tag(tag, at),
            _ => {}
        }
    }

    fn refuse_tag(&mut self, tag: &Tag, at: Position) {
        self.problem(
            "tag",
            at,
            format!("the tag `{tag}` is not allowed here"),
            Some("a template holds plain text, numbers, lists and mappings".into()),
        );
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Value {
        if let Some(tag) = tag {
            if tag.is_yaml_core_schema() && tag.suffix == "str" {
                return Value::Text(text.to_string());
            }
            let plain = tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null");
            if !plain {
                self.refuse_tag(tag, at);
                return Value::Text(text.to_string());
            }
        } else if style != ScalarStyle::Plain {
            return Value::Text(text.to_string());
        }
        match plain_scalar(text) {
            Some(value) => value,
            None => {
                self.problem(
                    "not-json",
                    at,
                    format!("`{text}` is no number that JSON can hold"),
                    Some("quote it if it is text".into()),
                );
                Value::Null
            }
        }
    }

    fn problem(&mut self, code: &'static str, at: Position, message: String, hint: Option<String>) {
        self.problems.push(Problem { severity: Severity::Error, code, message, hint, at, path: String::new() });
    }
}

/// The core schema of YAML 1.2; `None` for infinities and not-a-number.
fn plain_scalar(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            if let Ok(number) = u128::from_str_radix(digits, radix) {
                return Some(Value::Number(number.to_string()));
            }
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = unsigned.trim_start_matches('0');
        return Some(Value::Number(if digits.is_empty() { "0".into() } else { format!("{sign}{digits}") }));
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if numeric {
        if let Ok(number) = text.parse::<f64>() {
            return number.is_finite().then(|| {
                let written = format!("{number:?}");
                Value::Number(written)
            });
        }
    }
    Some(Value::Text(text.to_string()))
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| 1 + size(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

fn position(marker: Marker) -> Position {
    let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: clamp(marker.line()), column: clamp(marker.col()).saturating_add(1) }
}

fn fatal(code: &'static str, at: Position, message: String) -> Fatal {
    Box::new(Problem { severity: Severity::Error, code, message, hint: None, at, path: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(source: &str) -> String {
        read(source).unwrap().to_json().to_string()
    }

    fn codes(source: &str) -> Vec<&'static str> {
        read(source).unwrap_err().iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        assert_eq!(
            json("[1, -07, +2, 0x1f, 1.5, 1e3, 1.0.0, yes, 'true', true, ~, '', 123456789012345678901234567890, .5]"),
            r#"[1,-7,2,31,1.5,1000.0,"1.0.0","yes","true",true,null,"",123456789012345678901234567890,0.5]"#
        );
    }

    #[test]
    fn values_know_their_place() {
        let root = read("a:\n  - b\n  - c: 1\n").unwrap();
        let Value::Map(entries) = root.value else { panic!() };
        let Value::List(items) = &entries[0].node.value else { panic!() };
        assert_eq!(items[0].at, Position { line: 2, column: 5 });
        let Value::Map(inner) = &items[1].value else { panic!() };
        assert_eq!(inner[0].key_at, Position { line: 3, column: 5 });
        assert_eq!(inner[0].node.at, Position { line: 3, column: 8 });
    }

    #[test]
    fn merges_and_aliases_are_written_out() {
        assert_eq!(json("base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\n"), r#"{"base":{"x":1,"y":2},"c":{"y":3,"x":1}}"#);
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut source = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..8 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            source.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        assert_eq!(codes(&source), ["too-many-values"]);
    }

    #[test]
    fn a_deep_nest_is_refused() {
        assert_eq!(codes(&format!("{}{}", "[".repeat(100), "]".repeat(100))), ["too-deep"]);
        // deeper than the parser itself goes
        assert_eq!(codes(&"[".repeat(50_000)), ["syntax"]);
    }

    #[test]
    fn what_json_cannot_say_is_a_problem_with_its_place() {
        assert_eq!(codes("a: .nan\nb: -.inf\n"), ["not-json", "not-json"]);
        assert_eq!(codes("? [a]\n: 1\n"), ["key"]);
        assert_eq!(codes("a: 1\na: 2\n"), ["duplicate-key"]);
        assert_eq!(codes("a: !!python/object:os.system x\n"), ["tag"]);
        assert_eq!(codes("a: 1\n---\nb: 2\n"), ["several-documents"]);
        assert_eq!(codes(""), ["empty"]);
        assert_eq!(codes("a: [1\n"), ["syntax"]);
    }
}
