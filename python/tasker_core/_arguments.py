"""Where each argument of a function handler comes from."""

from collections.abc import Callable
from typing import Any

from tasker_core.errors import ValidationError

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE, without importing inspect


class FunctionArguments:
    """The arguments of one function, worked out when it is decorated."""

    __slots__ = (
        "context_name",
        "dependencies",
        "input_keys",
        "input_model",
        "is_async",
        "optional",
    )

    def __init__(
        self,
        dependencies: tuple[tuple[str, str, Any], ...],
        input_keys: tuple[str, ...],
        input_model: Any,
        context_name: str | None,
        optional: frozenset[str],
        is_async: bool,
    ) -> None:
        self.dependencies = dependencies
        self.input_keys = input_keys
        self.input_model = input_model
        self.context_name = context_name
        self.optional = optional
        self.is_async = is_async

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "FunctionArguments":
        """Read the decorators and the signature of a function."""
        names, optional, is_async = _signature(function)
        given = getattr(function, "_tasker_inputs", ())
        is_model = isinstance(given, type)
        wanted = getattr(function, "_tasker_depends_on", {})
        dependencies = tuple(
            (parameter, step, None) if isinstance(step, str) else (parameter, step[0], step[1])
            for parameter, step in wanted.items()
        )
        context_name = next((name for name in ("context", "_context") if name in names), None)
        if context_name in wanted or (not is_model and context_name in given):
            context_name = None
        return cls(
            dependencies,
            () if is_model else tuple(given),
            given if is_model else None,
            context_name,
            frozenset(optional),
            is_async,
        )

    def collect(self, source: Any) -> dict[str, Any]:
        """The arguments for one call.

        Args:
            source: Has `get_input`, `input_data`, `get_dependency_result` and `as_context()`.

        Raises:
            ValidationError: A model refuses what the context or a dependency holds.
        """
        arguments: dict[str, Any] = {}
        for parameter, step, model in self.dependencies:
            value = source.get_dependency_result(step)
            if model is not None and value is not None:
                value = _validated(model, value, f"the result of step `{step}`")
            arguments[parameter] = value
        if self.input_keys:
            data = source.input_data
            for key in self.input_keys:
                if key in data or key not in self.optional:
                    arguments[key] = data.get(key)
        elif self.input_model is not None:
            arguments["inputs"] = _validated(
                self.input_model, source.input_data, "the task's context", of_inputs=True
            )
        if self.context_name is not None:
            arguments[self.context_name] = source.as_context()
        return arguments


def _signature(function: Callable[..., Any]) -> tuple[set[str], set[str], bool]:
    """The names of the parameters, those with a default, and whether it is a coroutine function."""
    code = getattr(function, "__code__", None)
    if code is None or getattr(function, "__wrapped__", None) is not None:
        import inspect

        parameters = inspect.signature(function).parameters
        optional = {name for name, one in parameters.items() if one.default is not one.empty}
        return set(parameters), optional, inspect.iscoroutinefunction(function)
    positional = code.co_varnames[: code.co_argcount]
    keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    optional = set(positional[len(positional) - len(defaults) :]) | set(
        function.__kwdefaults__ or ()
    )
    return {*positional, *keyword}, optional, bool(code.co_flags & _CO_COROUTINE)


def _validated(model: Any, value: Any, what: str, *, of_inputs: bool = False) -> Any:
    """A model of a value; one of the task's context takes the keys that it knows and leaves the
    others.
    """
    if isinstance(model, type) and isinstance(value, model):
        return value
    try:
        if hasattr(model, "model_validate"):
            return model.model_validate(value)
        fields = getattr(model, "__dataclass_fields__", None)
        if fields is not None and isinstance(value, dict):
            return model(
                **{key: one for key, one in value.items() if not of_inputs or key in fields}
            )
        return model(**value) if isinstance(value, dict) else model(value)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"{what} is no {model.__name__}: {error}") from error
