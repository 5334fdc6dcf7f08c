"""What `tasker run` does with what it was given: find or submit the task, follow it, report."""

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from tasker_core._template_file import parse, read_source
from tasker_core.cli.context import read_context
from tasker_core.cli.exit import COMPLETE, FAILURE, CommandError
from tasker_core.cli.follow import Display, Followed, follow
from tasker_core.cli.handlers import handler_modules
from tasker_core.cli.interrupts import Interrupts
from tasker_core.cli.lines import Lines, Quiet
from tasker_core.cli.terminal import error, flush_streams, note, warning
from tasker_core.cli.words import count
from tasker_core.engine import Engine
from tasker_core.results import TaskResult

if TYPE_CHECKING:
    from tasker_core._tasker_core import Template
    from tasker_core.cli.live import LiveTree
    from tasker_core.exceptions import TemplateProblem

# So many warnings of one kind are shown; the others are counted.
_WARNINGS = 3
# A task in one of these has failed, and nothing follows by itself.
_FAILED = ("blocked_by_failures", "error")


class Request(NamedTuple):
    """The options of `tasker run`."""

    template: str
    context: str | None
    handlers: Sequence[str]
    db: str
    new: bool
    threads: int
    durability: Any
    strict: bool


def carry_out(request: Request, stream: TextIO | None = None) -> int:
    """Run a task and report it.

    Args:
        request: What was asked for.
        stream: Where a JSON document is wanted; people are served on the standard output if None.

    Returns:
        The exit code.

    Raises:
        CommandError: The context, the handlers' settings or the database can't be used.
        TaskerError: The template, a handler or the database can't be used.
    """
    source = read_source(request.template)
    template = parse(source, request.template)
    _tell_warnings(template.warnings, request.strict)
    context = read_context(request.context)
    engine = Engine(
        request.db,
        handlers=handler_modules(request.handlers),
        threads=request.threads,
        durability=request.durability,
        resume=False,
    )
    with engine, Interrupts() as interrupts:
        label = engine.load_text(source, file=request.template)
        task, earlier = _choose(engine, label, context, request.new)
        others = [one for one in engine.open_tasks() if one != task]
        if earlier is not None and earlier.is_final:
            followed = Followed(earlier, False, [])
        else:
            with _display(template, stream) as display:
                _start(engine, label, task, earlier, display)
                followed = follow(engine, task, display, interrupts)
        if followed.interrupted and not followed.left_running:
            # Before it is told: what was taken in last is on disk.
            engine.stop()
        _report(followed.task, template, stream, continued=earlier is not None)
        _tell_what_next(followed, earlier, request.new)
        _tell_of_others(others, request.db)
        return _leave(followed, interrupts)


def _choose(
    engine: Engine, label: str, context: dict[str, Any], new: bool
) -> tuple[str, TaskResult | None]:
    """The task to run, and how it stood if an earlier run submitted it."""
    found = None if new else engine.find(label, context)
    if found is not None and (not found.is_final or found.state in _FAILED):
        return found.task_uuid, found
    return engine.submit(label, context, continuable=True), None


def _start(
    engine: Engine, label: str, task: str, earlier: TaskResult | None, display: Display
) -> None:
    if earlier is None:
        return
    done = sum(step.state == "complete" for step in earlier.steps.values())
    display.say(
        f"Going on with task {task}: {done} of {count(len(earlier.steps), 'step')} complete."
    )
    engine.resume(label, task)


def _display(template: "Template", stream: TextIO | None) -> "Quiet | LiveTree":
    """A moving tree in a terminal, else lines; for machines nothing."""
    max_attempts = _max_attempts(template)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from tasker_core.cli.live import LiveTree

        dependencies = {step["name"]: step["dependencies"] for step in template.steps}
        return LiveTree(template.name, dependencies, max_attempts)
    return Lines(max_attempts) if stream is None else Quiet()


def _max_attempts(template: "Template") -> dict[str, int]:
    return {
        step["name"]: step["max_attempts"] if step["retryable"] else 1 for step in template.steps
    }


def _report(
    task: TaskResult, template: "Template", stream: TextIO | None, *, continued: bool
) -> None:
    if stream is None:
        from tasker_core.cli.summary import print_summary

        print_summary(task, _max_attempts(template), continued=continued)
        flush_streams()
        return
    from tasker_core.cli.document import document

    json.dump(document(task, continued=continued), stream, indent=2)
    stream.write("\n")
    stream.flush()


def _tell_what_next(followed: Followed, earlier: TaskResult | None, new: bool) -> None:
    """Say how to go on, where that is not plain."""
    task = followed.task
    if task.is_complete:
        return
    if earlier is not None and earlier.is_final:
        error(
            "this task failed in an earlier run, so nothing was run now.\n"
            "Add --new to start another task with the same template and context."
        )
    elif task.is_final:
        note("To start another task with the same template and context, add --new.")
    else:
        again = "Run the same command again" + (", without --new" if new else "")
        names = ", ".join(followed.left_running)
        if names:
            error(f"interrupted while {names} ran.\n{again}: what was cut off starts over.")
        else:
            error(f"interrupted.\n{again}: the task goes on where it stopped.")


def _tell_of_others(others: Sequence[str], database: str) -> None:
    if others:
        was = "was" if len(others) == 1 else "were"
        words = count(len(others), "other unfinished task")
        note(f"{words} in {database} {was} left alone.")


def _leave(followed: Followed, interrupts: Interrupts) -> int:
    code = COMPLETE if followed.task.is_complete else FAILURE
    if followed.interrupted:
        code = interrupts.exit_code
    if followed.left_running:
        # Their handlers may go on for hours, and Python would wait for threads that they started.
        flush_streams()
        os._exit(code)
    return code


def _tell_warnings(warnings: Sequence["TemplateProblem"], strict: bool) -> None:
    """Print a template's warnings.

    Raises:
        CommandError: There are some, and `strict` takes them for errors.
    """
    shown = Counter[str]()
    for problem in warnings:
        shown[problem.code] += 1
        if strict or shown[problem.code] <= _WARNINGS:
            print(problem.text, file=sys.stderr)
    for code, number in shown.items():
        if not strict and number > _WARNINGS:
            warning(f"{count(number - _WARNINGS, 'more warning')} of the kind {code}")
    if strict and warnings:
        raise CommandError(
            f"{count(len(warnings), 'warning')} in {warnings[0].file}, errors with --strict"
        )
