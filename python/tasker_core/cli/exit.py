"""Exit codes, and the error that carries one."""

COMPLETE = 0
FAILURE = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class CommandError(Exception):
    """An expected error: its message is all that the user sees.

    Args:
        message: What is wrong, where, and what to do.
        code: The exit code.
    """

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
