//! From a document to a template: the keys, their types and ranges, and the graph. Problems are collected, never returned at the first.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::document::{Entry, Node, Value};
use super::problem::{nearest, Position, Problem, Severity};
use super::{
    declarations, environment, graph, HandlerSpec, IdentityStrategy, InvalidTemplate, Lifecycle, StepKind,
    StepTemplate, Template, MAX_DECISION_DEPTH, MAX_STEPS,
};
use crate::retry::{Backoff, RetryPolicy};

pub fn template(root: &Node, env: Option<&str>) -> Result<(Template, Vec<Problem>), InvalidTemplate> {
    let mut problems = Problems::default();
    let parsed = read_template(root, env, &mut problems);
    let mut problems = problems.found;
    problems.sort_by_key(|problem| problem.at);
    match parsed {
        Some(template) if !problems.iter().any(Problem::is_error) => Ok((template, problems)),
        _ => Err(InvalidTemplate { problems }),
    }
}

/// What was found so far.
#[derive(Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    pub fn error(&mut self, code: &'static str, at: Position, path: &str, message: String, hint: Option<String>) {
        self.found.push(Problem { severity: Severity::Error, code, message, hint, at, path: path.to_string() });
    }

    pub fn warning(&mut self, code: &'static str, at: Position, path: &str, message: String, hint: Option<String>) {
        self.found.push(Problem { severity: Severity::Warning, code, message, hint, at, path: path.to_string() });
    }

    fn any_error(&self) -> bool {
        self.found.iter().any(Problem::is_error)
    }
}

/// A mapping that is read key by key; the keys that nobody asked for are warned of when it is finished.
pub struct Fields<'a> {
    entries: &'a [Entry],
    at: Position,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub fn of(node: &'a Node, path: &str, problems: &mut Problems) -> Option<Fields<'a>> {
        match &node.value {
            Value::Map(entries) => Some(Fields { entries, at: node.at, path: path.to_string(), known: Vec::new() }),
            _ => {
                problems.error("type", node.at, path, format!("a mapping is expected here, not {}", node.kind()), None);
                None
            }
        }
    }

    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_string()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of a key; one that is empty counts as absent.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.node.value != Value::Null).then_some(&entry.node)
    }

    /// The value of a key that has an older name beside it.
    fn get_either(&mut self, key: &'static str, alias: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        match (self.get(key), self.get(alias)) {
            (Some(_), Some(second)) => {
                let path = self.path(alias);
                problems.error(
                    "both-names",
                    second.at,
                    &path,
                    format!("`{key}` and `{alias}` mean the same; keep one"),
                    None,
                );
                None
            }
            (one, other) => one.or(other),
        }
    }

    pub fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let node = self.get(key)?;
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                let hint = matches!(node.value, Value::Number(_) | Value::Bool(_)).then(|| "quote it".to_string());
                problems.error("type", node.at, &self.path(key), format!("`{key}` is text, not {}", node.kind()), hint);
                None
            }
        }
    }

    pub fn required_text(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a str> {
        if self.get(key).is_none() {
            problems.error("missing", self.at, &self.path, format!("`{key}` is missing"), None);
            return None;
        }
        self.text(key, problems)
    }

    fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let node = self.get(key)?;
        match node.value {
            Value::Bool(flag) => Some(flag),
            _ => {
                problems.error(
                    "type",
                    node.at,
                    &self.path(key),
                    format!("`{key}` is true or false, not {}", node.kind()),
                    None,
                );
                None
            }
        }
    }

    pub fn integer(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
        problems: &mut Problems,
    ) -> Option<i64> {
        let node = self.get(key)?;
        let number = match &node.value {
            Value::Number(text) => text.parse::<i64>().ok().or_else(|| {
                let integral = !text.contains(['.', 'e', 'E']);
                // An integer too large for the machine is out of any range.
                integral.then_some(if text.starts_with('-') { i64::MIN } else { i64::MAX })
            }),
            _ => None,
        };
        match number {
            None => {
                problems.error(
                    "type",
                    node.at,
                    &self.path(key),
                    format!("`{key}` is a whole number, not {}", node.kind()),
                    None,
                );
                None
            }
            Some(number) if !range.contains(&number) => {
                let message = format!("`{key}` is between {} and {}", range.start(), range.end());
                problems.error("range", node.at, &self.path(key), message, None);
                None
            }
            some => some,
        }
    }

    /// A positive number of seconds, as milliseconds.
    pub fn seconds(&mut self, key: &'static str, problems: &mut Problems) -> Option<u64> {
        let node = self.get(key)?;
        match &node.value {
            Value::Number(text) => match text.parse::<f64>() {
                Ok(seconds) if seconds > 0.0 && seconds <= 2_592_000.0 => {
                    Some(((seconds * 1000.0).round() as u64).max(1))
                }
                _ => {
                    problems.error(
                        "range",
                        node.at,
                        &self.path(key),
                        format!("`{key}` is more than 0 and at most 2592000 seconds (30 days)"),
                        None,
                    );
                    None
                }
            },
            _ => {
                problems.error(
                    "type",
                    node.at,
                    &self.path(key),
                    format!("`{key}` is a number of seconds, not {}", node.kind()),
                    None,
                );
                None
            }
        }
    }

    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let at = self.get(key)?.at;
        let text = self.text(key, problems)?;
        match choices.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Some(*value),
            None => {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                let hint = nearest(text, names.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                problems.error(
                    "choice",
                    at,
                    &self.path(key),
                    format!("`{key}` is one of {}; got `{text}`", names.join(", ")),
                    hint,
                );
                None
            }
        }
    }

    /// One of the values of an enum, by its name.
    pub fn named<T: Copy>(
        &mut self,
        key: &'static str,
        all: &[T],
        name: fn(T) -> &'static str,
        problems: &mut Problems,
    ) -> Option<T> {
        let choices: Vec<_> = all.iter().map(|value| (name(*value), *value)).collect();
        self.choice(key, &choices, problems)
    }

    pub fn list(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a [Node]> {
        let node = self.get(key)?;
        list_of(node, key, &self.path(key), problems)
    }

    /// A free mapping, as JSON.
    pub fn object(&mut self, key: &'static str, problems: &mut Problems) -> Option<Json> {
        let node = self.get(key)?;
        match node.value {
            Value::Map(_) => Some(node.to_json()),
            _ => {
                problems.error(
                    "type",
                    node.at,
                    &self.path(key),
                    format!("`{key}` is a mapping, not {}", node.kind()),
                    None,
                );
                None
            }
        }
    }

    pub fn finish(self, problems: &mut Problems) {
        for entry in self.entries {
            if !self.known.contains(&entry.key.as_str()) {
                let hint = match nearest(&entry.key, self.known.iter().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("known here: {}", self.known.join(", ")),
                };
                let path = self.path(&entry.key);
                problems.warning(
                    "unknown-key",
                    entry.key_at,
                    &path,
                    format!("the key `{}` is not known and does nothing", entry.key),
                    Some(hint),
                );
            }
        }
    }
}

