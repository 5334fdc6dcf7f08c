"""Handlers as functions: decorators say where each argument comes from.

>>> from tasker_core.step_handler import depends_on, inputs, step_handler
>>> @step_handler("charge_card")
... @depends_on(order="validate_order")
... @inputs("currency")
... def charge_card(order, currency):
...     return {"charged": order["total"], "currency": currency}
>>> charge_card({"total": 5}, "EUR")
{'charged': 5, 'currency': 'EUR'}
>>> charge_card._handler_class().name
'charge_card'
"""

from collections.abc import Callable
from typing import Any, TypeVar

from tasker_core._arguments import FunctionArguments
from tasker_core.step_handler.base import StepHandler

_F = TypeVar("_F", bound=Callable[..., Any])


class FunctionHandler(StepHandler):
    """The class that `@step_handler` makes of a function."""

    function: Callable[..., Any]
    arguments: FunctionArguments

    def call(self, context: Any) -> Any:
        """Call the function with what the decorators name, and answer a result."""
        from tasker_core._outcome import function_result

        return function_result(type(self).function, self.arguments, context)


def step_handler(name: str, version: str = "1.0.0") -> Callable[[_F], _F]:
    """Make a function a handler.

    The function stays callable as it is. Its handler class is `function._handler_class`.

    Args:
        name: What templates call it by.
        version: The handler's own version, kept with its results.
    """

    def decorate(function: _F) -> _F:
        attributes = {
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "arguments": FunctionArguments.of(function),
            "function": staticmethod(function),
            "handler_name": name,
            "handler_version": version,
        }
        handler = type(function.__name__, (FunctionHandler,), attributes)
        function._handler_class = handler  # type: ignore[attr-defined]
        return function

    return decorate


def depends_on(**dependencies: Any) -> Callable[[_F], _F]:
    """Give a function the results of steps: `depends_on(order="validate_order")`.

    `depends_on(order=("validate_order", Order))` makes a model of it. Use it below `step_handler`.

    Args:
        dependencies: For each parameter the name of a step, or that and a model.

    Raises:
        TypeError: A parameter is given neither.
    """
    for parameter, wanted in dependencies.items():
        pair = isinstance(wanted, tuple) and len(wanted) == 2 and isinstance(wanted[0], str)
        if not (pair or isinstance(wanted, str)):
            raise TypeError(
                f"depends_on({parameter}=...) takes the name of a step, or (name, model); "
                f"got {wanted!r}"
            )

    def decorate(function: _F) -> _F:
        function._tasker_depends_on = {  # type: ignore[attr-defined]
            **getattr(function, "_tasker_depends_on", {}),
            **dependencies,
        }
        return function

    return decorate


def inputs(*keys_or_model: Any) -> Callable[[_F], _F]:
    """Give a function values of the task's context: `inputs("a", "b")`, an argument each, or
    `inputs(Model)`, one argument `inputs`.

    A key that the context lacks is left out of the model, so that the model's default applies. Use
    it below `step_handler`.

    Raises:
        TypeError: Something else than names, or than one model, was given.
    """
    if len(keys_or_model) == 1 and isinstance(keys_or_model[0], type):
        given: Any = keys_or_model[0]
    elif keys_or_model and all(isinstance(key, str) for key in keys_or_model):
        given = keys_or_model
    else:
        raise TypeError(f"inputs() takes names, or one model; got {keys_or_model!r}")

    def decorate(function: _F) -> _F:
        function._tasker_inputs = given  # type: ignore[attr-defined]
        return function

    return decorate
