use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use rusqlite::Connection;
use uuid::Uuid;

use crate::write::{AuditRow, CheckpointRow, GrowthRow, NewTask, Op, StepRow, TaskMove, TemplateRow};
use crate::{Durability, Prune, Store, StoreError};

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let base = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let name = format!("tasker-store-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = base.join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tasker.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn task(id: Uuid) -> Vec<Op> {
    vec![
        Op::Template(Box::new(TemplateRow {
            id: 7,
            namespace: "n".into(),
            name: "t".into(),
            version: "1.0.0".into(),
            document: "{}".into(),
            created_at: 1,
        })),
        Op::NewTask(Box::new(NewTask {
            id,
            template_id: 7,
            state: b's',
            priority: 0,
            context: r#"{"a":1}"#.into(),
            fingerprint: Some([3; 32]),
            identity: Some(identity(id)),
            lane: Some("customer 7".into()),
            run_at: Some(5),
            created_at: 10,
            finished_at: None,
        })),
        Op::Audit(AuditRow {
            task_id: id,
            number: 1,
            position: None,
            at: 10,
            attempt: 0,
            cause: b's',
            path: "piqs".into(),
        }),
    ]
}

fn identity(id: Uuid) -> [u8; 32] {
    let mut identity = [0; 32];
    identity[..16].copy_from_slice(id.as_bytes());
    identity
}