fn list_of<'a>(node: &'a Node, key: &str, path: &str, problems: &mut Problems) -> Option<&'a [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => {
            problems.error("type", node.at, path, format!("`{key}` is a list, not {}", node.kind()), None);
            None
        }
    }
}

fn read_template(root: &Node, env: Option<&str>, problems: &mut Problems) -> Option<Template> {
    let mut fields = Fields::of(root, "", problems)?;
    let name = fields.required_text("name", problems).unwrap_or_default();
    check_name(&mut fields, "name", name, 255, problems);
    let namespace = fields.text("namespace_name", problems).unwrap_or("default");
    check_length(&mut fields, "namespace_name", namespace, 29, problems);
    let version = fields.text("version", problems).unwrap_or("1.0.0");
    check_version(&mut fields, version, problems);
    let description = fields.text("description", problems).map(str::to_string);
    for key in ["metadata", "system_dependencies", "input_schema"] {
        fields.object(key, problems);
    }
    let lifecycle = match fields.get("lifecycle") {
        Some(node) => declarations::lifecycle(node, "lifecycle", problems),
        None => Lifecycle::default(),
    };
    let identity = fields.named("identity_strategy", IdentityStrategy::ALL, IdentityStrategy::name, problems);
    let identity = identity.unwrap_or(IdentityStrategy::AlwaysUnique);
    declarations::domain_events(fields.list("domain_events", problems).unwrap_or_default(), problems);
    let overlays = fields.get("environments");
    let items = match fields.get("steps") {
        Some(node) => list_of(node, "steps", "steps", problems).unwrap_or_default(),
        None => {
            problems.error("missing", root.at, "", "`steps` is missing".into(), None);
            &[]
        }
    };
    if items.len() > MAX_STEPS {
        problems.error(
            "too-many-steps",
            root.at,
            "steps",
            format!("{} steps; at most {MAX_STEPS} are taken", items.len()),
            None,
        );
        return None;
    }
    fields.finish(problems);

    let mut steps = Vec::with_capacity(items.len());
    let mut needs = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        if let Some((step, dependencies)) = read_step(item, &format!("steps[{position}]"), problems) {
            steps.push(step);
            needs.push(dependencies);
        }
    }
    let names = step_names(&steps, problems);
    resolve_dependencies(&mut steps, &needs, &names, problems);
    // A dependency that is missing is reported above; what cycles there are among the others is reported all the same.
    report_cycles(&steps, problems);
    check_kinds(&steps, problems);
    if let Some(node) = overlays {
        environment::overlay(node, env, &mut steps, problems);
    }
    if problems.any_error() {
        return None;
    }
    for position in 0..steps.len() {
        for need in steps[position].dependencies.clone() {
            steps[need as usize].dependants.push(position as u32);
        }
    }
    check_graph(&steps, problems);
    if problems.any_error() {
        return None;
    }
    graph::mark_initial(&mut steps);
    let rules = (lifecycle, identity);
    Some(Template::new(namespace.into(), name.into(), version.into(), description, steps, rules, &root.to_json()))
}

