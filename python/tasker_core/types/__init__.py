"""The values that handlers get and give."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasker_core.types.error_type import ErrorType as ErrorType
    from tasker_core.types.step_context import StepContext as StepContext
    from tasker_core.types.step_event import FfiStepEvent as FfiStepEvent
    from tasker_core.types.step_result import StepHandlerResult as StepHandlerResult

_LAZY = {
    "ErrorType": "tasker_core.types.error_type",
    "FfiStepEvent": "tasker_core.types.step_event",
    "StepContext": "tasker_core.types.step_context",
    "StepHandlerResult": "tasker_core.types.step_result",
}

__all__ = ["ErrorType", "FfiStepEvent", "StepContext", "StepHandlerResult"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tasker_core.types' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