fn step(task_id: Uuid) -> StepRow {
    StepRow {
        task_id,
        position: 2,
        state: b'c',
        attempts: 1,
        uncounted: 0,
        interrupted_in_a_row: 0,
        started_at: 11,
        finished_at: 12,
        retry_at: 0,
        result: Some(r#"{"x":2}"#.into()),
        error: None,
        metadata: None,
    }
}

fn both() -> Vec<(Store, Option<Folder>)> {
    let folder = Folder::new();
    let file = Store::open(&folder.file(), Durability::Full).unwrap();
    vec![(file, Some(folder)), (Store::open("".as_ref(), Durability::Memory).unwrap(), None)]
}

#[test]
fn what_is_written_is_read_back() {
    for (store, _folder) in both() {
        let id = Uuid::now_v7();
        store.write(&task(id)).unwrap();
        store.write(&[Op::Step(Box::new(step(id)))]).unwrap();
        store.sync().unwrap();
        let found = store.task(id).unwrap().unwrap();
        assert_eq!((found.state, &*found.context, found.finished_at), (b's', r#"{"a":1}"#, None));
        assert_eq!(store.steps(id).unwrap(), [step(id)]);
        assert_eq!(store.open_tasks().unwrap().len(), 1);
        assert_eq!((found.lane.as_deref(), found.run_at), (Some("customer 7"), Some(5)));
        assert_eq!(store.task_by_identity(&identity(id)).unwrap().unwrap().id, id);
        assert!(store.task_by_identity(&[9; 32]).unwrap().is_none());
        assert_eq!(store.task_by_fingerprint(&[3; 32]).unwrap().unwrap().id, id);
        assert_eq!(store.template(7).unwrap().unwrap().name, "t");
        let trail = store.audit(id).unwrap();
        assert_eq!((trail[0].0.path.as_str(), store.last_audit_number(id).unwrap()), ("piqs", 1));
        assert!(trail[0].1.ends_with(&std::process::id().to_string()));

        store.write(&[Op::Task(TaskMove { id, state: b'c', at: 20, is_final: true })]).unwrap();
        assert_eq!(store.open_tasks().unwrap().len(), 0);
        assert_eq!(store.task(id).unwrap().unwrap().finished_at, Some(20));
    }
}

#[test]
fn a_commit_is_all_or_nothing() {
    for (store, _folder) in both() {
        let id = Uuid::now_v7();
        let mut ops = task(id);
        ops.extend(task(id)); // the same id twice
        assert!(matches!(store.write(&ops), Err(StoreError::Sql(_))));
        assert!(store.task(id).unwrap().is_none());
        store.write(&task(id)).unwrap();
    }
}

#[test]
fn what_was_written_without_a_sync_is_there_after_the_store_is_dropped_unclosed() {
    let folder = Folder::new();
    let id = Uuid::now_v7();
    let store = Store::open(&folder.file(), Durability::Full).unwrap();
    store.write(&task(id)).unwrap();
    // what kill -9 leaves: the files as they are, without a checkpoint
    let copy = Folder::new();
    for name in ["tasker.db", "tasker.db-wal"] {
        fs::copy(folder.0.join(name), copy.0.join(name)).unwrap();
    }
    let again = Store::open(&copy.file(), Durability::Full).unwrap();
    assert!(again.task(id).unwrap().is_some());
}

#[test]
fn the_file_is_private() {
    let folder = Folder::new();
    let _store = Store::open(&folder.file(), Durability::Full).unwrap();
    for name in ["tasker.db", "tasker.db-wal", "tasker.db-lock"] {
        let mode = fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_long_log_is_copied_into_the_database() {
    let folder = Folder::new();
    let store = Store::open(&folder.file(), Durability::Fast).unwrap();
    let big: std::sync::Arc<str> = format!("\"{}\"", "x".repeat(100_000)).into();
    for _ in 0..300 {
        let id = Uuid::now_v7();
        let row = StepRow { result: Some(big.clone()), ..step(id) };
        store.write(&[Op::Step(Box::new(row))]).unwrap();
        store.checkpoint_if_long().unwrap();
    }
    let wal = fs::metadata(folder.0.join("tasker.db-wal")).unwrap().len();
    assert!(wal < 8_000_000, "the log has {wal} bytes after 30 MB were written");
}

#[test]
fn a_second_open_is_refused_with_the_holder() {
    let folder = Folder::new();
    let first = Store::open(&folder.file(), Durability::Full).unwrap();
    let error = Store::open(&folder.file(), Durability::Full).err().unwrap();
    assert!(matches!(&error, StoreError::InUse { holder, .. } if holder == "this process already"), "{error}");
    drop(first);
    Store::open(&folder.file(), Durability::Full).unwrap();
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    drop(Store::open(&folder.file(), Durability::Full).unwrap());
    let connection = Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Store::open(&folder.file(), Durability::Full).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("upgrade"));
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = Folder::new();
    let connection = Connection::open(folder.file()).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    assert!(matches!(Store::open(&folder.file(), Durability::Full), Err(StoreError::Foreign { .. })));
    fs::write(folder.0.join("text"), "x".repeat(5000)).unwrap();
    assert!(matches!(Store::open(&folder.0.join("text"), Durability::Full), Err(StoreError::Foreign { .. })));
}

#[test]
fn wrong_places_are_told_apart() {
    let folder = Folder::new();
    assert!(matches!(Store::open(&folder.0, Durability::Full), Err(StoreError::IsFolder(_))));
    assert!(matches!(Store::open(&folder.0.join("no/x.db"), Durability::Full), Err(StoreError::NoFolder(_))));
}

#[test]
fn a_closed_store_gives_its_file_free_and_says_that_it_is_closed() {
    let folder = Folder::new();
    let store = Store::open(&folder.file(), Durability::Full).unwrap();
    let id = Uuid::now_v7();
    store.write(&task(id)).unwrap();
    store.close();
    assert!(matches!(store.task(id), Err(StoreError::Closed)));
    assert!(matches!(store.write(&[]), Err(StoreError::Closed)));
    assert!(!folder.0.join("tasker.db-wal").exists());
    assert!(Store::open(&folder.file(), Durability::Full).unwrap().task(id).unwrap().is_some());
}

#[test]
fn the_newest_checkpoints_and_all_growths_are_kept_in_their_order() {
    for (store, _folder) in both() {
        let id = Uuid::now_v7();
        store.write(&task(id)).unwrap();
        let checkpoint = |position, at: i64| {
            let data = format!("{{\"cursor\":{at}}}").into();
            Op::Checkpoint(Box::new(CheckpointRow { task_id: id, position, attempt: 1, at, data }))
        };
        for at in 1..=25 {
            store.write(&[checkpoint(3, at)]).unwrap();
        }
        store.write(&[checkpoint(1, 99)]).unwrap();
        let kept = store.checkpoints(id).unwrap();
        let places: Vec<(u32, i64)> = kept.iter().map(|row| (row.position, row.at)).collect();
        let newest: Vec<(u32, i64)> = [(1, 99)].into_iter().chain((16..=25).map(|at| (3, at))).collect();
        assert_eq!(places, newest);
        assert_eq!(&*kept[10].data, r#"{"cursor":25}"#);

        for number in 1..=2 {
            let growth = format!("{{\"by\":{number}}}");
            store.write(&[Op::Growth(Box::new(GrowthRow { task_id: id, number, growth }))]).unwrap();
        }
        assert_eq!(store.growths(id).unwrap(), [r#"{"by":1}"#, r#"{"by":2}"#]);
        assert!(store.growths(Uuid::now_v7()).unwrap().is_empty());
    }
}

fn finished(id: Uuid, state: u8, at: i64) -> Vec<Op> {
    let mut ops = task(id);
    ops.push(Op::Step(Box::new(step(id))));
    ops.push(Op::Growth(Box::new(GrowthRow { task_id: id, number: 1, growth: "{}".into() })));
    ops.push(Op::Checkpoint(Box::new(CheckpointRow { task_id: id, position: 2, attempt: 1, at, data: "{}".into() })));
    ops.push(Op::Task(TaskMove { id, state, at, is_final: state != b's' }));
    ops
}

/// An id as it was made at a time in microseconds.
fn id_of(at: i64, number: u128) -> Uuid {
    Uuid::from_u128(((at / 1000) as u128) << 80 | 0x7000 << 64 | number)
}

fn prune_all(store: &Store, which: Prune) -> u32 {
    std::iter::from_fn(|| Some(store.prune(which).unwrap()).filter(|count| *count > 0)).sum()
}

#[test]
fn old_tasks_go_with_all_their_rows_and_those_that_need_a_person_stay() {
    for (store, _folder) in both() {
        let day = 86_400_000_000;
        for number in 0..200 {
            let at = day * (1 + i64::from(number % 10 >= 5));
            let state = match number {
                0 => b'b',
                1 => b's',
                _ => b'c',
            };
            store.write(&finished(id_of(at, u128::from(number as u32)), state, at + 5)).unwrap();
        }
        assert_eq!(prune_all(&store, Prune { before: Some(day), keep: None }), 0);
        assert_eq!(prune_all(&store, Prune { before: Some(day + 6), keep: None }), 98);
        assert_eq!(store.recent_tasks(1000).unwrap().len(), 102);
        assert!(store.steps(id_of(day, 2)).unwrap().is_empty());
        assert!(store.audit(id_of(day, 2)).unwrap().is_empty());
        assert!(store.growths(id_of(day, 2)).unwrap().is_empty());
        assert!(store.checkpoints(id_of(day, 2)).unwrap().is_empty());
        assert_eq!(store.steps(id_of(day, 0)).unwrap().len(), 1);

        assert_eq!(prune_all(&store, Prune { before: None, keep: Some(10) }), 90);
        let left: Vec<u8> = store.recent_tasks(1000).unwrap().iter().map(|row| row.state).collect();
        assert_eq!(left.len(), 12);
        assert_eq!(prune_all(&store, Prune { before: Some(1), keep: Some(0) }), 10);
        assert_eq!(prune_all(&store, Prune { before: Some(1), keep: Some(0) }), 0);
    }
}

#[test]
fn the_space_of_what_went_comes_back() {
    let folder = Folder::new();
    let store = Store::open(&folder.file(), Durability::Full).unwrap();
    let size = |store: &Store| {
        store.checkpoint().unwrap();
        std::fs::metadata(store.path().unwrap()).unwrap().len()
    };
    let empty = size(&store);
    let large: Arc<str> = format!("\"{}\"", "x".repeat(20_000)).into();
    for number in 0..300 {
        let mut ops = finished(id_of(1000, number), b'c', 2000);
        ops.push(Op::Step(Box::new(StepRow { result: Some(Arc::clone(&large)), ..step(id_of(1000, number)) })));
        store.write(&ops).unwrap();
    }
    let full = size(&store);
    assert!(full > empty + 5_000_000);
    assert_eq!(prune_all(&store, Prune { before: None, keep: Some(0) }), 300);
    for _ in 0..1000 {
        store.prune(Prune { before: None, keep: Some(0) }).unwrap();
    }
    assert!(size(&store) < empty + 200_000, "{} of {full}", size(&store));
}

#[test]
fn a_backup_is_a_database_of_its_own_and_overwrites_nothing() {
    for (store, folder) in both() {
        let folder = folder.unwrap_or_else(Folder::new);
        let id = Uuid::now_v7();
        store.write(&finished(id, b'c', 9)).unwrap();
        let copy = folder.file().with_extension("copy");
        store.backup(&copy).unwrap();
        assert!(matches!(store.backup(&copy), Err(StoreError::Io { .. })));
        store.write(&task(Uuid::now_v7())).unwrap();
        let opened = Store::open(&copy, Durability::Full).unwrap();
        assert_eq!(opened.recent_tasks(10).unwrap().len(), 1);
        assert_eq!(opened.steps(id).unwrap(), [step(id)]);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
