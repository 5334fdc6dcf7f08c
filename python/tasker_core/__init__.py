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
    from tasker_core.engine import Engine as Engine
    from tasker_core.errors import AuthenticationError as AuthenticationError
    from tasker_core.errors import AuthorizationError as AuthorizationError
    from tasker_core.errors import BusinessLogicError as BusinessLogicError
    from tasker_core.errors import ConfigurationError as ConfigurationError
    from tasker_core.errors import NetworkError as NetworkError
    from tasker_core.errors import NotFoundError as NotFoundError
    from tasker_core.errors import PermanentError as PermanentError
    from tasker_core.errors import RateLimitError as RateLimitError
    from tasker_core.errors import ResourceContentionError as ResourceContentionError
    from tasker_core.errors import RetryableError as RetryableError
    from tasker_core.errors import ServiceUnavailableError as ServiceUnavailableError
    from tasker_core.errors import TaskerError as TaskerError
    from tasker_core.errors import TimeoutError as StepTimeoutError  # noqa: F401
    from tasker_core.errors import ValidationError as StepValidationError  # noqa: F401
    from tasker_core.exceptions import ConversionError as ConversionError
    from tasker_core.exceptions import DatabaseError as DatabaseError
    from tasker_core.exceptions import DatabaseInUseError as DatabaseInUseError
    from tasker_core.exceptions import DatabaseVersionError as DatabaseVersionError
    from tasker_core.exceptions import EngineForkedError as EngineForkedError
    from tasker_core.exceptions import EngineStoppedError as EngineStoppedError
    from tasker_core.exceptions import HandlerNotFoundError as HandlerNotFoundError
    from tasker_core.exceptions import TaskNotFoundError as TaskNotFoundError
    from tasker_core.exceptions import TemplateChangedError as TemplateChangedError
    from tasker_core.exceptions import TemplateError as TemplateError
    from tasker_core.exceptions import TemplateProblem as TemplateProblem
    from tasker_core.results import StepInfo as StepInfo
    from tasker_core.results import TaskResult as TaskResult
    from tasker_core.results import Transition as Transition
    from tasker_core.step_handler.base import StepHandler as StepHandler
    from tasker_core.types.error_type import ErrorType as ErrorType
    from tasker_core.types.step_context import StepContext as StepContext
    from tasker_core.types.step_event import FfiStepEvent as FfiStepEvent
    from tasker_core.types.step_result import StepHandlerResult as StepHandlerResult

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
    "BusinessLogicError": "tasker_core.errors",
    "ConfigurationError": "tasker_core.errors",
    "ConversionError": "tasker_core.exceptions",
    "DatabaseError": "tasker_core.exceptions",
    "DatabaseInUseError": "tasker_core.exceptions",
    "DatabaseVersionError": "tasker_core.exceptions",
    "Engine": "tasker_core.engine",
    "EngineForkedError": "tasker_core.exceptions",
    "EngineStoppedError": "tasker_core.exceptions",
    "ErrorType": "tasker_core.types.error_type",
    "FfiStepEvent": "tasker_core.types.step_event",
    "HandlerNotFoundError": "tasker_core.exceptions",
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
    "TaskerError": "tasker_core.errors",
    "TemplateChangedError": "tasker_core.exceptions",
    "TemplateError": "tasker_core.exceptions",
    "TemplateProblem": "tasker_core.exceptions",
    "Transition": "tasker_core.results",
}

__all__ = ["__version__", "get_rust_version", "get_version", "health_check", "version", *_LAZY]


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
