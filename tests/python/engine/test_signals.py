"""Ctrl-C while the main thread runs a handler, or waits."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support import MakeEngine, template

from tasker_core import Engine, StepContext

# `wait` in the main thread with the handler on another, or `run`, which carries it out itself.
CHILD = """
import os, signal, sys, threading
from tasker_core import Engine
from tasker_core._tasker_core import Parker
from tasker_core.step_handler import step_handler

database, source, how, tell, hang = sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:6])

@step_handler("hangs")
def hangs():
    os.write(tell, b"in")
    os.read(hang, 1)

engine = Engine(database, handlers=[sys.modules["__main__"]])
engine.load_text(source)
try:
    if how == "run":
        engine.run("orders")
    else:
        engine.wait(engine.submit("orders"))
except KeyboardInterrupt:
    print("interrupted", flush=True)
if how == "drain":
    def once_it_drains():
        engine._core.take(Parker())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=once_it_drains, daemon=True).start()
    try:
        engine.stop(timeout=600)
    except KeyboardInterrupt:
        print("aborted", flush=True)
else:
    engine.stop(timeout=0)
"""


def start(tmp_path: Path, how: str) -> "tuple[subprocess.Popen[str], int]":
    told, tell = os.pipe()
    hang, _open_end = os.pipe()
    source = template("hangs")
    command = [
        sys.executable,
        "-c",
        CHILD,
        str(tmp_path / "t.db"),
        source,
        how,
        str(tell),
        str(hang),
    ]
    child = subprocess.Popen(
        command,
        pass_fds=(tell, hang),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(tell)
    assert os.read(told, 2) == b"in"
    return child, told


@pytest.mark.parametrize("how", ["run", "wait"])
def test_an_interrupt_ends_a_run_and_a_wait(tmp_path: Path, how: str) -> None:
    child, told = start(tmp_path, how)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=60)
    os.close(told)
    assert (output, child.returncode) == ("interrupted\n", 0)
    # The attempt does not count, and the task is there to go on.
    with Engine(tmp_path / "t.db") as engine:
        [task] = engine.open_tasks()
        step = engine.task(task).steps["hangs"]
        assert step.attempts == 1
        assert step.state == ("pending" if how == "run" else "in_progress")


def test_a_second_interrupt_ends_the_drain(tmp_path: Path) -> None:
    child, told = start(tmp_path, "drain")
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=60)
    os.close(told)
    assert (output, child.returncode) == ("interrupted\naborted\n", 0)


def test_after_an_interrupt_the_task_goes_on_when_it_is_resumed(make_engine: MakeEngine) -> None:
    seen: list[str] = []

    def interrupted(context: StepContext) -> dict[str, int]:
        seen.append(threading.current_thread().name)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return {"retries": context.retry_count}

    engine = make_engine(interrupted)
    engine.load_text(template("interrupted"))
    with pytest.raises(KeyboardInterrupt):
        engine.run("orders")
    [task] = engine.open_tasks()
    assert engine.task(task).steps["interrupted"].state == "pending"
    assert engine.resume("orders", task)
    assert engine.wait(task).result == {"retries": 0}
    assert len(seen) == 2
