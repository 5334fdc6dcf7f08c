"""Processes that are killed at any moment, and what is left of their work."""

import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from support import template

from tasker_core import Engine

KILLS = 50
THREADS = 4
TEMPLATE = template("one", "two <- one", "side <- one")

# Starts the processes that are killed: forks of one that has imported all they need, which takes
# ten times as long as their work. Each finishes what others left and, if more is wanted, keeps
# tasks going until it is killed. Its handlers write down what they begin and finish; it says on a
# pipe what was submitted and what is complete, once the engine has said so.
NURSERY = """
import os, sys, threading, traceback
import tasker_core._lazy_context
from tasker_core import Engine
from tasker_core.step_handler import step_handler

database, source, side = sys.argv[1:4]
log = os.open(side, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

def note(word, context):
    step = context.event.task_sequence_step["workflow_step"]["name"]
    os.write(log, f"{word} {context.task_uuid} {step} {os.getpid()}\\n".encode())
    say(word, "-")
    return {"task": str(context.task_uuid), "step": step, "ran_in": os.getpid()}

def handler(name):
    def run(context):
        note("begin", context)
        return note("end", context)
    run.__name__ = name
    return step_handler(name)(run)

def say(word, task):
    os.write(tell, f"{word} {task}\\n".encode())

one, two, side = handler("one"), handler("two"), handler("side")

def live(wanted):
    engine = Engine(
        database, handlers=[sys.modules["__main__"]], threads=THREADS, durability="full"
    )
    left = engine.open_tasks()
    engine.load_text(source)

    def work():
        while True:
            try:
                task = left.pop()
            except IndexError:
                if not wanted:
                    return
                task = engine.submit("orders")
                say("submitted", task)
            assert engine.wait(task).is_complete
            say("completed", task)

    workers = [threading.Thread(target=work) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    engine.stop()

for line in sys.stdin:
    pipe, wanted = line.split()
    child = os.fork()
    if child == 0:
        try:
            tell = os.open(pipe, os.O_WRONLY)
            live(wanted == "more")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
""".replace("THREADS", str(THREADS))


class Entry(NamedTuple):
    """What a handler wrote down."""

    word: str
    task: str
    step: str
    process: int


class Bench:
    """Children on one database, one after another."""

    def __init__(self, folder: Path) -> None:
        self.database, self.side = folder / "t.db", folder / "side"
        self.side.touch()
        self.pipe = folder / "told"
        os.mkfifo(self.pipe)
        self.nursery = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(self.database), TEMPLATE, str(self.side)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.submitted: set[str] = set()
        self.completed: set[str] = set()
        self.done_before: dict[int, set[str]] = {}
        """For each child, the tasks that were said to be complete before it started."""

    def close(self) -> None:
        """End the process that the children come from."""
        self.nursery.communicate()
        assert self.nursery.returncode == 0

    def entries(self) -> list[Entry]:
        """All that was written down so far."""
        lines = (line.split() for line in self.side.read_text().splitlines())
        return [Entry(word, task, step, int(process)) for word, task, step, process in lines]

    def let_run(self, kill_after: int | None) -> None:
        """Let a child work, and kill it once it said this many things; without a number, let it
        finish what is left.
        """
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        more = "rest" if kill_after is None else "more"
        self.nursery.stdin.write(f"{self.pipe} {more}\n")
        self.nursery.stdin.flush()
        child = int(self.nursery.stdout.readline())
        self.done_before[child] = set(self.completed)
        said = b""
        with open(self.pipe, "rb", buffering=0) as told:
            while kill_after is None or said.count(b"\n") < kill_after:
                assert select.select([told], [], [], 60)[0], "the child says nothing"
                some = told.read(65536)
                if not some:
                    break
                said += some
            if kill_after is not None:
                os.kill(child, signal.SIGKILL)
            while some := told.read(65536):
                said += some
        end = int(self.nursery.stdout.readline())
        assert end == (0 if kill_after is None else -signal.SIGKILL), said
        for line in said.decode().splitlines():
            word, task = line.split()
            if word == "submitted":
                self.submitted.add(task)
            elif word == "completed":
                self.completed.add(task)


def test_nothing_acknowledged_is_lost_or_done_twice_over_fifty_kills(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"the moments of the kills come from the seed {seed}")
    chance = random.Random(seed)
    bench = Bench(tmp_path)
    for _ in range(KILLS):
        bench.let_run(chance.randint(0, 150))
    bench.let_run(None)
    bench.close()
    judge(bench)


def judge(bench: Bench) -> None:
    entries = bench.entries()
    begins = [entry for entry in entries if entry.word == "begin"]
    ends = {(entry.task, entry.step, entry.process) for entry in entries if entry.word == "end"}
    begun = Counter((entry.task, entry.step) for entry in begins)
    latest: dict[tuple[str, str], int] = {}
    repeated_after: Counter[int] = Counter()
    for entry in begins:
        done_before = bench.done_before[entry.process]
        assert entry.task not in done_before, f"{entry} is of a task that was said to be complete"
        if entry.step == "one":
            # What depends on a result begins when it is on disk.
            followers = {(entry.task, "two"), (entry.task, "side")}
            assert followers.isdisjoint(latest), f"{entry} comes after what depends on it"
        if (entry.task, entry.step) in latest:
            before = latest[entry.task, entry.step]
            assert before != entry.process, f"{entry} is the second run in one process"
            repeated_after[before] += 1
        latest[entry.task, entry.step] = entry.process
    # Only what was in flight runs again: at most as many as there are threads.
    assert max(repeated_after.values(), default=0) <= THREADS, repeated_after
    with Engine(bench.database, resume=False) as engine:
        assert engine.open_tasks() == []
        tasks = bench.submitted | bench.completed | {task for task, _ in begun}
        assert len(tasks) > KILLS
        for task in tasks:
            found = engine.task(task)
            assert found.is_complete
            assert set(found.results) == {"one", "two", "side"}
            for step, result in found.results.items():
                # What counts is the last run, and it came to its end.
                process = latest[task, step]
                assert result == {"task": task, "step": step, "ran_in": process}
                assert (task, step, process) in ends
                assert found.steps[step].attempts >= begun[task, step]
