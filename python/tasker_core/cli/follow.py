"""Following a task to its end, or to the end of the user's patience."""

import time
from typing import NamedTuple, Protocol

from tasker_core.cli.exit import FAILURE, CommandError
from tasker_core.cli.interrupts import Interrupts
from tasker_core.cli.words import count
from tasker_core.engine import Engine
from tasker_core.exceptions import DatabaseError
from tasker_core.results import TaskResult

# How long Ctrl-C waits for handlers that run.
DRAIN_SECONDS = 30.0
# Seconds between two looks at a task, unless a look itself takes long.
_TICK = 0.1
_FIRST_TICK = 0.05


class Display(Protocol):
    """Where progress is shown."""

    def show(self, task: TaskResult) -> None:
        """Show how a task stands."""

    def say(self, text: str) -> None:
        """Say something beside it."""


class Followed(NamedTuple):
    """How following ended."""

    task: TaskResult
    interrupted: bool
    left_running: list[str]
    """Steps whose handlers were not waited for: they run again when the task goes on."""


def follow(engine: Engine, task: str, display: Display, interrupts: Interrupts) -> Followed:
    """Show a task until it ends.

    The first interrupt takes in what runs and starts nothing more, the second gives up at once.

    Raises:
        CommandError: The database failed.
    """
    tick = _FIRST_TICK
    limit: float | None = None
    while True:
        ended = _wait(engine, task, tick)
        started = time.monotonic()
        now = ended or engine.task(task)
        display.show(now)
        # Looking costs the handlers time: at most a tenth of it.
        tick = max(_TICK, 10 * (time.monotonic() - started))
        if ended:
            return Followed(ended, limit is not None, [])
        if interrupts.count and limit is None:
            engine.drain()
            limit = time.monotonic() + DRAIN_SECONDS
            now = engine.task(task)
            display.say(_draining_words(_running(now)))
        if limit is None or now.is_final:
            # A final task is told of when it is on disk.
            continue
        left = _running(now)
        if not left or interrupts.count > 1 or time.monotonic() > limit:
            return Followed(now, True, left)


def _wait(engine: Engine, task: str, seconds: float) -> TaskResult | None:
    """The task at its end; None when the time is up."""
    try:
        return engine.wait(task, timeout=seconds)
    except TimeoutError:
        return None
    except DatabaseError as error:
        raise CommandError(str(error), FAILURE) from None


def _running(task: TaskResult) -> list[str]:
    return [step.name for step in task.steps.values() if step.state == "in_progress"]


def _draining_words(running: list[str]) -> str:
    if not running:
        return "Stopping."
    names = ", ".join(running[:5]) + (", ..." if len(running) > 5 else "")
    return (
        f"Stopping: waiting up to {DRAIN_SECONDS:.0f} s for "
        f"{count(len(running), 'running step')} ({names}). Ctrl-C again to abort."
    )
