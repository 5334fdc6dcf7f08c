"""Progress as plain lines, for logs and pipes: one for each thing that happened."""

import sys
from collections.abc import Mapping

from tasker_core.cli.words import count, duration, elapsed, first_line, look, until
from tasker_core.results import StepInfo, TaskResult


class Quiet:
    """Shows no progress, and says what has to be said."""

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_: object) -> None: ...

    def show(self, task: TaskResult) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=sys.stderr, flush=True)


class Lines(Quiet):
    """Prints what changed since the last look.

    Args:
        max_attempts: How often each step may run.
    """

    def __init__(self, max_attempts: Mapping[str, int]) -> None:
        self._max_attempts = max_attempts
        self._width = max(map(len, max_attempts), default=0)
        self._seen: dict[str, tuple[str, int]] = {}

    def show(self, task: TaskResult) -> None:
        """Print a line for each step that moved."""
        moved = [
            step
            for step in task.steps.values()
            if (step.state, step.attempts) != self._seen.get(step.name)
        ]
        for step in sorted(moved, key=_moment):
            first_look = step.name not in self._seen
            self._seen[step.name] = (step.state, step.attempts)
            if step.state not in ("pending", "enqueued") or not (first_look or task.is_final):
                self.say(f"  {step.name:<{self._width}}  {self._words(step)}")

    def _words(self, step: StepInfo) -> str:
        word = look(step).word
        seconds = elapsed(step)
        attempts = f"attempt {step.attempts} of {self._max_attempts.get(step.name, 1)}"
        if step.state == "in_progress":
            return word if step.attempts <= 1 else f"{word}, {attempts}"
        if step.state == "waiting_for_retry":
            again = f"again in {duration(until(step.retry_at))}"
            return f"{attempts} failed, {again}: {first_line(step.error or {})}"
        if step.state == "error":
            return f"{word} after {count(step.attempts, 'attempt')}: {first_line(step.error or {})}"
        return word if seconds is None else f"{word} in {duration(seconds)}"


def _moment(step: StepInfo) -> float:
    moment = step.started_at if step.state == "in_progress" else step.finished_at
    return moment.timestamp() if moment else 0.0
