"""Old tasks go, and a copy can be made of those that are there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template

from tasker_core import DatabaseError, Engine, PermanentError, StepContext, TaskNotFoundError


def work(context: StepContext) -> dict[str, Any]:
    if context.input_data.get("broken"):
        raise PermanentError("broken")
    return {"n": context.input_data.get("n")}


def test_finished_tasks_are_taken_out_by_age_and_by_count(make_engine: MakeEngine) -> None:
    engine = make_engine(work)
    engine.load_text(template("work"))
    tasks = [engine.run("orders", {"n": n}).task_uuid for n in range(10)]
    blocked = engine.run("orders", {"broken": True}).task_uuid
    assert engine.prune() == 0
    assert engine.prune(older_than=timedelta(hours=1)) == 0
    assert engine.prune(keep=7) == 3
    with pytest.raises(TaskNotFoundError):
        engine.task(tasks[2])
    assert engine.task(tasks[3]).result == {"n": 3}
    assert engine.prune(older_than=timedelta(0)) == 7
    assert engine.task(blocked).state == "blocked_by_failures"
    engine.resolve_step(blocked, "work")
    assert engine.wait(blocked).is_complete


def test_old_tasks_go_by_themselves_while_others_run(tmp_path: Path) -> None:
    with Engine(tmp_path / "t.db", handlers=[handler_module(work)]) as engine:
        engine.load_text(template("work"))
        old = engine.submit_many("orders", [{}] * 200)
        for task in old:
            engine.wait(task)
    with Engine(tmp_path / "t.db", handlers=[handler_module(work)], retention_count=5) as engine:
        engine.load_text(template("work"))
        for _ in range(2000):
            engine.run("orders")
            if is_gone(engine, old[190]):
                break
        assert all(is_gone(engine, task) for task in old[:190])


def is_gone(engine: Engine, task: str) -> bool:
    try:
        engine.task(task)
    except TaskNotFoundError:
        return True
    return False


def test_a_backup_of_an_engine_at_work_is_a_database(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine(work)
    engine.load_text(template("work"))
    task = engine.run("orders", {"n": 1}).task_uuid
    copy = tmp_path / "copy.db"
    engine.backup(copy)
    with pytest.raises(DatabaseError, match="exists"):
        engine.backup(copy)
    after = engine.run("orders", {"n": 2}).task_uuid
    assert copy.stat().st_mode & 0o777 == 0o600
    with Engine(copy, handlers=[handler_module(work)]) as other:
        assert other.task(task).result == {"n": 1}
        with pytest.raises(TaskNotFoundError):
            other.task(after)
