"""Handlers: the code that carries out steps, as classes or as functions."""

from typing import TYPE_CHECKING, Any

from tasker_core.step_handler.base import StepHandler
from tasker_core.step_handler.functional import depends_on, inputs, step_handler

if TYPE_CHECKING:
    from tasker_core.types.step_result import StepHandlerResult as StepHandlerResult

__all__ = ["StepHandler", "StepHandlerResult", "depends_on", "inputs", "step_handler"]


def __getattr__(name: str) -> Any:
    if name == "StepHandlerResult":
        from tasker_core.types.step_result import StepHandlerResult

        return StepHandlerResult
    raise AttributeError(f"module 'tasker_core.step_handler' has no attribute {name!r}")
