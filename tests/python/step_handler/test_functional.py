"""Function handlers outside an engine, as tests of handlers call them."""

import asyncio
import dataclasses
from typing import Any

import pytest

from tasker_core import FfiStepEvent, PermanentError, StepContext, StepHandler
from tasker_core.step_handler import depends_on, inputs, step_handler


def context(data: dict[str, Any], results: dict[str, Any] | None = None) -> StepContext:
    ids = dict.fromkeys(
        ("task_uuid", "step_uuid", "correlation_id"), "018f2b6e-0000-7000-8000-000000000001"
    )
    event = FfiStepEvent(
        event_id="e",
        task_sequence_step={
            "task": {"context": data},
            "dependency_results": results or {},
            "workflow_step": {"attempts": 2, "max_attempts": 5, "inputs": {"i": 1}},
            "step_definition": {"handler": {"initialization": {"c": 2}}},
        },
        **ids,
    )
    return StepContext.from_ffi_event(event, "h")


def call(function: Any, *arguments: Any) -> Any:
    return function._handler_class().call(context(*arguments))


def test_the_class_of_a_function_is_a_handler() -> None:
    @step_handler("charge", version="2.1.0")
    def charge() -> None:
        """Charges."""

    handler = charge._handler_class()  # type: ignore[attr-defined]
    assert isinstance(handler, StepHandler)
    assert (handler.name, handler.version, handler.capabilities) == ("charge", "2.1.0", ["process"])
    assert type(handler).__doc__ == "Charges."


def test_arguments_come_from_inputs_dependencies_and_context() -> None:
    @step_handler("h")
    @depends_on(order="validate")
    @inputs("sku")
    def handle(order: Any, sku: str, context: StepContext) -> Any:
        return {"order": order, "sku": sku, "c": context.get_config("c"), "i": context.step_inputs}

    result = call(handle, {"sku": "A"}, {"validate": {"result": {"id": 1}}})
    assert result.is_success
    assert result.result == {"order": {"id": 1}, "sku": "A", "c": 2, "i": {"i": 1}}


def test_a_key_that_is_missing_is_none_or_the_default() -> None:
    @step_handler("h")
    @inputs("a", "b")
    def handle(a: Any, b: Any = "default") -> Any:
        return {"a": a, "b": b}

    assert call(handle, {}).result == {"a": None, "b": "default"}
    assert call(handle, {"b": None}).result == {"a": None, "b": None}


def test_a_dataclass_is_a_model_too() -> None:
    @dataclasses.dataclass
    class Order:
        sku: str
        quantity: int = 1

    @step_handler("h")
    @inputs(Order)
    def handle(inputs: Order) -> Any:
        return dataclasses.asdict(inputs)

    assert call(handle, {"sku": "A", "other": 1}).result == {"sku": "A", "quantity": 1}
    refused = call(handle, {"quantity": 2})
    assert (refused.error_type, refused.retryable) == ("validation_error", False)


def test_what_is_returned_is_wrapped() -> None:
    for value, wrapped in [
        (None, {}),
        ({"a": 1}, {"a": 1}),
        ([1], {"result": [1]}),
        (5, {"result": 5}),
    ]:
        assert call(step_handler("h")(lambda value=value: value), {}).result == wrapped


def test_what_is_raised_is_a_failure() -> None:
    @step_handler("h")
    @inputs("error")
    def handle(error: BaseException) -> None:
        raise error

    permanent = call(handle, {"error": PermanentError("no", error_code="C", metadata={"m": 1})})
    assert (permanent.error_type, permanent.retryable, permanent.error_code) == (
        "permanent_error",
        False,
        "C",
    )
    assert permanent.metadata["m"] == 1
    other = call(handle, {"error": KeyError("k")})
    assert (other.error_type, other.retryable) == ("handler_error", True)
    assert other.metadata["exception_type"] == "KeyError"
    assert "raise error" in other.metadata["traceback"]


def test_a_coroutine_function_answers_an_awaitable() -> None:
    @step_handler("h")
    @inputs("n")
    async def handle(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    assert asyncio.run(call(handle, {"n": 1})).result == {"result": 2}


def test_decorators_refuse_what_they_cannot_use() -> None:
    with pytest.raises(TypeError, match=r"depends_on\(a=...\) takes the name of a step"):
        depends_on(a=5)
    with pytest.raises(TypeError, match="takes names, or one model"):
        inputs(1)
    with pytest.raises(TypeError, match="takes names, or one model"):
        inputs()


def test_a_context_answers_for_its_event() -> None:
    seen = context({"a": None, "b": 2}, {"x_1": {"result": 1}, "x_2": {"v": {"w": 3}}, "y": 4})
    assert (seen.get_input("b"), seen.get_input_or("a", 9), seen.get_input_or("c")) == (2, 9, None)
    assert (seen.retry_count, seen.max_retries, seen.is_retry(), seen.is_last_retry()) == (
        1,
        5,
        True,
        False,
    )
    assert seen.get_dependency_field("x_2", "v", "w") == 3
    assert seen.get_dependency_field("x_2", "v", "w", "z") is None
    assert seen.get_all_dependency_results("x_") == [1, {"v": {"w": 3}}]
    assert seen.get_dependency_result_keys() == ["x_1", "x_2", "y"]
    assert not seen.cancelled
