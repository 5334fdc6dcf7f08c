"""Work that is cut into batches, and checkpoints inside a step."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template

from tasker_core import Batchable, Engine, StepContext, StepHandler


def import_template(config: str = "", worker: str = "") -> str:
    return template(
        f"count ! type: batchable, batch_config: {{{config}}}",
        f"load <- count ! type: batch_worker{worker}",
        "total <- load ! type: deferred_convergence",
    )


def count(context: StepContext) -> dict[str, Any]:
    rows, size = context.input_data["rows"], 10
    if rows == 0:
        return {"batch_processing_outcome": {"type": "no_batches"}}
    configs = [
        {
            "batch_id": f"{place:03}",
            "start_cursor": start,
            "end_cursor": min(start + size, rows),
            "batch_size": size,
        }
        for place, start in enumerate(range(0, rows, size), 1)
    ]
    outcome = {
        "type": "create_batches",
        "worker_template_name": "load",
        "worker_count": len(configs),
        "cursor_configs": configs,
        "total_items": rows,
    }
    return {"batch_processing_outcome": outcome}


def load(context: StepContext) -> dict[str, Any]:
    inputs = context.step_inputs
    if inputs["is_no_op"]:
        return {"rows": 0}
    return {"rows": inputs["cursor"]["end_cursor"] - inputs["cursor"]["start_cursor"]}


def total(context: StepContext) -> dict[str, Any]:
    results = context.get_all_dependency_results("load_")
    return {"rows": sum(result["rows"] for result in results), "batches": len(results)}


def test_a_batch_is_cut_worked_through_and_joined(make_engine: MakeEngine) -> None:
    engine = make_engine(count, load, total)
    engine.load_text(import_template())
    done = engine.run("orders", {"rows": 25})
    assert done.result == {"rows": 25, "batches": 3}
    assert list(done.steps) == ["count", "total", "load_001", "load_002", "load_003"]
    assert engine.task(done.task_uuid).results == done.results
    trail = engine.trail(done.task_uuid)
    assert "load_002" in {moved.step for moved in trail}


def test_no_batches_are_joined_too(make_engine: MakeEngine) -> None:
    engine = make_engine(count, load, total)
    engine.load_text(import_template())
    done = engine.run("orders", {"rows": 0})
    assert done.result == {"rows": 0, "batches": 1}
    assert done.steps["load_000"].state == "complete"


def test_no_more_workers_run_at_a_time_than_the_batch_allows(make_engine: MakeEngine) -> None:
    lock, running, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def busy(_context: StepContext) -> dict[str, Any]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait(20)
        with lock:
            running[0] -= 1
        return {"rows": 1}

    engine = make_engine(count, busy, total, threads=6)
    text = import_template("parallelism: 2").replace("callable: load", "callable: busy")
    engine.load_text(text)
    assert engine.wait(engine.submit("orders", {"rows": 60})).result["rows"] == 6
    assert most[0] == 2


def test_a_failed_worker_is_done_without_or_stops_the_others(make_engine: MakeEngine) -> None:
    def third_fails(context: StepContext) -> dict[str, Any]:
        if context.step_inputs["cursor"]["batch_id"] == "003":
            raise RuntimeError("row 21 is broken")
        return {"rows": 10}

    engine = make_engine(count, third_fails, total)

    def outcome(strategy: str) -> Any:
        config = f"parallelism: 1, failure_strategy: {strategy}"
        text = import_template(config, ", retry: {max_attempts: 1}")
        name = engine.load_text(
            text.replace("callable: load", "callable: third_fails").replace("orders", strategy)
        )
        return engine.run(name, {"rows": 50})

    tolerant = outcome("continue_on_failure")
    assert tolerant.is_complete
    assert tolerant.result == {"rows": 40, "batches": 4}
    assert tolerant.errors["load_003"]["message"] == "row 21 is broken"

    fast = outcome("fail_fast")
    assert fast.state == "blocked_by_failures"
    assert [fast.steps[f"load_{n:03}"].state for n in (2, 4, 5)] == [
        "complete",
        "pending",
        "pending",
    ]

    isolated = outcome("isolate")
    assert isolated.state == "blocked_by_failures"
    assert [isolated.steps[f"load_{n:03}"].state for n in (4, 5)] == ["complete", "complete"]
    engine.complete_step(isolated.task_uuid, "load_003", {"rows": 9})
    assert engine.wait(isolated.task_uuid).result == {"rows": 49, "batches": 5}


class Counting(StepHandler, Batchable):
    """Counts to 100 in steps of 30, and fails once on its way."""

    failed = False

    def call(self, context: StepContext) -> Any:
        done = context.checkpoint_items_processed
        seen = context.accumulated_results or {"from": []}
        if done >= 100:
            return self.success({"done": done, **seen})
        if done == 60 and not Counting.failed:
            Counting.failed = True
            raise RuntimeError("the network went away")
        seen["from"].append([context.checkpoint_cursor, context.retry_count])
        return self.checkpoint_yield(
            cursor={"row": done + 30}, items_processed=done + 30, accumulated_results=seen
        )


def test_a_step_goes_on_from_its_checkpoint_in_the_same_attempt_and_the_next(
    make_engine: MakeEngine,
) -> None:
    Counting.failed = False
    engine = make_engine(Counting)
    engine.load_text(template("counting: Counting ! retry: {backoff: none}"))
    done = engine.run("orders")
    assert done.result == {
        "done": 120,
        "from": [[None, 0], [{"row": 30}, 0], [{"row": 60}, 1], [{"row": 90}, 1]],
    }
    assert done.steps["counting"].attempts == 2
    assert "checkpoint_yield" not in done.steps["counting"].metadata


@pytest.mark.parametrize(
    ("cursor", "said"),
    [(object(), "object has no form in JSON"), ("x" * 1_100_000, "1048576 bytes")],
    ids=["no JSON", "too large"],
)
def test_a_checkpoint_that_cannot_be_kept_fails_its_step_for_good(
    make_engine: MakeEngine, cursor: Any, said: str
) -> None:
    class Wrong(StepHandler, Batchable):
        def call(self, _context: StepContext) -> Any:
            return self.checkpoint_yield(cursor, 1)

    engine = make_engine(Wrong)
    engine.load_text(template("wrong: Wrong"))
    done = engine.run("orders")
    assert said in done.errors["wrong"]["message"]
    assert done.steps["wrong"].attempts == 1


def test_a_deadline_starts_anew_with_each_checkpoint(make_engine: MakeEngine) -> None:
    class Slow(StepHandler, Batchable):
        def call(self, context: StepContext) -> Any:
            threading.Event().wait(0.12)
            done = context.checkpoint_items_processed + 1
            return self.success({}) if done == 6 else self.checkpoint_yield(None, done)

    engine = make_engine(Slow)
    engine.load_text(template("slow: Slow ! timeout_seconds: 0.5"))
    done = engine.run("orders")
    assert done.is_complete
    assert done.steps["slow"].attempts == 1


def test_a_step_that_never_ends_is_given_back_at_a_checkpoint_when_the_engine_stops(
    tmp_path: Path,
) -> None:
    rounds, enough = [0], threading.Event()

    class Endless(StepHandler, Batchable):
        def call(self, context: StepContext) -> Any:
            rounds[0] = context.checkpoint_items_processed + 1
            if rounds[0] == 20:
                enough.set()
            return self.checkpoint_yield(None, rounds[0])

    with Engine(tmp_path / "t.db", handlers=[handler_module(Endless)]) as engine:
        engine.load_text(template("endless: Endless"))
        task = engine.submit("orders")
        assert enough.wait(20)
        assert engine.stop(timeout=20) == 0
    with Engine(tmp_path / "t.db", handlers=[handler_module(Endless)], resume=False) as engine:
        assert engine.task(task).steps["endless"].state == "pending"
        assert engine.task(task).steps["endless"].attempts == 1


CHILD = """
import os, sys
from tasker_core import Batchable, Engine, StepHandler

