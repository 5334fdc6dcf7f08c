"""`tasker run`: one task, from its template to its result."""

from enum import Enum
from typing import Annotated

import typer

from tasker_core.cli.exit import INTERRUPTED, CommandError


class Durability(str, Enum):
    """What an acknowledged result survives."""

    full = "full"
    fast = "fast"


def run(
    template: Annotated[str, typer.Argument(help="The YAML file.")],
    context: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|JSON",
            help="What the handlers read: a JSON object, a file with one, or - for standard input.",
        ),
    ] = None,
    handlers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE",
            help="Where to find handlers: a module or package; may be repeated. "
            "Else [tool.tasker] handlers of pyproject.toml.",
        ),
    ] = None,
    db: Annotated[
        str, typer.Option(metavar="FILE", help="The database; made if there is none.")
    ] = "tasker.db",
    new: Annotated[
        bool, typer.Option("--new", help="Start another task, whatever became of earlier ones.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON document.")
    ] = False,
    threads: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="How many handlers run at a time.")
    ] = 10,
    durability: Annotated[
        Durability,
        typer.Option(help="What results survive: full power loss, fast a killed process."),
    ] = Durability.full,
    strict: Annotated[
        bool, typer.Option("--strict", help="Take the template's warnings for errors.")
    ] = False,
) -> int:
    """Run a task of a template, or go on with an unfinished one of the same context.

    Exit code: 0 complete, 1 failure, 2 bad usage, 130 interrupted.
    """
    from tasker_core.cli.session import Request, carry_out

    request = Request(template, context, handlers or [], db, new, threads, durability.value, strict)
    try:
        if not as_json:
            return carry_out(request)
        from tasker_core.cli.document import stdout_for_one_document

        with stdout_for_one_document() as stream:
            return carry_out(request, stream)
    except KeyboardInterrupt:
        # While steps run it is counted and not raised: this one came before or after.
        raise CommandError("interrupted", INTERRUPTED) from None
