"""Progress as a tree that moves, for terminals."""

import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tasker_core.cli.layout import Line, tree
from tasker_core.cli.words import Look, count, duration, elapsed, first_line, look, until
from tasker_core.results import StepInfo, TaskResult

_BUSY = ("in_progress", "waiting_for_retry", "error")
# The headline, the line about what is not shown, a note, and the cursor's.
_OTHER_ROWS = 5
_SIGN_WIDTH = 4
_STATE_WIDTH = 8
_TIME_WIDTH = 7
# The terminal shows Ctrl-C as ^C behind the last line, which must not become one line more by that.
_ECHO_WIDTH = 4
# Where less room is left, the last column is not shown.
_DETAIL_WIDTH = 12


class LiveTree:
    """Draws the steps of a task anew at each look, and takes the drawing away at the end.

    Args:
        title: The template's name.
        dependencies: What each step waits for.
        max_attempts: How often each step may run.
    """

    def __init__(
        self,
        title: str,
        dependencies: Mapping[str, Sequence[str]],
        max_attempts: Mapping[str, int],
    ) -> None:
        self._console = Console(stderr=True)
        self._unicode = self._console.encoding.startswith("utf")
        self._title = title
        self._lines = tree(dependencies)
        self._max_attempts = max_attempts
        self._notes: list[str] = []
        self._started = time.monotonic()
        self._spinner = Spinner("dots" if self._unicode else "line", style="cyan")
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            # What handlers print comes out above the tree, unless it goes to a file.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> "LiveTree":
        self._live.start()
        # Hidden, it would stay so in the terminal of whoever kills this process.
        self._console.show_cursor(True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, task: TaskResult) -> None:
        """Draw how a task stands."""
        self._live.update(self._drawing(task), refresh=True)

    def say(self, text: str) -> None:
        """Keep a line below the tree from the next look on."""
        self._notes.append(text)

    def _drawing(self, task: TaskResult) -> RenderableType:
        steps = task.steps
        shown = self._fitting(steps)
        table = self._columns(shown)
        for line in shown:
            table.add_row(*self._row(line, steps[line.name])[: len(table.columns)])
        rows: list[RenderableType] = [self._headline(task), table]
        if len(shown) < len(steps):
            rows.append(Text(f"  and {count(len(steps) - len(shown), 'more step')}", style="dim"))
        rows += [Text(text, style="yellow") for text in self._notes]
        return Group(*rows)

    def _columns(self, shown: list[Line]) -> Table:
        """Columns that stay where they are while what they hold changes."""
        longest = max((len(line.guide + line.name) for line in shown), default=0) + _SIGN_WIDTH
        rest = _STATE_WIDTH + _TIME_WIDTH + 6 + _ECHO_WIDTH
        room = max(self._console.width - rest, 12)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, overflow="ellipsis", width=min(longest, room))
        table.add_column(no_wrap=True, width=_STATE_WIDTH)
        table.add_column(no_wrap=True, width=_TIME_WIDTH, justify="right")
        if room - longest > _DETAIL_WIDTH:
            table.add_column(no_wrap=True, overflow="ellipsis", width=room - longest)
        return table

    def _headline(self, task: TaskResult) -> Text:
        done = sum(step.state in ("complete", "resolved_manually") for step in task.steps.values())
        return Text.assemble(
            (self._title, "bold"),
            (f"  {done} of {count(len(task.steps), 'step')}", ""),
            (f"  {duration(time.monotonic() - self._started)}", "dim"),
        )

    def _fitting(self, steps: Mapping[str, StepInfo]) -> list[Line]:
        """All steps where the terminal has room, else those where something happens."""
        room = max(self._console.size.height - _OTHER_ROWS - len(self._notes), 3)
        if len(self._lines) <= room:
            return self._lines
        flat = [Line("", line.name) for line in self._lines]
        busy = [line for line in flat if steps[line.name].state in _BUSY]
        idle = [line for line in flat if steps[line.name].state not in _BUSY]
        return (busy + idle)[:room]

    def _row(self, line: Line, step: StepInfo) -> tuple[RenderableType, ...]:
        seen = look(step)
        seconds = elapsed(step)
        guide = line.guide if self._unicode else " " * len(line.guide)
        name = Text.assemble("  ", (guide, "dim"), self._sign(step, seen), " ", line.name)
        state = Text(seen.word, style=seen.style)
        took = "" if seconds is None or step.state == "waiting_for_retry" else duration(seconds)
        return name, state, took, self._detail(step)

    def _sign(self, step: StepInfo, seen: Look) -> Text:
        if step.state == "in_progress":
            frame = self._spinner.render(self._console.get_time())
            return frame if isinstance(frame, Text) else Text(" ")
        return Text(seen.sign if self._unicode else seen.plain_sign, style=seen.style)

    def _detail(self, step: StepInfo) -> Text:
        of = f"of {self._max_attempts.get(step.name, 1)}"
        words = ""
        if step.state == "waiting_for_retry":
            words = f"attempt {step.attempts + 1} {of} in {duration(until(step.retry_at))}"
        elif step.attempts > 1 or step.state == "error":
            words = f"attempt {step.attempts} {of}"
        if step.error and step.state in ("waiting_for_retry", "error"):
            words += f": {first_line(step.error)}"
        return Text(words, style="dim")
