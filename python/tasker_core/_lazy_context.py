"""The context that the engine gives handlers: each field is made when it is first read."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr, model_serializer

from tasker_core.types.step_context import StepContext
from tasker_core.types.step_event import FfiStepEvent

if TYPE_CHECKING:
    from tasker_core._attempt import AttemptSource


class LazyStepContext(StepContext):
    """A `StepContext` over an attempt. Whoever looks at all of it at once (a dump, a comparison, a
    copy) finds every field.
    """

    _source: Any = PrivateAttr()

    @classmethod
    def of(cls, source: "AttemptSource") -> "LazyStepContext":
        """The context of an attempt."""
        context = cls.__new__(cls)
        put = object.__setattr__
        put(context, "__dict__", {})
        put(context, "__pydantic_fields_set__", set())
        put(context, "__pydantic_extra__", None)
        put(context, "__pydantic_private__", {"_source": source})
        return context

    def __getattr__(self, name: str) -> Any:
        make = _FIELDS.get(name)
        if make is None:
            return super().__getattr__(name)  # type: ignore[misc]
        value = make(self._source)
        self.__dict__[name] = value
        return value

    @property
    def checkpoint(self) -> dict[str, Any] | None:
        """What the handler stored last with `checkpoint_yield`, in this attempt or an earlier one;
        None before that.
        """
        return _checkpoint(self._source)

    @property
    def cancelled(self) -> bool:
        """True once nobody wants the result any more: the deadline passed, or the task was
        cancelled.
        """
        return bool(self._source.attempt.cancelled)

    def get_dependency_result(self, step_name: str) -> Any:
        """What a step that this one depends on answered, or None; `{"result": x}` is unwrapped to
        `x`.
        """
        if "dependency_results" in self.__dict__:
            return super().get_dependency_result(step_name)
        return self._source.get_dependency_result(step_name)

    def _complete(self) -> None:
        for name in _FIELDS:
            getattr(self, name)

    @model_serializer(mode="wrap")
    def _serialise(self, handler: Any) -> Any:
        self._complete()
        return handler(self)

    def __eq__(self, other: object) -> bool:
        self._complete()
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr_args__(self) -> Any:
        self._complete()
        return super().__repr_args__()

    def __copy__(self) -> Any:
        self._complete()
        return super().__copy__()

    def __deepcopy__(self, memo: Any = None) -> Any:
        self._complete()
        return StepContext.model_construct(**self.__dict__).__deepcopy__(memo)

    def __reduce__(self) -> Any:
        self._complete()
        return (_rebuild, (dict(self.__dict__),))


def _rebuild(fields: dict[str, Any]) -> StepContext:
    return StepContext.model_construct(**fields)


def _dependency_results(source: "AttemptSource") -> dict[str, Any]:
    found = {}
    for name in source.step.plan.positions:
        if name in source.step.ancestors:
            value = source.stored_result(name)
            if value is not None:
                found[name] = value
    found.update(source.worker_results)
    return found


def step_uuid(task_uuid: str, place: int) -> uuid.UUID:
    """The id of a step: its task's, with the step's place folded into the random part, so that it
    need not be stored.
    """
    whole = uuid.UUID(task_uuid).int
    return uuid.UUID(int=whole ^ (((place + 1) * 0x9E3779B97F4A7C15) & ((1 << 62) - 1)))


def _step_uuid(source: "AttemptSource") -> uuid.UUID:
    return step_uuid(source.attempt.task_uuid, source.attempt.position)


def _step_inputs(source: "AttemptSource") -> dict[str, Any]:
    text = source.attempt.inputs
    return {} if text is None else json.loads(text)


def _checkpoint(source: "AttemptSource") -> dict[str, Any] | None:
    text = source.attempt.checkpoint
    return None if text is None else json.loads(text)


def _task_uuid(source: "AttemptSource") -> uuid.UUID:
    return uuid.UUID(source.attempt.task_uuid)


def _event(source: "AttemptSource") -> FfiStepEvent:
    step, attempt = source.step, source.attempt
    template, definition = step.plan.template, step.definition
    task_uuid, own_uuid = attempt.task_uuid, str(_step_uuid(source))
    return FfiStepEvent(
        event_id=own_uuid,
        task_uuid=task_uuid,
        step_uuid=own_uuid,
        correlation_id=task_uuid,
        task_sequence_step={
            "task": {
                "task_uuid": task_uuid,
                "task_name": template.name,
                "namespace_name": template.namespace,
                "task_version": template.version,
                "correlation_id": task_uuid,
                "context": source.input_data,
            },
            "workflow_step": {
                "workflow_step_uuid": own_uuid,
                "task_uuid": task_uuid,
                "name": attempt.step_name,
                "attempts": attempt.number,
                "max_attempts": definition["max_attempts"],
                "retryable": definition["retryable"],
                "in_process": True,
                "processed": False,
                "inputs": _step_inputs(source),
                "checkpoint": _checkpoint(source),
            },
            "dependency_results": _dependency_results(source),
            "step_definition": {
                "name": step.name,
                "description": definition["description"] or "",
                "handler": {
                    "callable": definition["callable"],
                    "method": definition["method"],
                    "resolver": definition["resolver"],
                    "initialization": step.initialization,
                },
                "dependencies": definition["dependencies"],
                "timeout_seconds": definition["timeout_seconds"],
                "retry": {
                    "retryable": definition["retryable"],
                    "max_attempts": definition["max_attempts"],
                },
                "publishes_events": [],
            },
        },
    )


_FIELDS: dict[str, Any] = {
    "event": _event,
    "task_uuid": _task_uuid,
    "step_uuid": _step_uuid,
    "correlation_id": _task_uuid,
    "handler_name": lambda source: source.step.definition["callable"],
    "input_data": lambda source: source.input_data,
    "dependency_results": _dependency_results,
    "step_config": lambda source: source.step.initialization,
    "step_inputs": _step_inputs,
    "retry_count": lambda source: source.attempt.number - 1,
    "max_retries": lambda source: source.step.definition["max_attempts"],
}
