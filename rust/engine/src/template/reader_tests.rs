use super::super::{InvalidTemplate, Template};
use super::*;

const TWO_STEPS: &str = "\
name: orders
namespace_name: shop
version: 1.2.3
steps:
  - name: a
    handler: {callable: m.A}
    timeout_seconds: 1
  - name: b
    handler: {callable: m.B, method: go, resolver: mine, initialization: {x: 1}}
    depends_on: [a]
    retry: {retryable: false, max_attempts: 7, backoff: linear, backoff_base_ms: 100, max_backoff_ms: 2000}
    timeout_seconds: 2.5
";

fn errors(source: &str) -> Vec<String> {
    let InvalidTemplate { problems } = Template::parse(source, None).unwrap_err();
    problems
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| format!("{}:{} {} {}", problem.at.line, problem.at.column, problem.code, problem.message))
        .collect()
}

fn warnings(source: &str) -> Vec<String> {
    let (_, problems) = Template::parse(source, None).unwrap();
    problems
        .iter()
        .map(|problem| format!("{}:{} {} {}", problem.at.line, problem.at.column, problem.code, problem.message))
        .collect()
}

#[test]
fn a_template_is_read_with_its_graph() {
    let (template, warnings) = Template::parse(TWO_STEPS, None).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(template.label(), "shop/orders@1.2.3");
    let [a, b] = template.steps.as_slice() else { panic!() };
    assert_eq!((a.dependants.as_slice(), b.dependencies.as_slice()), ([1].as_slice(), [0].as_slice()));
    assert_eq!(b.handler.method.as_deref(), Some("go"));
    assert_eq!(b.handler.resolver.as_deref(), Some("mine"));
    assert_eq!(b.handler.initialization.to_string(), r#"{"x":1}"#);
    assert_eq!(
        b.retry,
        RetryPolicy { retryable: false, max_attempts: 7, backoff: Backoff::Linear, base_ms: 100, max_ms: 2000 }
    );
    assert_eq!((a.timeout_ms, b.timeout_ms), (Some(1000), Some(2500)));
    assert_eq!(a.retry, RetryPolicy::default());
    assert_eq!(template.step_index("b"), Some(1));
}

#[test]
fn what_the_store_keeps_makes_the_same_template() {
    let (template, _) = Template::parse(TWO_STEPS, None).unwrap();
    let again = Template::from_document(&template.document, None).unwrap();
    assert_eq!((again.hash, again.steps.len()), (template.hash, 2));
}

#[test]
fn comments_and_layout_do_not_change_the_hash_but_values_do() {
    let hash = |source: &str| Template::parse(source, None).unwrap().0.hash;
    assert_eq!(
        hash(TWO_STEPS),
        hash(&format!("# orders\n{}", TWO_STEPS.replace("{callable: m.A}", "\n      callable: 'm.A'")))
    );
    assert_ne!(hash(TWO_STEPS), hash(&TWO_STEPS.replace("m.A", "m.C")));
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let source = "\
name: Orders
version: 1.0
steps:
  - name: a
    handler: {callable: m.A}
    dependencies: [c, nope]
    retry: {max_attempts: 0, backoff: exponentail}
  - name: b
    dependencies: [a]
  - name: c
    handler: m.C
  - name: a
    handler: {callable: m.A}
    timeout_seconds: -1
";
    assert_eq!(
        errors(source),
        [
            "1:7 name `name` is lower-case letters, digits and `_`, a letter first; got `Orders`",
            "2:10 type `version` is text, not a number",
            "6:23 unknown-dependency step `a` depends on `nope`, which is not a step of this template",
            "7:27 range `max_attempts` is between 1 and 100",
            "7:39 choice `backoff` is one of none, linear, exponential, fibonacci; got `exponentail`",
            "8:5 missing `handler` is missing",
            "11:14 type a mapping is expected here, not text",
            "12:5 duplicate-step a second step is named `a`",
            "14:22 range `timeout_seconds` is more than 0 and at most 2592000 seconds (30 days)",
        ]
    );
}

#[test]
fn a_cycle_is_spelled_out() {
    let step = |name: &str, needs: &str| {
        format!("  - {{name: {name}, handler: {{callable: m.A}}, dependencies: [{needs}], timeout_seconds: 1}}\n")
    };
    let source = format!("name: loops\nsteps:\n{}{}{}", step("a", "c"), step("b", "a"), step("c", "b"));
    assert_eq!(errors(&source), ["3:5 cycle these steps wait for each other: b -> c -> a -> b"]);
}

#[test]
fn unknown_keys_are_warned_of_with_the_nearest_known_one() {
    let source = TWO_STEPS.replace("depends_on", "dependz_on");
    assert_eq!(warnings(&source), ["10:5 unknown-key the key `dependz_on` is not known and does nothing"]);
    let (_, problems) = Template::parse(&source, None).unwrap();
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `depends_on`?"));
    assert_eq!(problems[0].path, "steps[1].dependz_on");
}

#[test]
fn a_step_without_a_deadline_is_warned_of() {
    let source = TWO_STEPS.replace("    timeout_seconds: 1\n", "");
    assert_eq!(
        warnings(&source),
        ["5:5 no-timeout step `a` has no `timeout_seconds`: an attempt of it may run for ever"]
    );
}

#[test]
fn an_environment_changes_steps() {
    let source = format!(
        "{TWO_STEPS}environments:
  test:
    steps:
      - {{name: b, timeout_seconds: 9, retry: {{max_attempts: 2}}, handler: {{initialization: {{y: 2}}}}}}
      - {{name: ALL, timeout_seconds: 4}}
  production:
    steps: [{{name: a, timeout_seconds: 60}}]
"
    );
    let timeouts = |env| {
        let (template, _) = Template::parse(&source, env).unwrap();
        (template.steps[0].timeout_ms, template.steps[1].timeout_ms)
    };
    assert_eq!(timeouts(None), (Some(1000), Some(2500)));
    assert_eq!(timeouts(Some("test")), (Some(4000), Some(9000)));
    assert_eq!(timeouts(Some("production")), (Some(60_000), Some(2500)));
    let (template, _) = Template::parse(&source, Some("test")).unwrap();
    assert_eq!(template.steps[1].handler.initialization.to_string(), r#"{"x":1,"y":2}"#);
    assert_eq!((template.steps[1].retry.max_attempts, template.steps[1].retry.retryable), (2, false));
    // the same document, whatever the environment: a task finds its template again
    assert_eq!(template.hash, Template::parse(&source, None).unwrap().0.hash);
}

#[test]
fn a_mistake_in_an_environment_shows_in_every_other() {
    let source = format!("{TWO_STEPS}environments:\n  test:\n    steps: [{{name: nope, timeout_seconds: 0}}]\n");
    assert_eq!(
        errors(&source),
        [
            "15:13 unknown-step `nope` is not a step of this template",
            "15:43 range `timeout_seconds` is more than 0 and at most 2592000 seconds (30 days)"
        ]
    );
}

#[test]
fn a_decision_needs_something_to_decide_on() {
    let source = TWO_STEPS.replace("  - name: a\n", "  - name: a\n    type: decision\n");
    assert_eq!(
        errors(&source),
        ["5:5 decision-without-dependency the decision step `a` depends on no step, so there is nothing to decide on"]
    );
}

#[test]
fn lifecycle_events_and_batches_are_checked_too() {
    let source = "\
name: orders
lifecycle: {max_duration_minutes: 0, staleness_action: panic, max_wait: 1}
domain_events: [{description: nameless}]
steps:
  - name: a
    handler: {callable: m.A}
    timeout_seconds: 1
    publishes_events: [{name: sold, condition: sometimes, delivery_mode: 5}]
    batch_config: {batch_size: 100001, failure_strategy: isolated}
";
    let found: Vec<String> =
        errors(source).iter().map(|error| error.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        found,
        ["2:35 range", "2:56 choice", "3:17 missing", "8:48 choice", "8:74 type", "9:32 range", "9:58 choice"]
    );
    let (_, problems) =
        Template::parse(&TWO_STEPS.replace("version: 1.2.3", "lifecycle: {max_duration: 5}"), None).unwrap();
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `max_duration_minutes`?"));
}
