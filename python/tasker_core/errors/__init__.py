"""What a handler raises to say whether its step may run again.

>>> from tasker_core.errors import PermanentError, RateLimitError
>>> PermanentError("no such customer").retryable
False
>>> RateLimitError("slow down", retry_after=30).retry_after
30
"""

from typing import Any


class TaskerError(Exception):
    """The root of every error of this package.

    Args:
        message: What is wrong, for people.
        retryable: Whether the step may run again; the class decides when this is None.
        metadata: What else is known; stored with the step.
        error_code: A short name for programs, such as `CARD_DECLINED`.
        retry_after: Seconds to wait before the next attempt, up to an hour; wins over the step's
            backoff.
        context: Where it happened; stored with the step.
    """

    default_retryable = True

    def __init__(
        self,
        message: str = "",
        *,
        retryable: bool | None = None,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
        retry_after: int | float | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = self.default_retryable if retryable is None else retryable
        self.metadata = metadata or {}
        self.error_code = error_code
        self.retry_after = retry_after
        self.context = context or {}


class RetryableError(TaskerError):
    """The step failed now and may succeed later."""


class TimeoutError(RetryableError):
    """Something took too long."""


class NetworkError(RetryableError):
    """A connection failed."""


class RateLimitError(RetryableError):
    """A service asks to slow down; give `retry_after` if it said how long."""


class ServiceUnavailableError(RetryableError):
    """A service is down for now."""


class ResourceContentionError(RetryableError):
    """Somebody else holds what the step needs."""


class PermanentError(TaskerError):
    """The step failed and would fail again: it is not retried."""

    default_retryable = False


class ValidationError(PermanentError):
    """An input is wrong."""


class NotFoundError(PermanentError):
    """Something that has to exist does not."""


class AuthenticationError(PermanentError):
    """A service does not know who is asking."""


class AuthorizationError(PermanentError):
    """A service does not let who is asking do this."""


class ConfigurationError(PermanentError):
    """The deployment lacks something, or has it wrong."""


class BusinessLogicError(PermanentError):
    """A rule of the business forbids it."""


__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessLogicError",
    "ConfigurationError",
    "NetworkError",
    "NotFoundError",
    "PermanentError",
    "RateLimitError",
    "ResourceContentionError",
    "RetryableError",
    "ServiceUnavailableError",
    "TaskerError",
    "TimeoutError",
    "ValidationError",
]
