"""What a handler is given."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tasker_core.types.step_event import FfiStepEvent


class StepContext(BaseModel):
    """A step's inputs: the task's context, what its dependencies answered, and its own
    configuration.

    One that the engine makes reads each field when it is first asked for.

    >>> from tasker_core import FfiStepEvent, StepContext
    >>> event = FfiStepEvent(
    ...     event_id="1",
    ...     task_uuid="018f2b6e-0000-7000-8000-000000000001",
    ...     step_uuid="018f2b6e-0000-7000-8000-000000000002",
    ...     correlation_id="018f2b6e-0000-7000-8000-000000000003",
    ...     task_sequence_step={
    ...         "task": {"context": {"sku": "A1"}},
    ...         "dependency_results": {"stock": {"result": 3}},
    ...     },
    ... )
    >>> context = StepContext.from_ffi_event(event, "reserve")
    >>> context.get_input("sku"), context.get_dependency_result("stock")
    ('A1', 3)
    """

    event: FfiStepEvent
    task_uuid: UUID
    step_uuid: UUID
    correlation_id: UUID
    handler_name: str
    input_data: dict[str, Any] = Field(default_factory=dict)
    dependency_results: dict[str, Any] = Field(default_factory=dict)
    step_config: dict[str, Any] = Field(default_factory=dict)
    step_inputs: dict[str, Any] = Field(default_factory=dict)
    retry_count: int = 0
    max_retries: int = 3

    @classmethod
    def from_ffi_event(cls, event: FfiStepEvent, handler_name: str) -> "StepContext":
        """The context of the step that an event speaks of."""
        document = event.task_sequence_step
        task = document.get("task") or {}
        task = task.get("task") or task
        step = document.get("workflow_step") or {}
        definition = document.get("step_definition") or {}
        handler = definition.get("handler") or {}
        return cls(
            event=event,
            task_uuid=UUID(event.task_uuid),
            step_uuid=UUID(event.step_uuid),
            correlation_id=UUID(event.correlation_id),
            handler_name=handler_name,
            input_data=task.get("context") or {},
            dependency_results=document.get("dependency_results") or {},
            step_config=handler.get("initialization") or {},
            step_inputs=step.get("inputs") or {},
            retry_count=max((step.get("attempts") or 0) - 1, 0),
            max_retries=step.get("max_attempts") or 3,
        )

    def get_input(self, key: str) -> Any:
        """A value of the task's context, or None."""
        return self.input_data.get(key)

    def get_input_or(self, key: str, default: Any = None) -> Any:
        """A value of the task's context, or the default where it is missing or None."""
        value = self.input_data.get(key)
        return default if value is None else value

    def get_config(self, key: str) -> Any:
        """A value of the template's `initialization`, or None."""
        return self.step_config.get(key)

    def get_dependency_result(self, step_name: str) -> Any:
        """What a step answered, or None; `{"result": x}` is unwrapped to `x`."""
        return unwrapped(self.dependency_results.get(step_name))

    def get_dependency_field(self, step_name: str, *path: str) -> Any:
        """A value inside what a step answered, by the keys that lead to it, or None."""
        value = self.get_dependency_result(step_name)
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def get_dependency_result_keys(self) -> list[str]:
        """The steps whose results are there."""
        return list(self.dependency_results)

    def get_all_dependency_results(self, prefix: str) -> list[Any]:
        """What all steps answered whose names begin with a prefix."""
        results = self.dependency_results
        return [unwrapped(results[name]) for name in results if name.startswith(prefix)]

    @property
    def checkpoint(self) -> dict[str, Any] | None:
        """What the handler stored last with `checkpoint_yield`, in this attempt or an earlier one;
        None before that.
        """
        step = self.event.task_sequence_step.get("workflow_step") or {}
        return step.get("checkpoint") or None

    @property
    def checkpoint_cursor(self) -> Any:
        """Where to go on; None without a checkpoint."""
        return (self.checkpoint or {}).get("cursor")

    @property
    def checkpoint_items_processed(self) -> int:
        """How many items are done; 0 without a checkpoint."""
        return (self.checkpoint or {}).get("items_processed") or 0

    @property
    def accumulated_results(self) -> dict[str, Any] | None:
        """What the handler gathered on its way; None without a checkpoint."""
        return (self.checkpoint or {}).get("accumulated_results")

    def has_checkpoint(self) -> bool:
        """Whether an earlier run of the handler stored how far it is."""
        return self.checkpoint is not None

    @property
    def cancelled(self) -> bool:
        """True once nobody wants the result any more: a long handler looks at it now and then, and
        gives up.
        """
        return False

    def is_retry(self) -> bool:
        """Whether an attempt failed before."""
        return self.retry_count > 0

    def is_last_retry(self) -> bool:
        """Whether no attempt is left after this one."""
        return self.retry_count >= self.max_retries - 1


def unwrapped(value: Any) -> Any:
    """`{"result": x}` as `x`: how answers that are no dict are stored."""
    if isinstance(value, dict) and "result" in value:
        return value["result"]
    return value
