"""A task as one JSON document, for machines."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from tasker_core.results import StepInfo, TaskResult


@contextmanager
def stdout_for_one_document() -> Iterator[TextIO]:
    """Keep the standard output for what is written to the stream given here.

    Whatever else is printed, also by handlers and by processes that they start, goes to the error
    output.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(kept, "w", encoding="utf-8", closefd=False) as stream:
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def document(task: TaskResult, *, continued: bool) -> dict[str, Any]:
    """Say how a task stands.

    Args:
        task: The task.
        continued: Whether an earlier run submitted it.

    Returns:
        Ids, state, every step, the result of a complete task, and the errors by step, as JSON has
        them.
    """
    return {
        "task_uuid": task.task_uuid,
        "template": f"{task.namespace}/{task.name}@{task.version}",
        "state": task.state,
        "continued": continued,
        "created_at": task.created_at.isoformat(),
        "steps": {name: _step(step) for name, step in task.steps.items()},
        "result": task.result if task.is_complete else None,
        "errors": task.errors,
    }


def _step(step: StepInfo) -> dict[str, Any]:
    return {
        "state": step.state,
        "attempts": step.attempts,
        "seconds": step.seconds,
        "started_at": _time(step.started_at),
        "finished_at": _time(step.finished_at),
        "result": step.result,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
