"""The floor: `python -m benchmarks.systems.floor WORKLOAD DURABILITY`.

A plain loop over Python's sqlite3 that commits each step before the next begins: what the disk and
CPython allow to whoever writes every result down. It has no retries, no threads and no recovery.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing

from benchmarks.measure import Job, Memory, Result, latencies, main, pass_the_log, throughput

SYSTEM = "floor"
SYNCHRONOUS = {"full": "FULL", "fast": "NORMAL"}

TABLES = """
CREATE TABLE task (id TEXT PRIMARY KEY, context TEXT, state TEXT, result TEXT);
CREATE INDEX open_task ON task (state) WHERE state = 'open';
CREATE TABLE step (task TEXT, place INTEGER, result TEXT, PRIMARY KEY (task, place)) WITHOUT ROWID;
"""

INSERT_TASK = "INSERT INTO task VALUES (?, ?, 'open', NULL)"
INSERT_STEP = "INSERT INTO step VALUES (?, ?, ?)"
END_TASK = "UPDATE task SET state = 'complete', result = ? WHERE id = ?"
NEXT_TASK = "SELECT id, context FROM task WHERE state = 'open' ORDER BY rowid LIMIT 1"

Number = dict[str, int]
Step = Callable[[Sequence[Number]], Number]


def opened(job: Job) -> sqlite3.Connection:
    """A new file; every statement outside of a transaction is a commit."""
    connection = sqlite3.connect(job.folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[job.durability]}")
    connection.executescript(TABLES)
    return connection


def first(given: Sequence[Number]) -> Number:
    """A step that passes on what it is given."""
    return given[0]


def total(given: Sequence[Number]) -> Number:
    """The step that joins the others."""
    return {"x": sum(one["x"] for one in given)}


def run(connection: sqlite3.Connection, steps: Sequence[tuple[Step, Sequence[int]]]) -> Number:
    """Run one task; a step names the places of those whose results it is given."""
    task, results = str(uuid.uuid4()), list[Number]()
    connection.execute(INSERT_TASK, (task, '{"x":7}'))
    for place, (step, needs) in enumerate(steps):
        result = step([results[need] for need in needs] or [{"x": 7}])
        results.append(result)
        last = place == len(steps) - 1
        if last:
            connection.execute("BEGIN IMMEDIATE")
        connection.execute(INSERT_STEP, (task, place, json.dumps(result)))
        if last:
            connection.execute(END_TASK, (json.dumps(result), task))
            connection.execute("COMMIT")
    return results[-1]


def four_steps(job: Job) -> Result:
    """A: four steps, each given the result of the one before; one task at a time."""
    steps: list[tuple[Step, list[int]]] = [(first, []), (first, [0]), (first, [1]), (first, [2])]
    with closing(opened(job)) as connection:

        def work() -> None:
            assert run(connection, steps) == {"x": 7}

        pass_the_log(job.folder / "floor.db-wal", work)
        return latencies(job, SYSTEM, work, job.sizes.runs_of_a)


def fan_of_steps(job: Job) -> Result:
    """B: one step, many that do nothing, and one that joins them; one after the other."""
    width = job.sizes.width_of_b
    steps: list[tuple[Step, list[int]]] = [(first, [])]
    steps += [(first, [0]) for _ in range(width)]
    steps += [(total, list(range(1, width + 1)))]
    with closing(opened(job)) as connection:

        def work() -> None:
            assert run(connection, steps) == {"x": 7 * width}

        pass_the_log(job.folder / "floor.db-wal", work, after=2)
        return latencies(job, SYSTEM, work, job.sizes.runs_of_b)


def many_tasks(job: Job, batch: int) -> Result:
    """C: many tasks of one step, put in so many at a time, until all are done."""
    tasks = job.sizes.tasks_of_c
    memory = Memory()
    with closing(opened(job)) as connection:

        def work(count: int) -> float:
            start = time.perf_counter()
            for begin in range(0, count, batch):
                numbers = range(begin, min(begin + batch, count))
                rows = [(str(uuid.uuid4()), json.dumps({"x": x})) for x in numbers]
                if batch > 1:
                    connection.execute("BEGIN IMMEDIATE")
                connection.executemany(INSERT_TASK, rows)
                if batch > 1:
                    connection.execute("COMMIT")
            while found := connection.execute(NEXT_TASK).fetchone():
                task, context = found
                result = first([json.loads(context)])
                connection.execute(END_TASK, (json.dumps(result), task))
            return time.perf_counter() - start

        pass_the_log(job.folder / "floor.db-wal", lambda: work(20))
        seconds = work(tasks)
    return throughput(job, SYSTEM, tasks, seconds, memory)


WORKLOADS: dict[str, Callable[[Job], Result]] = {
    "A": four_steps,
    "B": fan_of_steps,
    "C": lambda job: many_tasks(job, 1),
    "C-batches": lambda job: many_tasks(job, job.sizes.batch_of_c),
}


if __name__ == "__main__":
    main(WORKLOADS, sys.argv[1:])
