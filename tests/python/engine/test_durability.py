"""What is on disk when a process dies, and what the next one makes of it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import handler_module, template

from tasker_core import (
    DatabaseInUseError,
    Engine,
    EngineForkedError,
    EngineStoppedError,
    StepContext,
)

TEMPLATE = template("one", "two <- one", "three <- two")

# A process that runs the template until its handler `two` tells the test so, and hangs there.
CHILD = """
import os, sys
from tasker_core import Engine
from tasker_core.step_handler import step_handler

@step_handler("one")
def one():
    return {"ran_in": os.getpid()}

@step_handler("two")
def two():
    os.write(int(sys.argv[3]), b"in two")
    os.read(int(sys.argv[4]), 1)

@step_handler("three")
def three(): ...

engine = Engine(sys.argv[1], handlers=[sys.modules["__main__"]], durability=sys.argv[5])
engine.load_text(sys.argv[2])
engine.run("orders", {"n": 1}, continuable=True)
"""


def start_until_two(database: Path, durability: str = "full") -> "subprocess.Popen[bytes]":
    told, tell = os.pipe()
    hang, end = os.pipe()
    command = [
        sys.executable,
        "-c",
        CHILD,
        str(database),
        TEMPLATE,
        str(tell),
        str(hang),
        durability,
    ]
    child = subprocess.Popen(
        command, pass_fds=(tell, hang), env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    os.close(tell)
    said = os.read(told, 6)
    for descriptor in (told, hang, end):
        os.close(descriptor) if descriptor != end else None
    assert said == b"in two", "the child died before its second step"
    child.end = end  # type: ignore[attr-defined]
    return child


def kill(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    os.close(child.end)  # type: ignore[attr-defined]


def survivors() -> Any:
    order: list[tuple[str, int]] = []

    def handler(name: str) -> Any:
        def run(context: Any) -> dict[str, Any]:
            order.append((name, context.retry_count))
            return {"ran_in": os.getpid()}

        run.__name__ = name
        return run

    return handler_module(*(handler(name) for name in ("one", "two", "three"))), order


@pytest.mark.parametrize("durability", ["full", "fast"])
def test_after_kill_9_the_same_task_goes_on_and_repeats_only_what_was_running(
    tmp_path: Path, durability: Any
) -> None:
    child = start_until_two(tmp_path / "t.db", durability)
    kill(child)
    module, order = survivors()
    with Engine(tmp_path / "t.db", handlers=[module], durability=durability) as engine:
        [task] = engine.open_tasks()
        engine.load_text(TEMPLATE)
        done = engine.wait(task)
        assert done.is_complete
        assert done.results["one"]["ran_in"] == child.pid
        # the interrupted attempt does not count as a retry
        assert order == [("two", 0), ("three", 0)]
        assert done.steps["two"].attempts == 2
        interrupted = [moved for moved in engine.trail(task) if moved.cause == "interrupted"]
        assert {moved.step for moved in interrupted} == {"two", None}
        found = engine.find("orders", {"n": 1})
        assert found is not None and found.task_uuid == task


def test_a_step_that_kills_its_process_five_times_fails_for_good(tmp_path: Path) -> None:
    for _ in range(5):
        if not (tmp_path / "t.db").exists():
            kill(start_until_two(tmp_path / "t.db"))
            continue
        resume_and_die(tmp_path / "t.db")
    module, order = survivors()
    with Engine(tmp_path / "t.db", handlers=[module]) as engine:
        [task] = engine.open_tasks()
        engine.load_text(TEMPLATE)
        done = engine.wait(task)
        assert (done.state, done.errors["two"]["error_type"]) == (
            "blocked_by_failures",
            "worker_died",
        )
        assert order == []


def resume_and_die(database: Path) -> None:
    code = CHILD.replace(
        'engine.run("orders", {"n": 1}, continuable=True)', "engine.wait(engine.open_tasks()[0])"
    )
    code = code.replace('os.write(int(sys.argv[3]), b"in two")', "os.kill(os.getpid(), 9)")
    command = [sys.executable, "-c", code, str(database), TEMPLATE, "0", "0", "full"]
    done = subprocess.run(
        command, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("durability", ["full", "fast"])
def test_a_result_is_on_disk_before_what_depends_on_it_starts(
    tmp_path: Path, durability: Any
) -> None:
    def one() -> dict[str, int]:
        return {"n": 41}

    def two(context: StepContext) -> dict[str, Any]:
        # What kill -9 would leave behind at this moment.
        left = tmp_path / "left"
        left.mkdir()
        for name in ("t.db", "t.db-wal"):
            shutil.copy(tmp_path / name, left)
        with Engine(left / "t.db", resume=False) as other:
            steps = other.task(str(context.task_uuid)).steps
            return {"one": steps["one"].result, "two": steps["two"].state}

    module = handler_module(one, two)
    with Engine(tmp_path / "t.db", handlers=[module], durability=durability) as engine:
        engine.load_text(template("one", "two <- one"))
        assert engine.run("orders").result == {"one": {"n": 41}, "two": "in_progress"}


def test_tasks_of_a_template_that_is_not_loaded_are_left_alone(tmp_path: Path) -> None:
    kill(start_until_two(tmp_path / "t.db"))
    with Engine(tmp_path / "t.db") as engine:
        [task] = engine.open_tasks()
        assert engine.task(task).steps["two"].state == "in_progress"
        assert engine.task(task).name == "orders"


def test_an_engine_that_does_not_resume_takes_up_what_it_is_told(tmp_path: Path) -> None:
    kill(start_until_two(tmp_path / "t.db"))
    module, order = survivors()
    with Engine(tmp_path / "t.db", handlers=[module], resume=False) as engine:
        engine.load_text(TEMPLATE)
        [task] = engine.open_tasks()
        other = engine.run("orders", {"n": 2})
        assert other.is_complete and engine.open_tasks() == [task]
        assert engine.resume("orders", task)
        assert engine.wait(task).is_complete
        assert not engine.resume("orders", task)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    child = start_until_two(tmp_path / "t.db")
    try:
        with pytest.raises(DatabaseInUseError, match=f"in use by process {child.pid}"):
            Engine(tmp_path / "t.db")
    finally:
        kill(child)
    Engine(tmp_path / "t.db").stop()


def test_stop_keeps_results_and_leaves_the_rest_ready(tmp_path: Path) -> None:
    import threading

    begun, stopping = threading.Event(), threading.Event()

    def one() -> dict[str, int]:
        begun.set()
        assert stopping.wait(30)
        return {"n": 1}

    def two() -> None: ...

    def three() -> None: ...

    engine = Engine(tmp_path / "t.db", handlers=[handler_module(one, two, three)])
    engine.load_text(TEMPLATE)
    task = engine.submit("orders")
    assert begun.wait(30)
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            engine.wait(task)
        except EngineStoppedError as error:
            failed.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    threading.Timer(0, stopping.set).start()
    left = engine.stop()
    waiter.join(30)
    assert left == 0
    assert len(failed) <= 1
    with pytest.raises(EngineStoppedError):
        engine.submit("orders")
    module, order = survivors()
    with Engine(tmp_path / "t.db", handlers=[module], resume=False) as again:
        info = again.task(task).steps["one"]
        assert (info.state, info.result, info.attempts) == ("complete", {"n": 1}, 1)


def test_a_forked_child_is_told_and_harms_nothing(tmp_path: Path) -> None:
    def one() -> dict[str, int]:
        return {"n": 1}

    engine = Engine(tmp_path / "t.db", handlers=[handler_module(one)])
    engine.load_text(template("one"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            engine.run("orders")
        except EngineForkedError:
            engine.stop()
            del engine
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert engine.run("orders").is_complete
    with pytest.raises(DatabaseInUseError):
        Engine(tmp_path / "t.db")
    engine.stop()


def test_a_handler_that_blocks_the_event_loop_does_not_keep_stop_from_returning() -> None:
    import threading

    begun, over = threading.Event(), threading.Event()

    async def blocks() -> None:
        begun.set()
        over.wait(60)

    engine = Engine(durability="memory", handlers=[handler_module(blocks)])
    engine.load_text(template("blocks"))
    engine.submit("orders")
    assert begun.wait(30)
    assert engine.stop(timeout=0) == 1
    over.set()
