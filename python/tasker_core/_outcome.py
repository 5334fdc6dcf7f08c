"""What a handler returned or raised, as the one form that is stored.

One rule for classes and functions: this project's permanent errors, and inputs that a model
refuses, are permanent; all else may be retried.
"""

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tasker_core.errors import TaskerError, ValidationError

if TYPE_CHECKING:
    from tasker_core._arguments import FunctionArguments
    from tasker_core.types.step_result import StepHandlerResult

# A traceback deeper than this is cut in the middle.
_FRAMES = 50


class Failure:
    """Why an attempt failed."""

    __slots__ = ("error", "retry_after", "retryable")

    def __init__(self, error: dict[str, Any], retryable: bool, retry_after: float | None = None):
        self.error = error
        self.retryable = retryable
        self.retry_after = retry_after


def failure(
    message: str,
    error_type: str,
    *,
    retryable: bool,
    retry_after: float | None = None,
    error_code: str | None = None,
    metadata: dict[str, Any] | None = None,
    **more: Any,
) -> Failure:
    """A failure with the fields that every stored error has."""
    error = {
        "message": message,
        "error_type": error_type,
        "error_code": error_code,
        "retryable": retryable,
        "metadata": metadata or {},
        **more,
    }
    return Failure(error, retryable, retry_after)


def of_exception(exception: BaseException) -> Failure:
    """What an exception of a handler means for its step."""
    kind = type(exception)
    text = str(exception) or kind.__name__
    metadata: dict[str, Any] = {}
    error_code = None
    retry_after = None
    if isinstance(exception, TaskerError):
        retryable = bool(exception.retryable)
        error_type = _error_type(exception)
        metadata = {**exception.metadata}
        if exception.context:
            metadata["context"] = exception.context
        error_code = exception.error_code
        retry_after = exception.retry_after
    else:
        retryable, error_type = True, "handler_error"
        if not isinstance(exception, Exception):
            # SystemExit and its kin say nothing by themselves.
            text = f"the handler raised {kind.__name__}({exception})"
    metadata["exception_type"] = kind.__name__
    return failure(
        text,
        error_type,
        retryable=retryable,
        retry_after=retry_after,
        error_code=error_code,
        metadata=metadata,
        backtrace=_backtrace(exception),
    )


def _error_type(exception: TaskerError) -> str:
    from tasker_core.errors import PermanentError, RetryableError
    from tasker_core.errors import TimeoutError as StepTimeoutError

    if isinstance(exception, ValidationError):
        return "validation_error"
    if isinstance(exception, StepTimeoutError):
        return "timeout"
    if isinstance(exception, PermanentError):
        return "permanent_error"
    if isinstance(exception, RetryableError):
        return "retryable_error"
    return "handler_error"


def _backtrace(exception: BaseException) -> list[str]:
    # The frames of this package say nothing about the fault.
    lines = traceback.format_exception(exception)
    if len(lines) > _FRAMES:
        half = _FRAMES // 2
        lines = [*lines[:half], f"... {len(lines) - 2 * half} more\n", *lines[-half:]]
    return [line.rstrip("\n") for line in lines]


def of_class_value(value: Any) -> Any:
    """What a class handler returned, as a result dict, a `StepHandlerResult` or a `Failure`."""
    if type(value) is dict or hasattr(value, "is_success") or isinstance(value, Failure):
        return value
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    kind = type(value).__name__
    return failure(
        f"a handler answers a StepHandlerResult, a dict or None; this one answered {kind}",
        "invalid_result",
        retryable=False,
    )


def of_function_value(value: Any) -> Any:
    """What a function handler returned, as a result dict or a `StepHandlerResult`."""
    if type(value) is dict or hasattr(value, "is_success"):
        return value
    if value is None:
        return {}
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return value
    return {"result": value}


def function_result(
    function: Callable[..., Any], arguments: "FunctionArguments", context: Any
) -> Any:
    """Call a function handler outside the engine, as tests of handlers do; answers a
    `StepHandlerResult`, or an awaitable of one.
    """
    if arguments.is_async:
        return _function_result_async(function, arguments, context)
    try:
        value = function(**arguments.collect(_ContextSource(context)))
    except Exception as error:
        return _as_result(of_exception(error))
    return _as_result(of_function_value(value))


async def _function_result_async(
    function: Callable[..., Any], arguments: "FunctionArguments", context: Any
) -> Any:
    try:
        value = await function(**arguments.collect(_ContextSource(context)))
    except Exception as error:
        return _as_result(of_exception(error))
    return _as_result(of_function_value(value))


class _ContextSource:
    """A `StepContext` as the source of arguments."""

    __slots__ = ("_context", "get_dependency_result", "input_data")

    def __init__(self, context: Any) -> None:
        self._context = context
        self.input_data = context.input_data
        self.get_dependency_result = context.get_dependency_result

    def as_context(self) -> Any:
        return self._context


def _as_result(value: Any) -> "StepHandlerResult":
    from tasker_core.types.step_result import StepHandlerResult

    if isinstance(value, Failure):
        error = value.error
        metadata = {**error["metadata"]}
        if "backtrace" in error:
            metadata["traceback"] = "\n".join(error["backtrace"])
        return StepHandlerResult.failure(
            error["message"],
            error["error_type"],
            retryable=value.retryable,
            metadata=metadata,
            error_code=error["error_code"],
        )
    if isinstance(value, dict):
        return StepHandlerResult.success(value)
    return value  # type: ignore[no-any-return]
