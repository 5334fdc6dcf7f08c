"""What a worker is told of a step that it shall carry out."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class FfiStepEvent(BaseModel):
    """A step with its task, its definition and its dependencies' results, as one document."""

    model_config = ConfigDict(frozen=False)

    event_id: str
    task_uuid: str
    step_uuid: str
    correlation_id: str
    task_correlation_id: str | None = None
    parent_correlation_id: str | None = None
    task_sequence_step: dict[str, Any]
    trace_id: str | None = None
    span_id: str | None = None
