"""Code knows which step it runs for, and context variables end with their step."""

import asyncio
from contextvars import ContextVar
from typing import Any

from support import MakeEngine, template

from tasker_core import CurrentStep, current_step

mine: ContextVar[str] = ContextVar("mine", default="untouched")


def told() -> dict[str, Any]:
    step = current_step()
    assert isinstance(step, CurrentStep)
    seen = mine.get()
    mine.set(step.step)
    return {**step._asdict(), "mine": seen}


def on_thread() -> dict[str, Any]:
    return told()


async def on_loop() -> dict[str, Any]:
    async def inside() -> dict[str, Any]:
        await asyncio.sleep(0)
        return told()

    return await asyncio.create_task(inside())


def test_a_handler_and_what_it_calls_know_their_step(make_engine: MakeEngine) -> None:
    engine = make_engine(on_thread, on_loop, threads=1)
    engine.load_text(
        template("first: on_thread", "second: on_thread <- first", "third: on_loop <- second")
    )
    for run in (engine.run, lambda name: engine.wait(engine.submit(name))):
        done = run("orders")
        for name in ("first", "second", "third"):
            assert done.results[name] == {
                "task_uuid": done.task_uuid,
                "template": "default/orders@1.0.0",
                "step": name,
                "attempt": 1,
                "mine": "untouched",
            }
    assert current_step() is None
    assert mine.get() == "untouched"
