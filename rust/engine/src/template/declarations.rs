//! The parts of a template that are checked when it is loaded: lifecycle, events, batches.

use super::document::Node;
use super::reader::{Fields, Problems};

const MONTH_MINUTES: i64 = 43_200;

/// `lifecycle`: how long a task may take in all, and in which condition.
pub fn lifecycle(node: &Node, path: &str, problems: &mut Problems) {
    let Some(mut fields) = Fields::of(node, path, problems) else { return };
    for key in [
        "max_duration_minutes",
        "max_waiting_for_dependencies_minutes",
        "max_waiting_for_retry_minutes",
        "max_steps_in_process_minutes",
    ] {
        fields.integer(key, 1..=MONTH_MINUTES, problems);
    }
    fields.choice("staleness_action", &[("dlq", ()), ("error", ()), ("none", ())], problems);
    fields.finish(problems);
}

/// `domain_events`: what the workflow tells others.
pub fn domain_events(items: &[Node], problems: &mut Problems) {
    for (position, item) in items.iter().enumerate() {
        let Some(mut fields) = Fields::of(item, &format!("domain_events[{position}]"), problems) else { continue };
        fields.required_text("name", problems);
        fields.text("description", problems);
        fields.object("schema", problems);
        fields.finish(problems);
    }
}

/// `publishes_events`: what a step tells others, and when.
pub fn published_events(items: &[Node], path: &str, problems: &mut Problems) {
    const CONDITIONS: &[(&str, ())] =
        &[("success", ()), ("failure", ()), ("retryable_failure", ()), ("permanent_failure", ()), ("always", ())];
    for (position, item) in items.iter().enumerate() {
        let Some(mut fields) = Fields::of(item, &format!("{path}[{position}]"), problems) else { continue };
        fields.required_text("name", problems);
        fields.text("description", problems);
        fields.choice("condition", CONDITIONS, problems);
        fields.object("schema", problems);
        fields.choice("delivery_mode", &[("durable", ()), ("fast", ()), ("broadcast", ())], problems);
        fields.text("publisher", problems);
        fields.finish(problems);
    }
}

/// `batch_config`: how a batchable step is cut into pieces.
pub fn batch_config(node: &Node, path: &str, problems: &mut Problems) {
    const STRATEGIES: &[(&str, ())] = &[("continue_on_failure", ()), ("fail_fast", ()), ("isolate", ())];
    let Some(mut fields) = Fields::of(node, path, problems) else { return };
    fields.integer("batch_size", 1..=100_000, problems);
    fields.integer("parallelism", 1..=1000, problems);
    fields.text("cursor_field", problems);
    fields.text("worker_template", problems);
    fields.choice("failure_strategy", STRATEGIES, problems);
    fields.finish(problems);
}
