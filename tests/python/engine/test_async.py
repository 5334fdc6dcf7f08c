"""Handlers that are coroutine functions: many at a time on one loop, which never waits."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template

from tasker_core import Batchable, Engine, StepContext, StepHandler
from tasker_core.step_handler import depends_on, step_handler


def test_a_thousand_run_at_the_same_time_with_two_threads(make_engine: MakeEngine) -> None:
    together = 1000
    there, all_there = [0], asyncio.Event()

    async def meet(context: StepContext) -> dict[str, Any]:
        there[0] += 1
        if there[0] == together:
            all_there.set()
        await all_there.wait()
        return {"n": context.input_data["n"]}

    engine = make_engine(meet, threads=2)
    engine.load_text(template("meet ! timeout_seconds: 30"))
    tasks = engine.submit_many("orders", [{"n": n} for n in range(together)])
    assert [engine.wait(task).result["n"] for task in tasks] == list(range(together))


def test_steps_on_the_loop_and_on_threads_follow_each_other(make_engine: MakeEngine) -> None:
    @step_handler("fetch")
    async def fetch() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"fetched": threading.current_thread().name}

    @step_handler("store")
    @depends_on(fetched="fetch")
    def store(fetched: dict[str, Any]) -> dict[str, Any]:
        return {**fetched, "stored": threading.current_thread().name}

    class Notify(StepHandler):
        async def call(self, context: StepContext) -> Any:
            await asyncio.sleep(0)
            return self.success(context.get_dependency_result("store"))

    engine = make_engine(fetch, store, Notify)
    engine.load_text(template("fetch", "store <- fetch", "notify: Notify <- store"))
    done = engine.run("orders")
    assert done.result["fetched"] == "tasker-loop"
    assert done.result["stored"] != "tasker-loop"


def test_a_coroutine_past_its_deadline_is_cancelled_and_tried_again(
    make_engine: MakeEngine,
) -> None:
    ended: list[str] = []

    async def hang(context: StepContext) -> dict[str, Any]:
        if context.is_retry():
            return {"second": True}
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled" if context.cancelled else "by somebody else")
            raise
        return {}

    engine = make_engine(hang, threads=1)
    engine.load_text(template("hang ! timeout_seconds: 0.05, retry: {backoff: none}"))
    done = engine.run("orders")
    assert done.result == {"second": True}
    assert ended == ["cancelled"]
    assert done.steps["hang"].attempts == 2
    # no thread was lost to it
    for _ in range(5):
        assert engine.run("orders").is_complete


def test_the_coroutines_of_a_cancelled_task_are_cancelled(make_engine: MakeEngine) -> None:
    began, over = threading.Event(), threading.Event()

    async def hang() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    engine = make_engine(hang)
    engine.load_text(template("hang"))
    task = engine.submit("orders")
    assert began.wait(20)
    assert engine.cancel(task)
    assert over.wait(20)
    assert engine.wait(task).state == "cancelled"


@pytest.mark.parametrize(
    ("raised", "error_type", "attempts"),
    [
        (ValueError("no"), "handler_error", 2),
        (SystemExit(3), "handler_error", 2),
        (asyncio.CancelledError(), "handler_error", 2),
    ],
)
def test_what_a_coroutine_raises_hurts_its_own_step_alone(
    make_engine: MakeEngine, raised: BaseException, error_type: str, attempts: int
) -> None:
    async def fails() -> None:
        raise raised

    async def works() -> dict[str, Any]:
        return {"ok": True}

    engine = make_engine(fails, works)
    engine.load_text(template("fails ! retry: {max_attempts: 2, backoff: none}", "works"))
    done = engine.run("orders")
    assert done.steps["works"].result == {"ok": True}
    assert done.errors["fails"]["error_type"] == error_type
    assert done.steps["fails"].attempts == attempts
    assert engine.run("orders").steps["works"].state == "complete"


def test_a_coroutine_yields_checkpoints(make_engine: MakeEngine) -> None:
    class Count(StepHandler, Batchable):
        async def call(self, context: StepContext) -> Any:
            await asyncio.sleep(0)
            done = context.checkpoint_items_processed + 1
            if done == 5:
                return self.success({"done": done})
            return self.checkpoint_yield(done, done)

    engine = make_engine(Count)
    engine.load_text(template("count: Count"))
    assert engine.run("orders").result == {"done": 5}


def test_stop_waits_for_coroutines_and_what_it_leaves_runs_again(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    async def slow(context: StepContext) -> dict[str, Any]:
        began.set()
        if context.input_data["wait"]:
            await asyncio.Event().wait()
        while not go_on.is_set():
            await asyncio.sleep(0)
        return {"attempt": context.retry_count}

    with Engine(tmp_path / "t.db", handlers=[handler_module(slow)]) as engine:
        engine.load_text(template("slow"))
        ends = engine.submit("orders", {"wait": False})
        assert began.wait(20)
        go_on.set()
        assert engine.stop(timeout=20) == 0
    began.clear()
    with Engine(tmp_path / "t.db", handlers=[handler_module(slow)]) as engine:
        engine.load_text(template("slow"))
        assert engine.task(ends).result == {"attempt": 0}
        hangs = engine.submit("orders", {"wait": True})
        assert began.wait(20)
        assert engine.stop(timeout=0) == 1

    async def quick() -> dict[str, Any]:
        return {"again": True}

    quick.__name__ = "slow"
    with Engine(tmp_path / "t.db", handlers=[handler_module(quick)]) as engine:
        engine.load_text(template("slow"))
        assert engine.wait(hangs).result == {"again": True}
