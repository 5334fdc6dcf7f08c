"""All commands as one program, where every expected error becomes a message and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from tasker_core.cli.exit import FAILURE, USAGE, CommandError
from tasker_core.cli.graph import graph
from tasker_core.cli.run import run
from tasker_core.cli.terminal import error, flush_streams, lenient_streams
from tasker_core.errors import TaskerError

# typer carries its parser's errors under names of its own; their roots are these.
_UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])

# Without markup typer never imports rich, which would double the time to the help text.
app = typer.Typer(
    name="tasker",
    help="Run durable workflows: handlers and templates, kept in one SQLite file.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
app.command("run", short_help="Run a task of a template, or go on with one.")(run)
app.command("graph")(graph)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tasker_core import __version__, get_rust_version

        print(f"tasker {__version__} ({get_rust_version()})")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None: ...


def run_app(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; see `tasker_core.cli.main`."""
    lenient_streams()
    try:
        _go_where_the_user_stands()
        code = app(args=arguments, prog_name="tasker", standalone_mode=False)
        flush_streams()
        return code if isinstance(code, int) else 0
    except _UsageError as problem:
        return _usage(problem)
    except CommandError as problem:
        error(str(problem))
        return problem.code
    except TaskerError as problem:
        # What the engine says of templates, handlers and databases before anything runs.
        error(str(problem))
        return USAGE
    except BrokenPipeError:
        # Whoever read our output left. Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE


def _go_where_the_user_stands() -> None:
    """Under `bazel run` the current folder is Bazel's; paths are meant relative to the user's."""
    folder = os.environ.get("BUILD_WORKING_DIRECTORY")
    if folder and os.path.isdir(folder):
        os.chdir(folder)


def _usage(problem: Exception) -> int:
    format_message = getattr(problem, "format_message", None)
    text = format_message() if format_message else str(problem)
    context = getattr(problem, "ctx", None)
    path = getattr(context, "command_path", "tasker")
    if "unexpected extra argument" in text:
        # Not which: half a context that was not quoted may hold secrets.
        text = (
            "there are more arguments than the command takes; "
            "put quotes around JSON and around paths with spaces"
        )
    if text.startswith("Usage:"):
        # No command at all: the text is the help.
        print(text, file=sys.stderr)
        return USAGE
    error(f"{text[0].lower()}{text[1:]}\nTry `{path} --help`.")
    return USAGE
