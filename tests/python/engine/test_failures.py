"""Whatever a handler does hurts its own step alone, and the error says what it was."""

import builtins
import sys
from typing import Any

import pytest
from support import MakeEngine, template

from tasker_core import (
    NetworkError,
    PermanentError,
    RetryableError,
    StepContext,
    StepHandler,
    StepHandlerResult,
    StepValidationError,
    TaskResult,
)
from tasker_core.step_handler import inputs, step_handler

ONCE = "! retry: {max_attempts: 1}"


def run_failing(
    make_engine: MakeEngine, handler: Any, context: dict[str, Any] | None = None
) -> Any:
    """Runs a handler beside a healthy one and answers the failed step's error."""

    def healthy() -> None: ...

    engine = make_engine(handler, healthy)
    engine.load_text(
        template(f"bad: {handler.__name__} {ONCE}", "good: healthy", "after: healthy <- bad")
    )
    done = engine.run("orders", context or {})
    assert done.state == "blocked_by_failures"
    states = {name: info.state for name, info in done.steps.items()}
    assert states == {"bad": "error", "good": "complete", "after": "pending"}
    return done.errors["bad"]


def test_an_exception_keeps_its_traceback(make_engine: MakeEngine) -> None:
    def fails() -> None:
        raise ValueError("no such sku")

    error = run_failing(make_engine, fails)
    assert (error["message"], error["error_type"], error["retryable"]) == (
        "no such sku",
        "handler_error",
        True,
    )
    assert error["metadata"]["exception_type"] == "ValueError"
    trace = "\n".join(error["backtrace"])
    assert "in fails" in trace and 'raise ValueError("no such sku")' in trace


def test_sys_exit_in_a_handler_ends_only_the_step(make_engine: MakeEngine) -> None:
    def leaves() -> None:
        sys.exit(3)

    assert run_failing(make_engine, leaves)["message"] == "the handler raised SystemExit(3)"


def test_a_base_exception_of_any_kind_ends_only_the_step(make_engine: MakeEngine) -> None:
    class Odd(BaseException):
        pass

    def odd() -> None:
        raise Odd("strange")

    assert run_failing(make_engine, odd)["metadata"]["exception_type"] == "Odd"


if sys.version_info >= (3, 11):  # which brought exception groups

    def test_an_exception_group_keeps_what_it_holds(make_engine: MakeEngine) -> None:
        def group() -> None:
            group_type = vars(builtins)["ExceptionGroup"]
            raise group_type("both", [ValueError("left"), KeyError("right")])

        trace = "\n".join(run_failing(make_engine, group)["backtrace"])
        assert "left" in trace and "right" in trace


def test_a_class_handler_that_returns_the_wrong_type_fails_at_once(make_engine: MakeEngine) -> None:
    class Wrong(StepHandler):
        def call(self, context: StepContext) -> Any:
            return [context.handler_name]

    error = run_failing(make_engine, Wrong)
    assert (error["error_type"], error["retryable"]) == ("invalid_result", False)
    assert error["message"].endswith("this one answered list")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": {"b": [1, object()]}}, 'result["a"]["b"][1]: builtins.object has no form in JSON'),
        ({"rate": float("nan")}, 'result["rate"]: nan is no number that JSON can hold'),
        ({"a": {1: 2}}, 'result["a"]: the key 1 is int, and keys must be text'),
        ({"a": "\ud800"}, 'result["a"]: the text holds half of a surrogate pair'),
        ({"a": "x" * 5_000_000}, "it has more than 4194304 bytes as JSON"),
    ],
)
def test_a_result_that_is_no_json_is_a_permanent_error_with_its_path(
    make_engine: MakeEngine, value: Any, why: str
) -> None:
    def unserialisable() -> Any:
        return value

    error = run_failing(make_engine, unserialisable)
    assert (error["error_type"], error["retryable"]) == ("invalid_result", False)
    assert why in error["message"]
    assert error["message"].startswith("step `bad` (handler `unserialisable`) can't be stored: ")


def test_a_result_that_holds_itself_is_a_permanent_error(make_engine: MakeEngine) -> None:
    def circular() -> Any:
        loop: dict[str, Any] = {}
        loop["self"] = loop
        return loop

    assert (
        "nested deeper than 128, or holds itself" in run_failing(make_engine, circular)["message"]
    )


