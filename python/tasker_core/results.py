"""What is told of a task."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from tasker_core._tasker_core import Task as _Task

__all__ = ["StepInfo", "TaskResult", "Transition"]


class StepInfo(NamedTuple):
    """How a step stands."""

    name: str
    state: str
    """pending, enqueued, in_progress, waiting_for_retry, error, complete, cancelled,
    resolved_manually.
    """
    attempts: int
    started_at: datetime | None
    """Of the last attempt."""
    finished_at: datetime | None
    retry_at: datetime | None
    """When it runs again, while it waits for that."""
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    """`message`, `error_type`, `retryable`, `metadata` and, for exceptions, `backtrace`."""
    metadata: dict[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took."""
        if (
            self.started_at is None
            or self.finished_at is None
            or self.finished_at < self.started_at
        ):
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Transition(NamedTuple):
    """One move of a task or of a step."""

    step: str | None
    """None for the task itself."""
    from_state: str
    to_state: str
    at: datetime
    attempt: int
    cause: str
    worker: str
    """`host:process`."""


class TaskResult:
    """A task as it stood when it was asked for.

    Steps are decoded when they are first read, so that waiting for a task costs nothing beyond it.
    """

    def __init__(self, task: _Task) -> None:
        self._task = task
        self._steps: dict[str, StepInfo] | None = None

    @property
    def task_uuid(self) -> str:
        """The task's id."""
        return self._task.task_uuid

    @property
    def name(self) -> str:
        """The template's name."""
        return self._task.name

    @property
    def namespace(self) -> str:
        """The template's namespace."""
        return self._task.namespace

    @property
    def version(self) -> str:
        """The template's version."""
        return self._task.version

    @property
    def state(self) -> str:
        """complete, blocked_by_failures, cancelled, error, resolved_manually, or one of those that
        lead there.
        """
        return self._task.state

    @property
    def is_complete(self) -> bool:
        """Whether every step succeeded."""
        return self._task.state == "complete"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows by itself."""
        return self._task.is_final

    @property
    def context(self) -> dict[str, Any]:
        """What the task was submitted with."""
        return json.loads(self._task.context)  # type: ignore[no-any-return]

    @property
    def created_at(self) -> datetime:
        """When it was submitted."""
        return _when(self._task.created_at)

    @property
    def steps(self) -> Mapping[str, StepInfo]:
        """Every step of the task by its name: those of the template in its order, then the workers
        of batches. A branch that was not taken is not among them.
        """
        if self._steps is None:
            raw = (self._task.step(place) for place in range(len(self._task)))
            infos = (_step_info(step) for step in raw if step is not None)
            self._steps = {info.name: info for info in infos}
        return self._steps

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """What each step answered that succeeded."""
        return {info.name: info.result for info in self.steps.values() if info.result is not None}

    @property
    def result(self) -> dict[str, Any]:
        """What the steps answered that no other depends on: of a single one its result, of several
        theirs by name.
        """
        last = {name: self.steps[name].result or {} for name in self._task.last_steps}
        return next(iter(last.values())) if len(last) == 1 else last

    @property
    def errors(self) -> dict[str, dict[str, Any]]:
        """What went wrong in each step that is in error or waits for its retry."""
        return {info.name: info.error for info in self.failed_steps() if info.error is not None}

    def failed_steps(self) -> Iterator[StepInfo]:
        """The steps that failed for good or wait for their retry."""
        return (
            info for info in self.steps.values() if info.state in ("error", "waiting_for_retry")
        )

    def __repr__(self) -> str:
        label = f"{self.namespace}/{self.name}@{self.version}"
        return f"<TaskResult {label} {self.task_uuid} {self.state}>"


def _step_info(raw: Any) -> StepInfo:
    name, state, attempts, started_at, finished_at, retry_at, result, error, metadata = raw
    return StepInfo(
        name,
        state,
        attempts,
        _when(started_at) if started_at else None,
        _when(finished_at) if finished_at else None,
        _when(retry_at) if retry_at and state == "waiting_for_retry" else None,
        json.loads(result) if result is not None else None,
        json.loads(error) if error is not None else None,
        json.loads(metadata) if metadata is not None else {},
    )


def _when(microseconds: int) -> datetime:
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest)
