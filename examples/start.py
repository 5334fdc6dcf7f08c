"""Starts an example the way `tasker run` does, with its own template, handlers and context."""

import os
import sys
from pathlib import Path


def start(name: str) -> None:
    """Run an example; arguments of the command line go on to `tasker run`, and win.

    Args:
        name: Its folder.
    """
    from tasker_core.cli import main

    # `bazel run` starts programs somewhere else, and says here where the user stands.
    os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    folder = Path(__file__).absolute().parent / name
    command = ["run", str(folder / f"{name}.yaml"), "--handlers", f"examples.{name}.handlers"]
    context = ["--context", str(folder / "context.json")]
    sys.argv = ["tasker", *command, *context, *sys.argv[1:]]
    main()
