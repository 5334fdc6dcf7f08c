"""Huey on SQLite: `python -m benchmarks.systems.huey WORKLOAD full`.

With a sync at each commit, two worker threads in the same process, and its fastest poll: workers
and whoever waits for a result look every millisecond.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from huey import SqliteHuey
from huey.api import chord

from benchmarks.measure import Job, Memory, Result, latencies, main, throughput

SYSTEM = "huey"
POLL_SECONDS = 0.001


def same(x: int) -> int:
    """A step that passes on what it is given."""
    return x


def total(numbers: list[int]) -> int:
    """The step that joins the others."""
    return sum(numbers)


class Queue:
    """A queue on a new file, and its workers."""

    def __init__(self, job: Job) -> None:
        self.huey: Any = SqliteHuey("benchmark", filename=str(job.folder / "huey.db"), fsync=True)
        self.same: Any = self.huey.task()(same)
        self.total: Any = self.huey.task()(total)
        self._workers = self.huey.create_consumer(
            workers=2,
            worker_type="thread",
            periodic=False,
            initial_delay=POLL_SECONDS,
            max_delay=POLL_SECONDS,
            check_worker_health=False,
        )
        self._workers.start()

    def four(self) -> None:
        """Four tasks in a row, each given the result of the one before."""
        row = self.same.s(7).then(self.same).then(self.same).then(self.same)
        assert _result(list(self.huey.enqueue(row))[-1]) == 7

    def fan(self, width: int) -> None:
        """Many tasks, and one that is given all their results."""
        many = chord([self.same.s(number) for number in range(width)], self.total.s())
        assert _result(self.huey.enqueue(many)) == sum(range(width))


def _result(found: Any) -> Any:
    return found.get(blocking=True, timeout=60, backoff=1.0, max_delay=POLL_SECONDS)


def four_steps(job: Job) -> Result:
    """A: four steps, each given the result of the one before; one task at a time."""
    queue = Queue(job)
    for _ in range(10):
        queue.four()
    return latencies(job, SYSTEM, queue.four, job.sizes.runs_of_a)


def fan_of_steps(job: Job) -> Result:
    """B: many steps that do nothing, and one that joins them. It has no first one: a chord begins
    with its parts.
    """
    queue = Queue(job)
    queue.fan(job.sizes.width_of_b)
    return latencies(
        job, SYSTEM, lambda: queue.fan(job.sizes.width_of_b), min(job.sizes.runs_of_b, 10)
    )


def many_tasks(job: Job) -> Result:
    """C: many tasks of one step, submitted one by one, until all have a result."""
    tasks = job.sizes.tasks_of_c
    memory = Memory()
    queue = Queue(job)
    start = time.perf_counter()
    for x in range(tasks):
        queue.same(x)
    while queue.huey.result_count() < tasks:
        time.sleep(0.02)
        assert time.perf_counter() - start < 600, queue.huey.result_count()
    seconds = time.perf_counter() - start
    return throughput(job, SYSTEM, tasks, seconds, memory)


WORKLOADS: dict[str, Callable[[Job], Result]] = {
    "A": four_steps,
    "B": fan_of_steps,
    "C": many_tasks,
}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main(WORKLOADS, sys.argv[1:])
