"""Handlers as classes."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasker_core.types.step_context import StepContext
    from tasker_core.types.step_result import StepHandlerResult


class StepHandler(ABC):
    """Carries out a step.

    A new instance serves each attempt. `call` answers a result, a dict (a success) or None (a
    success with nothing to say), or raises: an error of
    `tasker_core.errors` says itself whether the step may run again, any other is retried.

    >>> from tasker_core import StepHandler
    >>> class Greet(StepHandler):
    ...     def call(self, context):
    ...         return self.success({"greeting": f"Hello {context.get_input('name')}"})
    >>> Greet().name
    'Greet'
    """

    handler_name: str = ""
    handler_version: str = "1.0.0"
    idempotent: bool = False
    """Whether running it twice is harmless: then an attempt whose process died runs again even
    where the template says `retryable: false`.
    """

    @abstractmethod
    def call(self, context: "StepContext") -> Any:
        """Carry out the step; may be `async`."""

    @property
    def name(self) -> str:
        """`handler_name`, or the name of the class."""
        return self.handler_name or type(self).__name__

    @property
    def version(self) -> str:
        """`handler_version`."""
        return self.handler_version

    @property
    def capabilities(self) -> list[str]:
        """What the handler can do."""
        return ["process"]

    def config_schema(self) -> dict[str, Any] | None:
        """A JSON Schema of the template's `initialization`, if the handler has one."""
        return None

    def success(
        self, result: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> "StepHandlerResult":
        """The step succeeded with this result."""
        from tasker_core.types.step_result import StepHandlerResult

        return StepHandlerResult.success(result or {}, metadata)

    def failure(
        self,
        message: str,
        error_type: str = "handler_error",
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> "StepHandlerResult":
        """The step failed; it runs again if `retryable` and attempts are left."""
        from tasker_core.types.step_result import StepHandlerResult

        return StepHandlerResult.failure(
            message, error_type, retryable=retryable, metadata=metadata, error_code=error_code
        )