fn check_name(fields: &mut Fields, key: &'static str, name: &str, longest: usize, problems: &mut Problems) {
    let shaped = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if name.is_empty() {
        return; // missing, and reported as that
    }
    if !shaped {
        let at = fields.get(key).map_or(fields.at, |node| node.at);
        let hint = Some(format!("`{}` would do", suggestion(name)));
        problems.error(
            "name",
            at,
            &fields.path(key),
            format!("`{key}` is lower-case letters, digits and `_`, a letter first; got `{name}`"),
            hint,
        );
    }
    check_length(fields, key, name, longest, problems);
}

/// The nearest name of the right shape.
fn suggestion(name: &str) -> String {
    let mut shaped: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(255).collect();
    if !shaped.starts_with(|c: char| c.is_ascii_lowercase()) {
        shaped.insert_str(0, "w_");
    }
    shaped
}

fn check_length(fields: &mut Fields, key: &'static str, text: &str, longest: usize, problems: &mut Problems) {
    let length = text.chars().count();
    if length > longest {
        let at = fields.get(key).map_or(fields.at, |node| node.at);
        problems.error(
            "length",
            at,
            &fields.path(key),
            format!("`{key}` has {length} characters; at most {longest} are allowed"),
            None,
        );
    }
}

fn check_version(fields: &mut Fields, version: &str, problems: &mut Problems) {
    let parts: Vec<&str> = version.split('.').collect();
    let numeric = |part: &&str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().all(numeric) {
        let at = fields.get("version").map_or(fields.at, |node| node.at);
        problems.error(
            "version",
            at,
            "version",
            format!("`version` is three numbers such as 1.0.0; got `{version}`"),
            None,
        );
    }
}

/// What a step waits for, by name, with the place of each name.
type Needs<'a> = Vec<(&'a str, Position, String)>;

fn read_step<'a>(node: &'a Node, path: &str, problems: &mut Problems) -> Option<(StepTemplate, Needs<'a>)> {
    let mut fields = Fields::of(node, path, problems)?;
    let name = fields.required_text("name", problems).unwrap_or_default();
    check_length(&mut fields, "name", name, 255, problems);
    if fields.get("name").is_some_and(|node| matches!(&node.value, Value::Text(text) if text.trim().is_empty())) {
        problems.error("name", node.at, &fields.path("name"), "a step's name may not be empty".into(), None);
    }
    let description = fields.text("description", problems).map(str::to_string);
    let by_type = fields.named("type", StepKind::ALL, StepKind::name, problems);
    let by_step_type = fields.named("step_type", StepKind::ALL, StepKind::name, problems);
    let kind = by_type.or(by_step_type).unwrap_or(StepKind::Standard);
    let handler = match kind {
        // Whoever sends the signal does the step.
        StepKind::WaitForSignal => HandlerSpec::default(),
        _ => read_handler(&mut fields, problems),
    };
    let mut needs = Vec::new();
    if let Some(list) = fields.get_either("dependencies", "depends_on", problems) {
        let path = fields.path("dependencies");
        for (position, item) in list_of(list, "dependencies", &path, problems).unwrap_or_default().iter().enumerate() {
            let path = format!("{path}[{position}]");
            match &item.value {
                Value::Text(text) => needs.push((text.as_str(), item.at, path)),
                _ => problems.error(
                    "type",
                    item.at,
                    &path,
                    format!("a dependency is the name of a step, not {}", item.kind()),
                    None,
                ),
            }
        }
    }
    let mut retry = RetryPolicy::default();
    if let Some(node) = fields.get("retry") {
        read_retry(node, &fields.path("retry"), &mut retry, problems);
    }
    let timeout_ms = fields.seconds("timeout_seconds", problems);
    let path = fields.path("publishes_events");
    declarations::published_events(fields.list("publishes_events", problems).unwrap_or_default(), &path, problems);
    let batch = fields.get("batch_config");
    let batch = batch.map(|node| Box::new(declarations::batch_config(node, &fields.path("batch_config"), problems)));
    fields.object("result_schema", problems);
    fields.finish(problems);
    let step = StepTemplate {
        name: name.to_string(),
        description,
        kind,
        handler,
        dependencies: Vec::new(),
        dependants: Vec::new(),
        retry,
        timeout_ms,
        batch,
        initial: false,
        at: node.at,
    };
    Some((step, needs))
}

