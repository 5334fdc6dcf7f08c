"""The names of errors that have a meaning of their own."""

from enum import Enum


class ErrorType(str, Enum):
    """What kind of error failed a step."""

    PERMANENT_ERROR = "permanent_error"
    RETRYABLE_ERROR = "retryable_error"
    VALIDATION_ERROR = "validation_error"
    TIMEOUT = "timeout"
    HANDLER_ERROR = "handler_error"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def is_standard(cls, error_type: str) -> bool:
        """Whether a name is one of these.

        >>> ErrorType.is_standard("timeout"), ErrorType.is_standard("card_declined")
        (True, False)
        """
        return error_type in cls._value2member_map_

    @classmethod
    def is_typically_retryable(cls, error_type: str) -> bool:
        """Whether errors of this name usually pass: `retryable_error` and `timeout`."""
        return error_type in (cls.RETRYABLE_ERROR.value, cls.TIMEOUT.value)