class Rows(StepHandler, Batchable):
    def call(self, context):
        done = context.checkpoint_items_processed
        if done == 3:
            os.write(int(sys.argv[3]), b"x")
            os.read(int(sys.argv[4]), 1)
        return self.checkpoint_yield(done + 1, done + 1)

engine = Engine(sys.argv[1], handlers=[sys.modules["__main__"]])
engine.load_text(sys.argv[2])
engine.run("orders")
"""


def test_after_kill_9_a_step_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    text = template("rows: Rows")
    told, tell = os.pipe()
    hang, end = os.pipe()
    command = [sys.executable, "-c", CHILD, str(tmp_path / "t.db"), text, str(tell), str(hang)]
    path = os.pathsep.join(sys.path)
    child = subprocess.Popen(command, pass_fds=(tell, hang), env={**os.environ, "PYTHONPATH": path})
    os.close(tell)
    assert os.read(told, 1) == b"x"
    child.send_signal(signal.SIGKILL)
    child.wait()
    for descriptor in (told, hang, end):
        os.close(descriptor)

    class Rows(StepHandler, Batchable):
        def call(self, context: StepContext) -> Any:
            return self.success({"went_on_from": context.checkpoint_cursor})

    with Engine(tmp_path / "t.db", handlers=[handler_module(Rows)]) as engine:
        [task] = engine.open_tasks()
        engine.load_text(text)
        assert engine.wait(task).result == {"went_on_from": 3}