/// A handler that is missing or wrong is a problem; the step still counts as one that others may depend on.
fn read_handler(fields: &mut Fields, problems: &mut Problems) -> HandlerSpec {
    let Some(node) = fields.get("handler") else {
        let hint = Some("add `handler: {callable: your_module.YourHandler}`".to_string());
        problems.error("missing", fields.at, &fields.path, "`handler` is missing".into(), hint);
        return HandlerSpec::default();
    };
    let Some(mut handler) = Fields::of(node, &fields.path("handler"), problems) else {
        return HandlerSpec::default();
    };
    let callable = handler.required_text("callable", problems);
    let method = handler.text("method", problems).map(str::to_string);
    let resolver = handler.text("resolver", problems).map(str::to_string);
    let initialization = handler.object("initialization", problems).unwrap_or_else(|| Json::Object(Default::default()));
    handler.finish(problems);
    HandlerSpec { callable: callable.unwrap_or_default().to_string(), method, resolver, initialization }
}

/// Reads `retry` over what stands in `policy`, key by key; environments do the same over a step's own.
pub fn read_retry(node: &Node, path: &str, policy: &mut RetryPolicy, problems: &mut Problems) {
    let Some(mut fields) = Fields::of(node, path, problems) else { return };
    if let Some(retryable) = fields.flag("retryable", problems) {
        policy.retryable = retryable;
    }
    if let Some(number) = fields.integer("max_attempts", 1..=100, problems) {
        policy.max_attempts = number as u16;
    }
    if let Some(backoff) = fields.named("backoff", Backoff::ALL, Backoff::name, problems) {
        policy.backoff = backoff;
    }
    if let Some(number) = fields.integer("backoff_base_ms", 100..=3_600_000, problems) {
        policy.base_ms = number as u32;
    }
    if let Some(number) = fields.integer("max_backoff_ms", 1000..=3_600_000, problems) {
        policy.max_ms = number as u32;
    }
    fields.finish(problems);
}

fn step_names(steps: &[StepTemplate], problems: &mut Problems) -> HashMap<String, u32> {
    let mut names: HashMap<String, u32> = HashMap::with_capacity(steps.len());
    for (step, position) in steps.iter().zip(0..) {
        if step.name.is_empty() {
            continue;
        }
        match names.entry(step.name.clone()) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(position);
            }
            std::collections::hash_map::Entry::Occupied(entry) => {
                let first = steps[*entry.get() as usize].at.line;
                let path = format!("steps[{position}].name");
                problems.error(
                    "duplicate-step",
                    step.at,
                    &path,
                    format!("a second step is named `{}`", step.name),
                    Some(format!("the first is on line {first}")),
                );
            }
        }
    }
    names
}

fn resolve_dependencies(
    steps: &mut [StepTemplate],
    needs: &[Needs],
    names: &HashMap<String, u32>,
    problems: &mut Problems,
) {
    for (step, needs) in steps.iter_mut().zip(needs) {
        for (need, at, path) in needs {
            match names.get(*need) {
                Some(position) if step.dependencies.contains(position) => {
                    problems.warning(
                        "repeated-dependency",
                        *at,
                        path,
                        format!("`{}` names `{need}` twice", step.name),
                        None,
                    );
                }
                Some(position) => step.dependencies.push(*position),
                None => {
                    let hint =
                        nearest(need, names.keys().map(String::as_str)).map(|name| format!("did you mean `{name}`?"));
                    let message =
                        format!("step `{}` depends on `{need}`, which is not a step of this template", step.name);
                    problems.error("unknown-dependency", *at, path, message, hint);
                }
            }
        }
    }
}

