"""The command `tasker`. One command a file; what is slow to import comes in where it is used."""

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name; `sys.argv` if None.

    Returns:
        The exit code: 0 complete, 1 failure, 2 bad usage, 130 interrupted.
    """
    from tasker_core.cli.app import run_app

    return run_app(arguments)
