"""Durable workflows for Python: handlers and templates, run from one SQLite file.

Importing this package prints nothing and starts nothing. Names are imported when they are first
used.

>>> import tasker_core
>>> tasker_core.version() == tasker_core.__version__
True
"""

from typing import TYPE_CHECKING, Any

from tasker_core._extension import core as _core
from tasker_core._version import __version__

if TYPE_CHECKING:
    from tasker_core._current import CurrentStep, current_step
    from tasker_core.batch_processing import Batchable
    from tasker_core.engine import Engine
    from tasker_core.errors import (
        AuthenticationError,
        AuthorizationError,
        BusinessLogicError,
        ConfigurationError,
        NetworkError,
        NotFoundError,
        PermanentError,
        RateLimitError,
        ResourceContentionError,
        RetryableError,
        ServiceUnavailableError,
        TaskerError,
    )
    from tasker_core.errors import TimeoutError as StepTimeoutError
    from tasker_core.errors import ValidationError as StepValidationError
    from tasker_core.exceptions import (
        ConversionError,
        DatabaseError,
        DatabaseInUseError,
        DatabaseVersionError,
        EngineForkedError,
        EngineStoppedError,
        HandlerNotFoundError,
        IdentityError,
        TaskNotFoundError,
        TaskStateError,
        TemplateChangedError,
        TemplateError,
        TemplateProblem,
    )
    from tasker_core.results import StepInfo, TaskResult, Transition
    from tasker_core.step_handler.base import StepHandler
    from tasker_core.types.error_type import ErrorType
    from tasker_core.types.step_context import StepContext
    from tasker_core.types.step_event import FfiStepEvent
    from tasker_core.types.step_result import StepHandlerResult

get_rust_version = _core.get_rust_version
get_version = _core.get_version
health_check = _core.health_check


def version() -> str:
    """Return the version of the package, e.g. `0.1.0`."""
    return __version__


# Where each public name lives; renamed ones as `module:name there`.
_LAZY = {
    "AuthenticationError": "tasker_core.errors",
    "AuthorizationError": "tasker_core.errors",
    "Batchable": "tasker_core.batch_processing",
    "BusinessLogicError": "tasker_core.errors",
    "ConfigurationError": "tasker_core.errors",
    "ConversionError": "tasker_core.exceptions",
    "CurrentStep": "tasker_core._current",
    "DatabaseError": "tasker_core.exceptions",
    "DatabaseInUseError": "tasker_core.exceptions",
    "DatabaseVersionError": "tasker_core.exceptions",
    "Engine": "tasker_core.engine",
    "EngineForkedError": "tasker_core.exceptions",
    "EngineStoppedError": "tasker_core.exceptions",
    "ErrorType": "tasker_core.types.error_type",
    "FfiStepEvent": "tasker_core.types.step_event",
    "HandlerNotFoundError": "tasker_core.exceptions",
    "IdentityError": "tasker_core.exceptions",
    "NetworkError": "tasker_core.errors",
    "NotFoundError": "tasker_core.errors",
    "PermanentError": "tasker_core.errors",
    "RateLimitError": "tasker_core.errors",
    "ResourceContentionError": "tasker_core.errors",
    "RetryableError": "tasker_core.errors",
    "ServiceUnavailableError": "tasker_core.errors",
    "StepContext": "tasker_core.types.step_context",
    "StepHandler": "tasker_core.step_handler.base",
    "StepHandlerResult": "tasker_core.types.step_result",
    "StepInfo": "tasker_core.results",
    "StepTimeoutError": "tasker_core.errors:TimeoutError",
    "StepValidationError": "tasker_core.errors:ValidationError",
    "TaskNotFoundError": "tasker_core.exceptions",
    "TaskResult": "tasker_core.results",
    "TaskStateError": "tasker_core.exceptions",
    "TaskerError": "tasker_core.errors",
    "TemplateChangedError": "tasker_core.exceptions",
    "TemplateError": "tasker_core.exceptions",
    "TemplateProblem": "tasker_core.exceptions",
    "Transition": "tasker_core.results",
    "current_step": "tasker_core._current",
}

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "Batchable",
    "BusinessLogicError",
    "ConfigurationError",
    "ConversionError",
    "CurrentStep",
    "DatabaseError",
    "DatabaseInUseError",
    "DatabaseVersionError",
    "Engine",
    "EngineForkedError",
    "EngineStoppedError",
    "ErrorType",
    "FfiStepEvent",
    "HandlerNotFoundError",
    "IdentityError",
    "NetworkError",
    "NotFoundError",
    "PermanentError",
    "RateLimitError",
    "ResourceContentionError",
    "RetryableError",
    "ServiceUnavailableError",
    "StepContext",
    "StepHandler",
    "StepHandlerResult",
    "StepInfo",
    "StepTimeoutError",
    "StepValidationError",
    "TaskNotFoundError",
    "TaskResult",
    "TaskStateError",
    "TaskerError",
    "TemplateChangedError",
    "TemplateError",
    "TemplateProblem",
    "Transition",
    "__version__",
    "current_step",
    "get_rust_version",
    "get_version",
    "health_check",
    "version",
]


def __getattr__(name: str) -> Any:
    place = _LAZY.get(name)
    if place is None:
        raise AttributeError(f"module 'tasker_core' has no attribute {name!r}")
    from importlib import import_module

    module, _, renamed = place.partition(":")
    value = getattr(import_module(module), renamed or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
