"""Carrying out one attempt: arguments in, outcome out. Whatever a handler does hurts its own step
alone.
"""

import json
import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from tasker_core import _outcome
from tasker_core._current import CurrentStep, _current
from tasker_core._outcome import Failure
from tasker_core.exceptions import ConversionError

if TYPE_CHECKING:
    from tasker_core._loop import EventLoopThread
    from tasker_core._plan import PlanStep
    from tasker_core._tasker_core import Attempt

_loads = json.loads

# What a result may hold as JSON, in bytes, and a checkpoint.
MAX_JSON_BYTES = 4 * 1024 * 1024
MAX_CHECKPOINT_BYTES = 1024 * 1024


def carry_out(attempt: "Attempt", step: "PlanStep", loop: "EventLoopThread") -> None:
    """Run the handler and say on the attempt what became of it.

    Raises:
        KeyboardInterrupt: On the main thread alone; the step is given back, unfinished.
    """
    # What a handler sets in context variables ends with its step.
    copy_context().run(_carry_out, attempt, step, loop)


def _carry_out(attempt: "Attempt", step: "PlanStep", loop: "EventLoopThread") -> None:
    _current.set(_scope(attempt, step))
    try:
        call = _call_function if step.is_function else _call_class
        value = call(attempt, step, loop)
        while _is_checkpoint(value):
            if not attempt.keep(value.result, limit=MAX_CHECKPOINT_BYTES):
                attempt.interrupt()
                return
            value = call(attempt, step, loop)
        _say(attempt, value)
    except KeyboardInterrupt as interrupt:
        if threading.current_thread() is threading.main_thread():
            # Whoever pressed Ctrl-C meant the program, not the step.
            attempt.give_back()
            raise
        _fail(attempt, _outcome.of_exception(interrupt))
    except ConversionError as error:
        _fail(attempt, _named(step, "invalid_result", str(error)))
    except BaseException as error:
        _fail(attempt, _outcome.of_exception(error))


async def carry_out_on_loop(attempt: "Attempt", step: "PlanStep") -> None:
    """The same for a handler that is a coroutine function, on the event loop's thread."""
    import asyncio

    _current.set(_scope(attempt, step))
    try:
        value = await _await_handler(attempt, step)
        while _is_checkpoint(value):
            # The loop never waits for the disk.
            keep = partial(attempt.keep, value.result, limit=MAX_CHECKPOINT_BYTES)
            if not await asyncio.get_running_loop().run_in_executor(None, keep):
                attempt.interrupt()
                return
            value = await _await_handler(attempt, step)
        _say(attempt, value)
    except ConversionError as error:
        _fail(attempt, _named(step, "invalid_result", str(error)))
    except BaseException as error:
        _fail(attempt, _outcome.of_exception(error))


async def _await_handler(attempt: "Attempt", step: "PlanStep") -> Any:
    handler: Any = step.handler
    if step.is_function:
        value = handler.function(**handler.arguments.collect(AttemptSource(attempt, step)))
        return _outcome.of_function_value(await value)
    from tasker_core._lazy_context import LazyStepContext

    call = getattr(handler(), step.definition["method"] or "call")
    return _outcome.of_class_value(await call(LazyStepContext.of(AttemptSource(attempt, step))))


def _scope(attempt: "Attempt", step: "PlanStep") -> CurrentStep:
    return CurrentStep(attempt.task_uuid, step.plan.label, attempt.step_name, attempt.number)


def _is_checkpoint(value: Any) -> bool:
    """Whether a handler asks to be called again from where it is."""
    return (
        type(value) is not dict
        and getattr(value, "is_success", False)
        and bool(value.metadata)
        and value.metadata.get("checkpoint_yield") is True
    )


def _call_function(attempt: "Attempt", step: "PlanStep", loop: "EventLoopThread") -> Any:
    handler: Any = step.handler
    value = handler.function(**handler.arguments.collect(AttemptSource(attempt, step)))
    if hasattr(value, "__await__"):
        value = loop.run(value)
    return _outcome.of_function_value(value)


