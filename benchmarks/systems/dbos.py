"""DBOS on SQLite: `python -m benchmarks.systems.dbos WORKLOAD full`.

With the write-ahead log and `synchronous = FULL`, where it is faster than as it comes. It needs
SQLite 3.42; where Python's own is older, the package `pysqlite3` brings one.
"""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Job, Memory, Result, latencies, main, percentile, throughput

SYSTEM = "dbos"
# It does about a hundred a second, as many with more of them.
PART_OF_C = 10

if sqlite3.sqlite_version_info < (3, 42):
    newer = importlib.import_module("pysqlite3")
    sys.modules["sqlite3"] = newer
    sys.modules["sqlite3.dbapi2"] = newer

import sqlalchemy  # noqa: E402
from dbos import DBOS  # noqa: E402


def same(x: int) -> int:
    """A step that passes on what it is given."""
    return x


async def same_async(x: int) -> int:
    """The same, for many at a time."""
    return x


step: Any = DBOS.step()(same)
async_step: Any = DBOS.step()(same_async)


def _four(x: int) -> int:
    for _ in range(4):
        x = step(x)
    return x


async def _fan(x: int, width: int) -> int:
    x = await async_step(x)
    parts = await asyncio.gather(*[async_step(x) for _ in range(width)])
    return int(await async_step(sum(parts)))


def _one(x: int) -> int:
    return int(step(x))


four: Any = DBOS.workflow()(_four)
fan: Any = DBOS.workflow()(_fan)
one: Any = DBOS.workflow()(_one)


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for line in (
        "busy_timeout = 30000",
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = FULL",
    ):
        connection.execute(f"PRAGMA {line}")


def launch(job: Job) -> None:
    """Start it on a new file."""
    address = f"sqlite:///{job.folder.absolute() / 'dbos.db'}"
    engine = sqlalchemy.create_engine(
        address, pool_size=20, connect_args={"check_same_thread": False}
    )
    sqlalchemy.event.listen(engine, "connect", _set_up)
    DBOS(
        config={
            "name": "benchmark",
            "system_database_url": address,
            "system_database_engine": engine,
            "console_log_level": "ERROR",
            "log_level": "ERROR",
            "application_version": "1",
        }
    )
    DBOS.launch()
    DBOS.register_queue("queue")


def four_steps(job: Job) -> Result:
    """A: four steps, each given the result of the one before; one task at a time."""
    launch(job)

    def work() -> None:
        assert four(7) == 7

    for _ in range(20):
        work()
    return latencies(job, SYSTEM, work, job.sizes.runs_of_a)


def fan_of_steps(job: Job) -> Result:
    """B: one step, many that do nothing, and one that joins them."""
    launch(job)
    width = job.sizes.width_of_b

    async def runs() -> list[float]:
        times = []
        for _ in range(min(job.sizes.runs_of_b, 5) + 1):
            start = time.perf_counter()
            assert await fan(2, width) == 2 * width
            times.append((time.perf_counter() - start) * 1e3)
        return times[1:]

    return Result(SYSTEM, job.workload, job.durability, percentile(asyncio.run(runs()), 0.5))


def many_tasks(job: Job) -> Result:
    """C: many tasks of one step, put into a queue one by one, until all are done."""
    tasks = job.sizes.tasks_of_c // PART_OF_C
    memory = Memory()
    launch(job)
    start = time.perf_counter()
    handles = [DBOS.enqueue_workflow("queue", one, x) for x in range(tasks)]
    while DBOS.list_queued_workflows(queue_name="queue", limit=1):
        time.sleep(0.1)
        assert time.perf_counter() - start < 600
    seconds = time.perf_counter() - start
    assert [handle.get_result() for handle in handles[-3:]] == [tasks - 3, tasks - 2, tasks - 1]
    return throughput(job, SYSTEM, tasks, seconds, memory)


WORKLOADS: dict[str, Callable[[Job], Result]] = {
    "A": four_steps,
    "B": fan_of_steps,
    "C": many_tasks,
}


if __name__ == "__main__":
    main(WORKLOADS, sys.argv[1:])
