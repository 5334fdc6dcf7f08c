"""A task on the real engine beside its model."""

import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from oracle.model import Model, Refused, Result
from oracle.worlds import World
from support import handler_module, template

from tasker_core import (
    Engine,
    PermanentError,
    RetryableError,
    StepContext,
    StepHandler,
    TaskStateError,
)

_PATIENCE = 5.0
_NUMBERS = itertools.count()
_PLAYS: "dict[str, Play]" = {}
_BARRIERS: dict[str, threading.Barrier] = {}


class Scripted(StepHandler):
    """Does what the world of its task says."""

    def call(self, context: StepContext) -> Any:
        return _PLAYS[context.input_data["play"]].carry_out(context)


class Meet(StepHandler):
    """Waits until every handler thread is here."""

    def call(self, context: StepContext) -> Any:
        _BARRIERS[context.input_data["barrier"]].wait(_PATIENCE)


_MEETING = template("meet: Meet", name="meeting")


class Stage:
    """An engine for many plays, one after another."""

    def __init__(self, durability: str, threads: int, database: Any = "unused.db") -> None:
        self.durability: Any = durability
        self.threads = threads
        self.database = database
        self._module = handler_module(Scripted, Meet, name="oracle_handlers")
        self.loaded = [_MEETING]
        self.open()

    def open(self) -> None:
        """Open the engine, with the templates of the plays that are not over."""
        self.engine = Engine(
            self.database,
            handlers=[self._module],
            threads=self.threads,
            durability=self.durability,
        )
        for text in self.loaded:
            self.engine.load_text(text)

    def load(self, text: str) -> None:
        """Load a template, here and wherever the play goes on."""
        self.engine.load_text(text)
        self.loaded.append(text)

    def close(self) -> None:
        """Stop the engine."""
        self.engine.stop(timeout=5)

    def fence(self) -> None:
        """Wait until every handler that ran has reported: each thread holds another step then, of a
        task that comes after all others.
        """
        name = str(next(_NUMBERS))
        _BARRIERS[name] = threading.Barrier(self.threads)
        tasks = self.engine.submit_many(
            "meeting", [{"barrier": name}] * self.threads, priority=-100
        )
        for task in tasks:
            assert self.engine.wait(task, timeout=_PATIENCE).is_complete
        del _BARRIERS[name]


@dataclass
class Run:
    """One call of a handler."""

    step: str
    number: int
    counted: int
    seen: dict[str, Result]


@dataclass
class Play:
    """One task, and all that its handlers saw."""

    stage: Stage
    world: World
    runs: list[Run] = field(default_factory=list)
    expected: dict[tuple[str, int], Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = f"play{next(_NUMBERS)}"
        self.changed = threading.Condition()
        self.counts: Counter[str] = Counter()
        self.model = Model(self.world.template, self.world.outcome)
        self.read = 0
        _PLAYS[self.key] = self
        self.text = self.world.yaml(self.key)
        self.stage.load(self.text)
        self.task = self.engine.submit(self.key, {"play": self.key})

    @property
    def engine(self) -> Engine:
        """The engine that has the task now."""
        return self.stage.engine

    def carry_out(self, context: StepContext) -> Result:
        """What the handler does."""
        step = context.event.task_sequence_step["workflow_step"]["name"]
        of = self.world.template[step.partition("_")[0]]
        # Of its own dependencies; a worker of a batch is none of the template's steps.
        seen = {
            name: result
            for name, result in context.dependency_results.items()
            if name in of.needs or name not in self.world.template
        }
        with self.changed:
            self.counts[step] += 1
            number = self.counts[step]
            self.runs.append(Run(step, number, context.retry_count + 1, seen))
            self.changed.notify_all()
        outcome = self.world.outcome(step, number)
        if outcome.result is not None:
            return outcome.result
        raise RetryableError("again") if outcome.retryable else PermanentError("never")

    def rest(self) -> None:
        """Wait until nothing runs and nothing is ready, by the model's word, and compare."""
        while True:
            with self.changed:
                before = len(self.runs)
            self.stage.fence()
            self._replay()
            owed = self.model.ready() + self.model.running()
            if not owed:
                break
            assert self._something_runs(before), f"the engine does not run {owed}\n{self.picture()}"
        self.check()

    def _something_runs(self, before: int) -> bool:
        """Wait until handlers were called more often than before; whether they are."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.runs) > before, _PATIENCE)

    def _replay(self) -> None:
        """Tell the model what the engine says that it did, in that order."""
        trail = self.engine.trail(self.task)
        for moved in trail[self.read :]:
            name = moved.step
            if name is None or moved.cause not in ("claimed", "succeeded", "failed"):
                continue
            if moved.to_state == "in_progress":
                seen = self.model.begin(name)
                live = self.model.steps[name]
                counted = live.attempts - live.before_reset
                self.expected[name, live.attempts] = Run(name, live.attempts, counted, seen)
            elif moved.to_state in ("complete", "error", "waiting_for_retry"):
                assert self.model.end(name) == moved.to_state, f"{moved}\n{self.picture()}"
        self.read = len(trail)

    def check(self) -> None:
        """Everything that can be seen of the task is as the model has it."""
        found, model = self.engine.task(self.task), self.model
        if model.state() != "waiting_for_dependencies":
            found = self.engine.wait(self.task, timeout=_PATIENCE)
        assert found.state == model.state(), self.picture()
        states = {name: (info.state, info.attempts) for name, info in found.steps.items()}
        assert states == {
            name: (live.state, live.attempts) for name, live in model.steps.items()
        }, self.picture()
        results = {
            name: found.steps[name].result
            for name in states
            if found.steps[name].state in ("complete", "resolved_manually")
        }
        assert results == {
            name: live.result
            for name, live in model.steps.items()
            if live.state in ("complete", "resolved_manually")
        }, self.picture()
        assert {(run.step, run.number): run for run in self.runs} == self.expected
        assert len(self.runs) == len(self.expected)
        stuck = model.state() == "waiting_for_dependencies" and not model.awaited()
        assert not stuck, f"nobody can tell what this task waits for\n{self.picture()}"

    def act(self, verb: str, *arguments: Any) -> None:
        """What a person does, on both sides: they answer the same, or refuse it both."""
        try:
            expected = getattr(self.model, verb)(*arguments)
        except Refused as refusal:
            with pytest.raises(TaskStateError):
                getattr(self.engine, verb)(self.task, *arguments)
                raise AssertionError(f"not refused: {refusal}\n{self.picture()}") from None
        else:
            assert getattr(self.engine, verb)(self.task, *arguments) == expected, self.picture()
        self.rest()

    def picture(self) -> str:
        """The template and both sides, for people who read a failure."""
        found = self.engine.task(self.task)
        lines = [repr(self.world), f"engine {found.state}, model {self.model.state()}"]
        names = dict.fromkeys([*found.steps, *self.model.steps])
        for name in names:
            info, live = found.steps.get(name), self.model.steps.get(name)
            there = info and (info.state, info.attempts, info.error and info.error["message"])
            here = live and (live.state, live.attempts, live.result)
            lines.append(f"{name}: engine {there}, model {here}")
        return "\n".join(lines)

    def close(self) -> None:
        """The play is over."""
        del _PLAYS[self.key]
        self.stage.loaded.remove(self.text)
