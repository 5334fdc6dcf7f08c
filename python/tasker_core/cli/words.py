"""How states and durations are said to people."""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from tasker_core.results import StepInfo


class Look(NamedTuple):
    """How a state is shown."""

    word: str
    style: str
    sign: str
    plain_sign: str
    """For terminals without Unicode."""


STATES = {
    "pending": Look("pending", "dim", "·", "."),
    "enqueued": Look("ready", "cyan", "·", "."),
    "in_progress": Look("running", "cyan", "▸", ">"),
    "waiting_for_retry": Look("waiting", "yellow", "↻", "~"),
    "error": Look("error", "red", "✗", "x"),
    "complete": Look("complete", "green", "✓", "+"),
    "cancelled": Look("cancelled", "yellow", "-", "-"),
    "resolved_manually": Look("resolved", "green", "✓", "+"),
}
_NOT_RUN = Look("not run", "dim", "·", ".")
_CUT_OFF = Look("cut off", "yellow", "-", "-")


def look(step: StepInfo) -> Look:
    """How a step is shown while its task is followed."""
    return STATES.get(step.state, Look(step.state, "cyan", "▸", ">"))


def last_look(step: StepInfo, *, is_final: bool) -> Look:
    """How a step is shown when its task ended, or was left unfinished."""
    if step.state == "in_progress":
        return _CUT_OFF
    if is_final and step.state in ("pending", "enqueued"):
        return _NOT_RUN
    return look(step)


def duration(seconds: float) -> str:
    """A duration as people say it: `0.4 ms`, `12 ms`, `3.2 s`, `2m 05s`, `1h 02m`."""
    if seconds < 0.001:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"


def first_line(error: Mapping[str, Any]) -> str:
    """The beginning of an error's message."""
    return str(error.get("message", "")).partition("\n")[0]


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 step`, `3 steps`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def since(moment: datetime | None) -> float:
    """The seconds since a moment, never negative: clocks are set back."""
    if moment is None:
        return 0.0
    return max((datetime.now(timezone.utc) - moment).total_seconds(), 0.0)


def until(moment: datetime | None) -> float:
    """The seconds until a moment, 0 once it is past."""
    if moment is None:
        return 0.0
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)


def elapsed(step: StepInfo) -> float | None:
    """How long a step's last attempt took, or has been running for."""
    return since(step.started_at) if step.state == "in_progress" else step.seconds
