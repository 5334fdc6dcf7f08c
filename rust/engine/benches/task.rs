//! What the rules cost, without storage: `bazel run -c opt //rust/engine:engine_task_bench`, or `cargo bench -p tasker-engine`.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use tasker_engine::task::{Event, Task};
use tasker_engine::template::Template;

/// `count` steps, each with the dependencies that `needs` tells of its place.
fn template(count: u32, needs: impl Fn(u32) -> Vec<u32>) -> String {
    let mut yaml = String::from("name: bench\nsteps:\n");
    for place in 0..count {
        let needs: Vec<String> = needs(place).iter().map(|need| format!("s{need}")).collect();
        let needs = needs.join(", ");
        writeln!(yaml, "  - {{name: s{place}, handler: {{callable: m.H}}, dependencies: [{needs}]}}").unwrap();
    }
    yaml
}

fn chain(count: u32) -> String {
    template(count, |place| place.checked_sub(1).into_iter().collect())
}

fn fan(count: u32) -> String {
    template(count, |place| match place {
        0 => Vec::new(),
        _ if place == count - 1 => (1..count - 1).collect(),
        _ => vec![0],
    })
}

/// Carries a task from its start to its end, every step at once when it is ready.
fn run(template: &Arc<Template>) -> Task {
    let mut task = Task::new(Arc::clone(template));
    let (mut effects, mut ready, mut now) = (Vec::new(), Vec::new(), 1);
    let result: Arc<str> = r#"{"value":1}"#.into();
    task.apply(Event::Start, now, &mut effects).unwrap();
    loop {
        ready.extend(effects.drain(..).filter_map(|effect| match effect {
            tasker_engine::task::Effect::Ready { step } => Some(step),
            _ => None,
        }));
        let Some(step) = ready.pop() else { return task };
        now += 1;
        task.apply(Event::Claimed { step }, now, &mut effects).unwrap();
        let succeeded = Event::Succeeded { step, attempt: 1, result: Arc::clone(&result), metadata: None };
        task.apply(succeeded, now, &mut effects).unwrap();
    }
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a step, from ready to done");
    for (name, yaml) in [
        ("chain of 4", chain(4)),
        ("chain of 1,000", chain(1000)),
        ("fan of 100", fan(102)),
        ("fan of 10,000", fan(10_000)),
    ] {
        let template = Arc::new(Template::parse(&yaml, None).unwrap().0);
        group.throughput(Throughput::Elements(template.steps.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| (), |()| black_box(run(&template)), BatchSize::SmallInput)
        });
    }
}

fn parsing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading a template");
    for count in [10, 1000] {
        let yaml = chain(count);
        group.throughput(Throughput::Bytes(yaml.len() as u64));
        group.bench_function(format!("{count} steps"), |bencher| {
            bencher.iter(|| Template::parse(black_box(&yaml), None).unwrap())
        });
    }
}

criterion_group!(benches, steps, parsing);
criterion_main!(benches);