def test_inputs_that_a_model_refuses_are_permanent(make_engine: MakeEngine) -> None:
    from pydantic import BaseModel

    class Order(BaseModel):
        quantity: int

    @step_handler("order")
    @inputs(Order)
    def order(inputs: Order) -> None:
        raise AssertionError(f"{inputs} is no order")

    error = run_failing(make_engine, order, {"quantity": "many"})
    assert (error["error_type"], error["retryable"]) == ("validation_error", False)
    assert "the task's context is no Order" in error["message"]


@pytest.mark.parametrize(
    ("raised", "error_type", "attempts"),
    [
        (PermanentError("no", error_code="E7"), "permanent_error", 1),
        (StepValidationError("no"), "validation_error", 1),
        (RetryableError("no", retry_after=0), "retryable_error", 3),
        (NetworkError("no", retry_after=0), "retryable_error", 3),
    ],
)
def test_classes_and_functions_follow_one_rule_of_what_is_retried(
    make_engine: MakeEngine, raised: Exception, error_type: str, attempts: int
) -> None:
    class Class(StepHandler):
        def call(self, _context: StepContext) -> Any:
            raise raised

    def function() -> None:
        raise raised

    engine = make_engine(Class, function)
    engine.load_text(template("a: Class", "b: function"))
    done = engine.run("orders")
    for name in ("a", "b"):
        assert done.errors[name]["error_type"] == error_type
        assert done.steps[name].attempts == attempts
    assert done.errors["a"]["error_code"] == getattr(raised, "error_code", None)


def test_a_failure_answered_is_as_good_as_one_raised(make_engine: MakeEngine) -> None:
    class Declines(StepHandler):
        def call(self, _context: StepContext) -> StepHandlerResult:
            return self.failure(
                "declined", "card", retryable=False, error_code="51", metadata={"a": 1}
            )

    error = run_failing(make_engine, Declines)
    assert error == {
        "message": "declined",
        "error_type": "card",
        "error_code": "51",
        "retryable": False,
        "metadata": {"a": 1},
    }


def test_a_failed_step_runs_again_and_knows_it(make_engine: MakeEngine) -> None:
    seen = []

    def flaky(context: StepContext) -> dict[str, int]:
        seen.append((context.retry_count, context.is_retry(), context.is_last_retry()))
        if len(seen) < 3:
            raise RetryableError("not yet", retry_after=0)
        return {"after": len(seen)}

    engine = make_engine(flaky)
    engine.load_text(template("flaky"))
    done = engine.run("orders")
    assert (done.result, done.steps["flaky"].attempts) == ({"after": 3}, 3)
    assert seen == [(0, False, False), (1, True, False), (2, True, True)]


def test_a_deadline_fails_the_attempt_and_tells_the_handler(make_engine: MakeEngine) -> None:
    import threading

    given_up = threading.Event()

    def hangs(context: StepContext) -> None:
        if context.retry_count == 0:
            # A handler that looks: it comes back some time after its deadline.
            while not context.cancelled:
                given_up.wait(0.001)
            given_up.set()

    engine = make_engine(hangs)
    engine.load_text(
        template("hangs ! timeout_seconds: 0.05, retry: {max_attempts: 2, backoff: none}")
    )
    done = engine.run("orders")
    assert done.is_complete
    assert done.steps["hangs"].attempts == 2
    assert given_up.wait(30)
    causes = [moved.cause for moved in engine.trail(done.task_uuid) if moved.step == "hangs"]
    assert causes.count("failed") == 2  # both moves of the one failed attempt


def test_an_error_with_odd_metadata_is_stored_all_the_same(make_engine: MakeEngine) -> None:
    def odd() -> None:
        raise PermanentError("odd \ud800", metadata={"o": object(), "nan": float("nan")})

    error = run_failing(make_engine, odd)
    assert error["message"] == "odd ?"


def test_the_task_result_shows_itself(make_engine: MakeEngine) -> None:
    def one() -> None: ...

    engine = make_engine(one)
    engine.load_text(template("one"))
    done: TaskResult = engine.run("orders")
    assert repr(done) == f"<TaskResult default/orders@1.0.0 {done.task_uuid} complete>"
