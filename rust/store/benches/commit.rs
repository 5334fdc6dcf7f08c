//! What the disk costs: `bazel run -c opt //rust/store:store_commit_bench`, or `cargo bench -p tasker-store`.

use std::path::PathBuf;
use std::sync::Arc;

use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use tasker_store::write::{AuditRow, NewTask, Op, StepRow};
use tasker_store::{Durability, Store};
use uuid::Uuid;

/// A folder that is gone when the program ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn new_task(id: Uuid) -> Op {
    Op::NewTask(Box::new(NewTask {
        id,
        template_id: 1,
        state: b's',
        priority: 0,
        context: r#"{"n":1}"#.into(),
        fingerprint: None,
        identity: None,
        lane: None,
        run_at: None,
        created_at: 1,
        finished_at: None,
    }))
}

/// What a step that succeeds and the claim of the next leave: two rows and two entries of the trail.
fn a_step(task_id: Uuid, number: u32, result: &Arc<str>) -> [Op; 4] {
    let row = |position, state, result| {
        Op::Step(Box::new(StepRow {
            task_id,
            position,
            state,
            attempts: 1,
            uncounted: 0,
            interrupted_in_a_row: 0,
            started_at: 1,
            finished_at: 2,
            retry_at: 0,
            result,
            error: None,
            metadata: None,
        }))
    };
    let trail = |number, position, path: &str| {
        let path = path.to_string();
        Op::Audit(AuditRow { task_id, number, position: Some(position), at: 1, attempt: 1, cause: b'y', path })
    };
    let done = number % 4;
    [
        row(done, b'c', Some(Arc::clone(result))),
        trail(2 * number + 1, done, "ioc"),
        row(done + 1, b'i', None),
        trail(2 * number + 2, done + 1, "pqi"),
    ]
}

fn commits(criterion: &mut Criterion) {
    let base = std::env::var_os("TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = Folder(base.join(format!("tasker-store-bench-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let result: Arc<str> = r#"{"value":1}"#.into();
    for (name, durability) in [("memory", Durability::Memory), ("fast", Durability::Fast), ("full", Durability::Full)] {
        let store = Store::open(&folder.0.join(format!("{name}.db")), durability).unwrap();
        let mut group = criterion.benchmark_group(format!("commits, {name}"));
        for steps in [1u32, 100] {
            group.throughput(Throughput::Elements(u64::from(steps)));
            group.bench_function(format!("{steps} steps in one"), |bencher| {
                bencher.iter(|| {
                    let id = Uuid::now_v7();
                    let mut ops = vec![new_task(id)];
                    (0..steps).for_each(|number| ops.extend(a_step(id, number, &result)));
                    store.write(&ops).unwrap();
                    store.sync().unwrap();
                    store.checkpoint_if_long().unwrap();
                })
            });
        }
    }
}

criterion_group!(benches, commits);
criterion_main!(benches);
