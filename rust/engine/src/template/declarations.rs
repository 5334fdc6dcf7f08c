//! The parts of a template that are checked when it is loaded: lifecycle, events, batches.

use super::document::Node;
use super::reader::{Fields, Problems};
use super::{BatchPolicy, FailureStrategy, Lifecycle, Staleness};

const MONTH_MINUTES: i64 = 43_200;

/// `lifecycle`: how long a task may take in all, and in which condition.
pub fn lifecycle(node: &Node, path: &str, problems: &mut Problems) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    let Some(mut fields) = Fields::of(node, path, problems) else { return lifecycle };
    let mut minutes = |key| Some(fields.integer(key, 1..=MONTH_MINUTES, problems)? as u64 * 60_000);
    lifecycle.duration_ms = minutes("max_duration_minutes");
    lifecycle.waiting_for_dependencies_ms = minutes("max_waiting_for_dependencies_minutes");
    lifecycle.waiting_for_retry_ms = minutes("max_waiting_for_retry_minutes");
    lifecycle.steps_in_process_ms = minutes("max_steps_in_process_minutes");
    if let Some(staleness) = fields.named("staleness_action", Staleness::ALL, Staleness::name, problems) {
        lifecycle.staleness = staleness;
    }
    fields.finish(problems);
    lifecycle
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
pub fn batch_config(node: &Node, path: &str, problems: &mut Problems) -> BatchPolicy {
    let mut policy = BatchPolicy::default();
    let Some(mut fields) = Fields::of(node, path, problems) else { return policy };
    // Handlers read it from their own configuration; here it is checked.
    fields.integer("batch_size", 1..=100_000, problems);
    if let Some(number) = fields.integer("parallelism", 1..=1000, problems) {
        policy.parallelism = number as u32;
    }
    if let Some(field) = fields.text("cursor_field", problems) {
        policy.cursor_field = field.to_string();
    }
    policy.worker_template = fields.text("worker_template", problems).map(str::to_string);
    if let Some(strategy) = fields.named("failure_strategy", FailureStrategy::ALL, FailureStrategy::name, problems) {
        policy.strategy = strategy;
    }
    fields.finish(problems);
    policy
}
