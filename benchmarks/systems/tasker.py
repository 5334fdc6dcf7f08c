"""This engine: `python -m benchmarks.systems.tasker WORKLOAD DURABILITY`."""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, Literal, cast

from benchmarks.measure import (
    Job,
    Memory,
    Result,
    latencies,
    main,
    pass_the_log,
    throughput,
    timed,
)
from tasker_core import Batchable, Engine, StepContext, StepHandler
from tasker_core.step_handler import depends_on, inputs, step_handler

SYSTEM = "tasker_core"

Number = dict[str, int]


class Finished:
    """Counts the handlers that ran, and tells when all did."""

    def __init__(self, all_of_them: int) -> None:
        self._left = all_of_them
        self._lock = threading.Lock()
        self.all = threading.Event()

    def one(self) -> None:
        """One more ran."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self.all.set()


def module_of(**handlers: Any) -> types.ModuleType:
    """A module of handlers: an engine runs the code of modules that it was told of, only."""
    module = types.ModuleType("benchmark_handlers")
    for name, handler in handlers.items():
        if not isinstance(handler, type):
            handler = step_handler(name)(handler)
            handler._handler_class.__module__ = module.__name__
        else:
            handler.__module__ = module.__name__
        setattr(module, name, handler)
    sys.modules[module.__name__] = module
    return module


def template(name: str, *steps: tuple[str, str, list[str]]) -> str:
    """A template of steps: name, handler, dependencies."""
    lines = [f"name: {name}", "steps:"]
    for step, handler, needs in steps:
        lines.append(
            f"  - {{name: {step}, handler: {{callable: {handler}}}, "
            f"dependencies: [{', '.join(needs)}]}}"
        )
    return "\n".join(lines)


@inputs("x")
def take(x: int) -> Number:
    """A task's first step."""
    return {"x": x}


def passes_on(before: str) -> Callable[..., Number]:
    """A step that does nothing with the result of the one before it but pass it on."""

    @depends_on(given=before)
    def step(given: Number) -> Number:
        return given

    return step


def total(context: StepContext) -> Number:
    """The step that joins the others."""
    results = context.get_all_dependency_results("part_")
    return {"x": sum(result["x"] for result in results), "parts": len(results)}


def chain(name: str, length: int) -> tuple[str, dict[str, Any]]:
    """A template of steps one after the other, and its handlers."""
    handlers: dict[str, Any] = {f"{name}_0": take}
    steps: list[tuple[str, str, list[str]]] = [(f"{name}_0", f"{name}_0", [])]
    for number in range(1, length):
        step, before = f"{name}_{number}", f"{name}_{number - 1}"
        handlers[step] = passes_on(before)
        steps.append((step, step, [before]))
    return template(name, *steps), handlers


def fan(name: str, width: int) -> tuple[str, dict[str, Any]]:
    """A template of one step, many after it, and one that joins them, and its handlers."""
    parts = [f"part_{number}" for number in range(width)]
    text = template(
        name,
        ("first", "take", []),
        *((part, "part", ["first"]) for part in parts),
        ("join", "total", parts),
    )
    return text, {"take": take, "part": passes_on("first"), "total": total}


def opened(job: Job, handlers: dict[str, Any]) -> Engine:
    """An engine with these handlers on a new file."""
    durability = cast(Literal["full", "fast", "memory"], job.durability)
    return Engine(job.folder / "tasker.db", handlers=[module_of(**handlers)], durability=durability)


def warm(job: Job, work: Callable[[], object]) -> None:
    """Call it until its speed is steady: until the log on disk grows no more."""
    if job.durability == "memory":
        for _ in range(50):
            work()
    else:
        pass_the_log(job.folder / "tasker.db-wal", work)


def run(engine: Engine, name: str, x: int) -> Any:
    """Run a task, and believe in no result that is wrong."""
    done = engine.run(name, {"x": x})
    assert done.is_complete, done
    return done.result


def four_steps(job: Job) -> Result:
    """A: four steps, each given the result of the one before; one task at a time."""
    text, handlers = chain("four", 4)
    with opened(job, handlers) as engine:
        name = engine.load_text(text)

        def work() -> None:
            assert run(engine, name, 7) == {"x": 7}

        warm(job, work)
        return latencies(job, SYSTEM, work, job.sizes.runs_of_a)


def fan_of_steps(job: Job) -> Result:
    """B: one step, many that do nothing, and one that joins them."""
    width = job.sizes.width_of_b
    text, handlers = fan("fan", width)
    with opened(job, handlers) as engine:
        name = engine.load_text(text)

        def work() -> None:
            assert run(engine, name, 2) == {"x": 2 * width, "parts": width}

        if job.durability == "memory":
            work()
        else:
            pass_the_log(job.folder / "tasker.db-wal", work, after=2)
        return latencies(job, SYSTEM, work, job.sizes.runs_of_b)


def many_tasks(job: Job, batch: int) -> Result:
    """C: many tasks of one step, submitted in batches, until all are done."""
    tasks = job.sizes.tasks_of_c
    finished: list[Finished] = []

    @inputs("x")
    def only(x: int) -> Number:
        finished[-1].one()
        return {"x": x}

    memory = Memory()
    with opened(job, {"only": only}) as engine:
        name = engine.load_text(template("one", ("only", "only", [])))

        def work(count: int) -> float:
            finished.append(Finished(count))
            start = time.perf_counter()
            submit_all(engine, name, count, batch)
            assert finished[-1].all.wait(600)
            # The last handlers' results are on their way: what is still open is waited for.
            for task in engine.open_tasks():
                engine.wait(task, timeout=60)
            return time.perf_counter() - start

        warm(job, lambda: work(20))
        return throughput(job, SYSTEM, tasks, work(tasks), memory)


