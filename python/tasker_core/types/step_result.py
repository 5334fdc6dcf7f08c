"""What a handler answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasker_core.types.error_type import ErrorType


class StepHandlerResult(BaseModel):
    """A step's success or failure.

    >>> StepHandlerResult.success({"total": 5}).result
    {'total': 5}
    >>> StepHandlerResult.failure("no stock", retryable=False).error_message
    'no stock'
    """

    model_config = ConfigDict(populate_by_name=True)

    is_success: bool = Field(alias="success")
    result: dict[str, Any] | None = None
    error_message: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    retryable: bool = True
    metadata: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def success(
        cls, result: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> "StepHandlerResult":
        """A success with a result.

        Args:
            result: Plain values by name; stored as JSON.
            metadata: What else is worth keeping; stored beside the result.

        Raises:
            pydantic.ValidationError: The result is no dict.
        """
        return cls(success=True, result=result, metadata=metadata or {})

    @classmethod
    def failure(
        cls,
        message: str,
        error_type: str | ErrorType = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> "StepHandlerResult":
        """A failure.

        Args:
            message: What is wrong, for people.
            error_type: An `ErrorType`, or a name of your own.
            retryable: Whether the step may run again while attempts are left.
            metadata: What else is known.
            error_code: A short name for programs.
        """
        return cls(
            success=False,
            error_message=message,
            error_type=str(error_type),
            error_code=error_code,
            retryable=retryable,
            metadata=metadata or {},
        )

    def is_success_result(self) -> bool:
        """Whether the step succeeded."""
        return self.is_success

    def is_failure_result(self) -> bool:
        """Whether the step failed."""
        return not self.is_success
