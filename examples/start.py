"""Starts an example the way `tasker run` does, with its own template, handlers and context."""

import sys
from pathlib import Path


def start(name: str) -> int:
    """Run an example; arguments of the command line go on to `tasker run`, and win.

    Args:
        name: Its folder.

    Returns:
        The exit code of `tasker run`.
    """
    from tasker_core.cli import main

    folder = Path(__file__).absolute().parent / name
    command = ["run", str(folder / f"{name}.yaml"), "--handlers", f"examples.{name}.handlers"]
    context = ["--context", str(folder / "context.json")]
    return main([*command, *context, *sys.argv[1:]])