def _call_class(attempt: "Attempt", step: "PlanStep", loop: "EventLoopThread") -> Any:
    from tasker_core._lazy_context import LazyStepContext

    assert step.handler is not None
    handler = step.handler()
    call = getattr(handler, step.definition["method"] or "call")
    value = call(LazyStepContext.of(AttemptSource(attempt, step)))
    if hasattr(value, "__await__"):
        value = loop.run(value)
    return _outcome.of_class_value(value)


def _say(attempt: "Attempt", value: Any) -> None:
    if isinstance(value, dict):
        attempt.succeed(value, None, limit=MAX_JSON_BYTES)
    elif isinstance(value, Failure):
        _fail(attempt, value)
    elif value.is_success:
        result = value.result if value.result is not None else {}
        attempt.succeed(result, value.metadata or None, limit=MAX_JSON_BYTES)
    else:
        failed = _outcome.failure(
            value.error_message or "the handler answered a failure without a message",
            value.error_type or "handler_error",
            retryable=value.retryable,
            error_code=value.error_code,
            metadata=value.metadata,
        )
        _fail(attempt, failed)


def _fail(attempt: "Attempt", failed: Failure) -> None:
    try:
        text = json.dumps(failed.error, allow_nan=False, default=repr, ensure_ascii=False)
    except ValueError:
        # What came along can't be stored; the message can.
        error = {
            **failed.error,
            "metadata": {"unserialisable": repr(failed.error["metadata"])[:2000]},
        }
        text = json.dumps(error, default=repr, ensure_ascii=False)
    # Half of a surrogate pair can't be stored.
    text = text.encode("utf-8", "replace").decode()
    retry_after = failed.retry_after
    milliseconds = None if retry_after is None else max(int(retry_after * 1000), 0)
    attempt.fail(text, retryable=failed.retryable, retry_after_ms=milliseconds)


def _named(step: "PlanStep", error_type: str, message: str) -> Failure:
    handler = step.definition["callable"]
    return _outcome.failure(
        f"step `{step.name}` (handler `{handler}`) can't be stored: {message}",
        error_type,
        retryable=False,
    )


class AttemptSource:
    """An attempt as the source of a handler's arguments; decodes what is asked for, when it is."""

    __slots__ = ("_input", "_workers", "attempt", "step")

    def __init__(self, attempt: "Attempt", step: "PlanStep") -> None:
        self.attempt = attempt
        self.step = step
        self._input: dict[str, Any] | None = None
        self._workers: dict[str, Any] | None = None

    @property
    def input_data(self) -> dict[str, Any]:
        """The context of the task."""
        if self._input is None:
            self._input = _loads(self.attempt.context)
        return self._input

    @property
    def worker_results(self) -> dict[str, Any]:
        """What the workers of batches answered that this step depends on."""
        if self._workers is None:
            self._workers = {name: _loads(text) for name, text in self.attempt.workers()}
        return self._workers

    def stored_result(self, step_name: str) -> Any:
        """What a step that this one depends on answered, as it was stored, or None."""
        if self.step.joins_batch and step_name in self.worker_results:
            return self.worker_results[step_name]
        place = self.step.dependency_places.get(step_name)
        if place is not None:
            text = self.attempt.dependency(place)
        elif step_name in self.step.ancestors:
            plan = self.step.plan
            text = plan.core.result_of(self.attempt, plan.positions[step_name])
        else:
            return None
        return None if text is None else _loads(text)

    def get_dependency_result(self, step_name: str) -> Any:
        """What a step that this one depends on answered, or None; `{"result": x}` is unwrapped to
        `x`.
        """
        value = self.stored_result(step_name)
        if type(value) is dict and "result" in value:
            return value["result"]
        return value

    def as_context(self) -> Any:
        """All of it as a `StepContext`."""
        from tasker_core._lazy_context import LazyStepContext

        return LazyStepContext.of(self)
