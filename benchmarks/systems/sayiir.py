"""Sayiir: `python -m benchmarks.systems.sayiir WORKLOAD memory|none`.

Its Python package keeps workflows in memory or in PostgreSQL. `memory` is with checkpoints in
memory, `none` without any.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

from sayiir import Flow, InMemoryBackend, run_workflow

from benchmarks.measure import Job, Memory, Result, latencies, main, throughput

SYSTEM = "sayiir"


def same(x: int) -> int:
    """A step that passes on what it is given."""
    return x


def total(numbers: dict[str, int]) -> int:
    """The step that joins the others."""
    return sum(numbers.values())


def runner(job: Job) -> Callable[[Any, int], Any]:
    """How a workflow is run."""
    if job.durability == "none":
        return lambda flow, x: run_workflow(flow, x)
    backend, numbers = InMemoryBackend(), itertools.count()
    return lambda flow, x: run_workflow(
        flow, x, instance_id=f"task-{next(numbers)}", backend=backend
    )


def four_steps(job: Job) -> Result:
    """A: four steps, each given the result of the one before; one task at a time."""
    flow: Any = Flow("four")
    for number in range(4):
        flow = flow.then(same, name=f"step_{number}")
    built, run = flow.build(), runner(job)

    def work() -> None:
        assert run(built, 7) == 7

    for _ in range(50):
        work()
    return latencies(job, SYSTEM, work, job.sizes.runs_of_a)


def fan_of_steps(job: Job) -> Result:
    """B: one step, many that do nothing, and one that joins them."""
    width = job.sizes.width_of_b
    parts: Any = Flow("fan").then(same, name="first").fork()
    for number in range(width):
        parts = parts.branch(same, name=f"part_{number}")
    built, run = parts.join(total, name="join").build(), runner(job)

    def work() -> None:
        assert run(built, 2) == 2 * width

    work()
    return latencies(job, SYSTEM, work, job.sizes.runs_of_b)


def many_tasks(job: Job) -> Result:
    """C: many tasks of one step. There is no queue: each is run to its end before the next."""
    tasks = job.sizes.tasks_of_c
    built = Flow("one").then(same, name="only").build()
    memory = Memory()
    run = runner(job)
    start = time.perf_counter()
    for x in range(tasks):
        assert run(built, x) == x
    seconds = time.perf_counter() - start
    return throughput(job, SYSTEM, tasks, seconds, memory)


WORKLOADS: dict[str, Callable[[Job], Result]] = {
    "A": four_steps,
    "B": fan_of_steps,
    "C": many_tasks,
}


if __name__ == "__main__":
    main(WORKLOADS, sys.argv[1:])
