"""What is printed of a task at its end: its steps, what went wrong, its result."""

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tasker_core.cli.words import count, duration, elapsed, last_look
from tasker_core.results import StepInfo, TaskResult

# A result of more lines is cut in a terminal, where nobody reads it.
_RESULT_LINES = 60
_FRAME = re.compile(r'^ *File "(?P<file>.+)", line (?P<line>\d+), in (?P<function>.+)$', re.M)


def print_summary(task: TaskResult, max_attempts: Mapping[str, int], *, continued: bool) -> None:
    """Print a task on the standard output.

    Args:
        task: The task.
        max_attempts: How often each step may run.
        continued: Whether an earlier run submitted it.
    """
    console = Console(highlight=False)
    console.print(_table(task, console))
    console.print()
    for step in task.failed_steps():
        _print_failure(step, max_attempts.get(step.name, 1), console)
    if task.is_complete:
        _print_result(task, console)
    console.print(_verdict(task, console, continued), soft_wrap=True)
    console.print(Text(f"  task {task.task_uuid}", style="dim"))


def _table(task: TaskResult, console: Console) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, 1)
    )
    table.add_column("Step", overflow="fold")
    table.add_column("State", no_wrap=True)
    table.add_column("Attempts", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    signs = console.encoding.startswith("utf")
    for step in task.steps.values():
        seen = last_look(step, is_final=task.is_final)
        sign = seen.sign if signs else seen.plain_sign
        seconds = elapsed(step)
        table.add_row(
            Text(step.name),
            Text(f"{sign} {seen.word}", style=seen.style),
            str(step.attempts) if step.attempts else "",
            duration(seconds) if seconds is not None else "",
        )
    return table


def _print_failure(step: StepInfo, max_attempts: int, console: Console) -> None:
    error = step.error or {}
    tried = count(step.attempts, "attempt")
    if step.state == "waiting_for_retry":
        tried = f"attempt {step.attempts} of {max_attempts}"
    console.print(
        Text.assemble(("Step ", "red"), (step.name, "bold red"), (f" failed, {tried}:", "red")),
        soft_wrap=True,
    )
    kind = error.get("metadata", {}).get("exception_type")
    message = str(error.get("message", "")) or "no message"
    if kind and kind not in message:
        message = f"{kind}: {message}"
    place = _place(error.get("backtrace") or [])
    for line, style in [(message, ""), (place, "dim")]:
        if line:
            _print_indented(line, style, console)
    console.print()


def _print_indented(text: str, style: str, console: Console) -> None:
    """Wrap for a reader; keep lines whole for what searches them."""
    if console.is_terminal:
        console.print(Padding(Text(text, style=style), (0, 0, 0, 2)))
        return
    for line in text.splitlines():
        console.print(Text(f"  {line}"), soft_wrap=True)


def _place(backtrace: list[str]) -> str:
    """The innermost frame that is neither Python's nor ours, as `at shop/steps.py:12 in charge`."""
    frames = list(_FRAME.finditer("\n".join(backtrace)))
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    library = os.path.dirname(os.__file__) + os.sep
    theirs = [frame for frame in frames if not frame["file"].startswith((own, library, "<"))]
    if not theirs:
        return ""
    file = theirs[-1]["file"]
    here = os.getcwd() + os.sep
    file = file[len(here) :] if file.startswith(here) else file
    return f"at {file}:{theirs[-1]['line']} in {theirs[-1]['function']}"


def _print_result(task: TaskResult, console: Console) -> None:
    text = json.dumps(task.result, indent=2, ensure_ascii=not console.encoding.startswith("utf"))
    lines = text.split("\n")
    if not console.is_terminal:
        print(text, end="\n\n")
        return
    shown = "\n".join(lines[:_RESULT_LINES])
    syntax = Syntax(shown, "json", theme="ansi_dark", background_color="default", word_wrap=True)
    console.print(syntax)
    if len(lines) > _RESULT_LINES:
        rest = count(len(lines) - _RESULT_LINES, "more line")
        console.print(Text(f"... {rest}; --json prints all", style="dim"))
    console.print()


def _verdict(task: TaskResult, console: Console, continued: bool) -> Text:
    took = duration((_last(task) - task.created_at).total_seconds())
    if not task.is_final:
        return Text(f"{task.name} is unfinished", style="bold yellow")
    if task.is_complete:
        sign, style, word, joint = "✓", "bold green", "complete", "in"
    else:
        word = "failed" if task.state in ("blocked_by_failures", "error") else task.state
        sign, style, joint = "✗", "bold red", "after"
    # A task that went on was at rest in between: say what the time is counted from.
    when = f"{took} after it was submitted" if continued else f"{joint} {took}"
    sign = f"{sign} " if console.encoding.startswith("utf") else ""
    return Text(f"{sign}{task.name} {word} {when}", style=style)


def _last(task: TaskResult) -> datetime:
    moments = [step.finished_at for step in task.steps.values() if step.finished_at]
    return max([task.created_at, *moments])
