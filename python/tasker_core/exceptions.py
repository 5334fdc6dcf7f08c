"""What the engine raises. What handlers raise is in `tasker_core.errors`; both share one root."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tasker_core.errors import TaskerError

__all__ = [
    "ConversionError",
    "DatabaseError",
    "DatabaseInUseError",
    "DatabaseVersionError",
    "EngineForkedError",
    "EngineStoppedError",
    "HandlerNotFoundError",
    "IdentityError",
    "TaskNotFoundError",
    "TaskStateError",
    "TaskerError",
    "TemplateChangedError",
    "TemplateError",
    "TemplateProblem",
]


class TemplateProblem(NamedTuple):
    """One finding about a template."""

    file: str
    line: int
    """From 1; 0 when the template did not come from a file."""
    column: int
    path: str
    """Where in the document, e.g. `steps[2].retry.max_attempts`."""
    code: str
    """A short name that stays when the wording changes, e.g. `unknown-dependency`."""
    message: str
    hint: str | None
    """What to do about it."""
    is_error: bool
    text: str
    """All of it for people, with the line that it speaks of."""


class _EngineError(TaskerError):
    """Raised by the engine, not by a handler: running the step again would not help."""

    default_retryable = False


class TemplateError(_EngineError):
    """A template can't be used. `problems` has all that was found, each with its place."""

    def __init__(
        self, message: str = "", *, problems: Sequence[TemplateProblem] = (), **fields: Any
    ) -> None:
        super().__init__(message, **fields)
        self.problems = list(problems)


class TemplateChangedError(TemplateError):
    """A template has other content than the database knows under its name and version."""

    def __init__(
        self, message: str = "", *, stored: str = "", given: str = "", **fields: Any
    ) -> None:
        from tasker_core._difference import difference

        self.difference = difference(stored, given)
        super().__init__(f"{message}:\n{self.difference}" if self.difference else message, **fields)


class HandlerNotFoundError(_EngineError):
    """Steps of a template have no handler. The message names each, and what to do."""


class TaskNotFoundError(_EngineError):
    """There is no such task."""


class IdentityError(_EngineError):
    """A request lacks the idempotency key that it needs, or its key is taken by a task with another
    context.
    """


class TaskStateError(_EngineError):
    """What was asked of a task or of a step does not fit how it stands."""


class ConversionError(_EngineError):
    """A value can't be stored as JSON. `path` says which, e.g. `["items"][3]`."""

    def __init__(self, message: str = "", *, path: str = "", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.path = path


class EngineStoppedError(_EngineError):
    """The engine was stopped."""


class EngineForkedError(_EngineError):
    """The engine belongs to the process that this one is a fork of."""


class DatabaseError(_EngineError):
    """The database can't be used, or can't be written any more."""


class DatabaseInUseError(DatabaseError):
    """Another process has the database open."""


class DatabaseVersionError(DatabaseError):
    """The database was written by a newer version of this package."""
