//! `environments`: what a template changes in one deployment.

use serde_json::Value as Json;

use super::document::Node;
use super::reader::{read_retry, Fields, Problems};
use super::StepTemplate;

/// Checks every environment and applies the one named `chosen`.
///
/// `initialization` merges by key, `timeout_seconds` replaces, `retry` merges by field; a step named `ALL` means every step, and a step's own entry wins over it.
pub fn overlay(node: &Node, chosen: Option<&str>, steps: &mut [StepTemplate], problems: &mut Problems) {
    let super::document::Value::Map(environments) = &node.value else {
        problems.error(
            "type",
            node.at,
            "environments",
            format!("`environments` is a mapping, not {}", node.kind()),
            None,
        );
        return;
    };
    for environment in environments {
        let path = format!("environments.{}", environment.key);
        // What is not chosen is read over a copy, so that its mistakes show in every environment.
        let mut copy;
        let target: &mut [StepTemplate] = if chosen == Some(environment.key.as_str()) {
            steps
        } else {
            copy = steps.to_vec();
            &mut copy
        };
        read_environment(&environment.node, &path, target, problems);
    }
}

fn read_environment(node: &Node, path: &str, steps: &mut [StepTemplate], problems: &mut Problems) {
    let Some(mut fields) = Fields::of(node, path, problems) else { return };
    let entries = fields.list("steps", problems).unwrap_or_default();
    let list = fields.path("steps");
    fields.finish(problems);
    let is_all = |entry: &Node| {
        matches!(&entry.value, super::document::Value::Map(keys)
        if keys.iter().any(|key| key.key == "name" && key.node.value == super::document::Value::Text("ALL".into())))
    };
    // `ALL` first, whatever the order in the file.
    for wanted in [true, false] {
        for (position, entry) in entries.iter().enumerate().filter(|(_, entry)| is_all(entry) == wanted) {
            read_entry(entry, &format!("{list}[{position}]"), steps, problems);
        }
    }
}

fn read_entry(node: &Node, path: &str, steps: &mut [StepTemplate], problems: &mut Problems) {
    let Some(mut fields) = Fields::of(node, path, problems) else { return };
    let name = fields.text("name", problems).unwrap_or_default();
    let handler = fields.get("handler");
    let timeout_ms = fields.seconds("timeout_seconds", problems);
    let retry = fields.get("retry");
    let retry_path = fields.path("retry");
    let initialization = handler.and_then(|node| {
        let mut fields = Fields::of(node, &format!("{path}.handler"), problems)?;
        let initialization = fields.object("initialization", problems);
        fields.finish(problems);
        initialization
    });
    fields.finish(problems);
    let mut matched = false;
    for step in steps.iter_mut().filter(|step| name == "ALL" || step.name == name) {
        // The same mistake is told once, not for each step that `ALL` names.
        let mut repeated = Problems::default();
        let found = if matched { &mut repeated } else { &mut *problems };
        matched = true;
        if let Some(timeout_ms) = timeout_ms {
            step.timeout_ms = Some(timeout_ms);
        }
        if let Some(retry) = retry {
            read_retry(retry, &retry_path, &mut step.retry, found);
        }
        if let (Some(Json::Object(changes)), Json::Object(own)) = (&initialization, &mut step.handler.initialization) {
            own.extend(changes.clone());
        }
    }
    if !matched && name != "ALL" {
        let hint = super::problem::nearest(name, steps.iter().map(|step| step.name.as_str()))
            .map(|near| format!("did you mean `{near}`?"));
        problems.error("unknown-step", node.at, path, format!("`{name}` is not a step of this template"), hint);
    }
}