def submit_all(engine: Engine, name: str, count: int, batch: int) -> None:
    """Submit tasks, so many at a time."""
    if batch == 1:
        for x in range(count):
            engine.submit(name, {"x": x})
        return
    for start in range(0, count, batch):
        engine.submit_many(name, [{"x": x} for x in range(start, min(start + batch, count))])


def growth_by_finished_tasks(job: Job) -> Result:
    """How much memory three times as many more tasks leave behind, once they are done."""
    tasks = job.sizes.tasks_of_c

    @inputs("x")
    def only(x: int) -> Number:
        return {"x": x}

    with opened(job, {"only": only}) as engine:
        name = engine.load_text(template("one", ("only", "only", [])))

        def work(count: int) -> None:
            submit_all(engine, name, count, job.sizes.batch_of_c)
            while left := engine.open_tasks():
                engine.wait(left[-1], timeout=60)

        work(tasks)
        memory = Memory()
        for _ in range(3):
            work(tasks)
        growth = memory.growth_mb()
    return Result(SYSTEM, job.workload, job.durability, rss_mb=growth)


def sleepers(job: Job, is_async: bool, count: int) -> Result:
    """Handlers that sleep for 250 ms, all ready at once."""

    @inputs("x")
    def sync_sleep(x: int) -> Number:
        time.sleep(0.25)
        return {"x": x}

    @inputs("x")
    async def async_sleep(x: int) -> Number:
        await asyncio.sleep(0.25)
        return {"x": x}

    text = template("sleepers", *((f"sleep_{n}", "sleep", []) for n in range(count)))
    with opened(job, {"sleep": async_sleep if is_async else sync_sleep}) as engine:
        name = engine.load_text(text)
        took = timed(lambda: engine.wait(engine.submit(name, {"x": 1}), timeout=600))
    return Result(SYSTEM, job.workload, job.durability, p50_ms=took)


class Yielding(StepHandler, Batchable):
    """Keeps a checkpoint after each item."""

    items = 0

    def call(self, context: StepContext) -> Any:
        """One item, and a checkpoint."""
        done = context.checkpoint_items_processed
        if done >= self.items:
            return self.success({"done": done})
        return self.checkpoint_yield(cursor=done + 1, items_processed=done + 1)


def checkpoints(job: Job) -> Result:
    """What one checkpoint costs."""
    Yielding.items = job.sizes.yields
    with opened(job, {"Yielding": Yielding}) as engine:
        name = engine.load_text(template("yields", ("work", "Yielding", [])))
        warm(job, lambda: run(engine, name, 1))
        took = timed(lambda: run(engine, name, 1))
    return Result(SYSTEM, job.workload, job.durability, p50_ms=took / job.sizes.yields)


def cost_of_a_step(
    job: Job, made: Callable[[str, int], tuple[str, dict[str, Any]]], count: int, runs: int
) -> Result:
    """The time of large or small tasks, by their steps. The mean: what the engine does once in many
    steps is a part of each.
    """
    text, handlers = made("shape", count)
    with opened(job, handlers) as engine:
        name = engine.load_text(text)
        if job.durability != "memory":
            pass_the_log(job.folder / "tasker.db-wal", lambda: run(engine, name, 1), after=1)
        run(engine, name, 1)
        took = timed(lambda: [run(engine, name, 1) for _ in range(runs)])
    steps = count if made is chain else count + 2
    return Result(SYSTEM, job.workload, job.durability, p50_ms=took / runs / steps)


def python_cost_of_a_step(job: Job) -> Result:
    """A fourth of A in memory: what a step costs when nothing waits for a disk."""
    measured = four_steps(job)
    assert measured.p50_ms is not None
    return Result(SYSTEM, job.workload, job.durability, p50_ms=measured.p50_ms / 4)


def idle(job: Job) -> Result:
    """What an open engine costs that has nothing to do: milliseconds of CPU in the whole time, and
    how often a second a thread of the process wakes.
    """
    text, handlers = chain("four", 4)
    seconds = job.sizes.idle_seconds
    with opened(job, handlers) as engine:
        name = engine.load_text(text)
        for task in engine.submit_many(name, [{"x": 1}] * 20):
            engine.wait(task)
        time.sleep(0.2)
        before, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw, time.process_time()
        time.sleep(seconds)
        used = (time.process_time() - cpu) * 1e3
        # The one that this thread's own sleep makes is not the engine's.
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before - 1
    return Result(
        SYSTEM, job.workload, job.durability, p50_ms=used, per_s=max(switches, 0) / seconds
    )


WORKLOADS: dict[str, Callable[[Job], Result]] = {
    "A": four_steps,
    "B": fan_of_steps,
    "C": lambda job: many_tasks(job, 1),
    "C-batches": lambda job: many_tasks(job, job.sizes.batch_of_c),
    "python-step": python_cost_of_a_step,
    "sleep-sync": lambda job: sleepers(job, False, 8),
    "sleep-async": lambda job: sleepers(job, True, 8),
    "sleep-async-many": lambda job: sleepers(job, True, job.sizes.sleepers),
    "checkpoint": checkpoints,
    "chain-small": lambda job: cost_of_a_step(job, chain, 10, 100),
    "chain-large": lambda job: cost_of_a_step(job, chain, job.sizes.chain, 3),
    "fan-small": lambda job: cost_of_a_step(job, fan, 100, 20),
    "fan-large": lambda job: cost_of_a_step(job, fan, job.sizes.fan, 1),
    "growth": growth_by_finished_tasks,
    "idle": idle,
}


if __name__ == "__main__":
    main(WORKLOADS, sys.argv[1:])
