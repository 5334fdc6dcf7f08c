"""Which step the code that runs now belongs to."""

from contextvars import ContextVar
from typing import NamedTuple


class CurrentStep(NamedTuple):
    """A step that a handler carries out now."""

    task_uuid: str
    template: str
    """`namespace/name@version`."""
    step: str
    attempt: int
    """From 1."""


_current: ContextVar[CurrentStep | None] = ContextVar("tasker_core_step", default=None)


def current_step() -> CurrentStep | None:
    """The step that the calling code is part of: in a handler, and in what it calls, also on the
    event loop and in tasks that it starts there; None elsewhere.

    For log records, a filter puts it into each:

    >>> import logging
    >>> from tasker_core import current_step
    >>> class WithStep(logging.Filter):
    ...     def filter(self, record):
    ...         record.step = current_step()
    ...         return True
    >>> current_step() is None
    True
    """
    return _current.get()