fn report_cycles(steps: &[StepTemplate], problems: &mut Problems) {
    let dependencies: Vec<Vec<u32>> = steps.iter().map(|step| step.dependencies.clone()).collect();
    for cycle in graph::cycles(&dependencies) {
        let first = cycle[0];
        // Written in the order in which the steps would run.
        let names: Vec<&str> =
            cycle.iter().rev().chain(cycle.last()).map(|&step| steps[step as usize].name.as_str()).collect();
        let message = format!("these steps wait for each other: {}", names.join(" -> "));
        let hint = Some("take one of the dependencies out".to_string());
        problems.error("cycle", steps[first as usize].at, &format!("steps[{first}].dependencies"), message, hint);
    }
}

fn check_kinds(steps: &[StepTemplate], problems: &mut Problems) {
    for (position, step) in steps.iter().enumerate() {
        let path = format!("steps[{position}]");
        if step.kind == StepKind::Decision && step.dependencies.is_empty() {
            let message =
                format!("the decision step `{}` depends on no step, so there is nothing to decide on", step.name);
            problems.error(
                "decision-without-dependency",
                step.at,
                &path,
                message,
                Some("name the step whose result it reads".into()),
            );
        }
        check_batch(steps, position, problems);
        if step.kind == StepKind::OnFailure && (!step.dependencies.is_empty() || has_dependants(steps, position)) {
            let message = format!(
                "the step `{}` runs when others have failed: it has no dependencies, and none depends on it",
                step.name
            );
            problems.error(
                "on-failure-in-graph",
                step.at,
                &path,
                message,
                Some("it may read every step's result".into()),
            );
        }
        if step.timeout_ms.is_none() && step.kind != StepKind::WaitForSignal {
            let message = format!("step `{}` has no `timeout_seconds`: an attempt of it may run for ever", step.name);
            problems.warning("no-timeout", step.at, &path, message, None);
        }
    }
}

fn has_dependants(steps: &[StepTemplate], position: usize) -> bool {
    steps.iter().any(|step| step.dependencies.contains(&(position as u32)))
}

/// A batch worker belongs below a batchable step, and the worker that a `batch_config` names is one.
fn check_batch(steps: &[StepTemplate], position: usize, problems: &mut Problems) {
    let step = &steps[position];
    let path = format!("steps[{position}]");
    let is_kind = |place: u32, kind| steps[place as usize].kind == kind;
    if step.kind == StepKind::BatchWorker && !step.dependencies.iter().any(|&need| is_kind(need, StepKind::Batchable)) {
        let message =
            format!("the batch worker `{}` depends on no batchable step, so nothing ever creates it", step.name);
        let hint = Some("name the step of type `batchable` that cuts its work into pieces".into());
        problems.error("worker-without-batchable", step.at, &path, message, hint);
    }
    let Some(wanted) = step.batch.as_ref().and_then(|batch| batch.worker_template.as_deref()) else { return };
    let workers: Vec<&str> =
        steps.iter().filter(|step| step.kind == StepKind::BatchWorker).map(|step| step.name.as_str()).collect();
    if !workers.contains(&wanted) {
        let hint = nearest(wanted, workers.iter().copied()).map(|name| format!("did you mean `{name}`?"));
        let message = format!("`worker_template` names `{wanted}`, which is no step of type `batch_worker`");
        problems.error("unknown-worker", step.at, &format!("{path}.batch_config.worker_template"), message, hint);
    }
}

/// What a step is in the graph as a whole.
fn check_graph(steps: &[StepTemplate], problems: &mut Problems) {
    let depths = graph::decision_depths(steps);
    let too_deep = (0..steps.len()).find(|&step| depths[step] > MAX_DECISION_DEPTH);
    if let Some(position) = too_deep {
        let step = &steps[position];
        let message =
            format!("the decision `{}` lies below {MAX_DECISION_DEPTH} others; that many is the limit", step.name);
        problems.error("decisions-too-deep", step.at, &format!("steps[{position}]"), message, None);
    }
    let on_failure = steps.iter().zip(0..).filter(|(step, _)| step.kind == StepKind::OnFailure);
    for (step, position) in on_failure.skip(1) {
        let message = format!("a second step of type `on_failure`, `{}`; a template has at most one", step.name);
        problems.error("second-on-failure", step.at, &format!("steps[{position}]"), message, None);
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
