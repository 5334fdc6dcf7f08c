"""A template with what runs each of its steps."""

import json
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from tasker_core.exceptions import HandlerNotFoundError
from tasker_core.step_handler.base import StepHandler
from tasker_core.step_handler.functional import FunctionHandler

if TYPE_CHECKING:
    from tasker_core._handlers import HandlerCatalogue
    from tasker_core._tasker_core import Core, Template


class Plan:
    """A loaded template."""

    __slots__ = ("core", "id", "label", "positions", "steps", "template")

    def __init__(
        self, core: "Core", template: "Template", catalogue: "HandlerCatalogue", file: str
    ) -> None:
        self.core = core
        self.template = template
        self.label = f"{template.namespace}/{template.name}@{template.version}"
        raw = template.steps
        self.positions = {step["name"]: place for place, step in enumerate(raw)}
        workers = {step["name"] for step in raw if step["kind"] == "batch_worker"}
        self.steps = [
            PlanStep(self, place, step, catalogue.find(step["callable"]), workers)
            for place, step in enumerate(raw)
        ]
        problems = [problem for step in self.steps for problem in step.problems(catalogue, file)]
        if problems:
            raise HandlerNotFoundError("\n".join(problems))
        self.id = -1


class PlanStep:
    """A step of a plan: which handler runs it, and where its arguments come from."""

    __slots__ = (
        "_ancestors",
        "call",
        "definition",
        "dependency_places",
        "handler",
        "joins_batch",
        "name",
        "place",
        "plan",
    )

    def __init__(
        self,
        plan: Plan,
        place: int,
        definition: Any,
        handler: type[StepHandler] | None,
        workers: set[str],
    ) -> None:
        self.plan = plan
        self.place = place
        self.name: str = definition["name"]
        self.definition = definition
        self.handler = handler
        self.dependency_places = {
            name: index for index, name in enumerate(definition["dependencies"])
        }
        self.joins_batch = not workers.isdisjoint(definition["dependencies"])
        """Whether it depends on the workers of a batch."""
        self._ancestors: frozenset[str] | None = None
        self.call: Callable[[Any], Any] | None = None

    @property
    def is_function(self) -> bool:
        """Whether a plain function runs the step, which needs no context unless it asks for one."""
        return (
            self.handler is not None
            and issubclass(self.handler, FunctionHandler)
            and self.definition["method"] in (None, "call")
        )

    @property
    def is_async(self) -> bool:
        """Whether the handler is a coroutine function, which the event loop runs."""
        if self.handler is None:
            return False
        if self.is_function and issubclass(self.handler, FunctionHandler):
            return iscoroutinefunction(self.handler.function)
        return iscoroutinefunction(getattr(self.handler, self.definition["method"] or "call"))

    @property
    def initialization(self) -> dict[str, Any]:
        """The handler's configuration in the template; a new dict each time, for a handler may
        change it.
        """
        return json.loads(self.definition["initialization"])  # type: ignore[no-any-return]

    @property
    def ancestors(self) -> frozenset[str]:
        """The steps that this one depends on, directly or not: whose results it may read."""
        if self._ancestors is None:
            steps, found, ahead = self.plan.steps, set[str](), list(self.dependency_places)
            while ahead:
                name = ahead.pop()
                if name not in found:
                    found.add(name)
                    ahead.extend(steps[self.plan.positions[name]].dependency_places)
            self._ancestors = frozenset(found)
        return self._ancestors

    def problems(self, catalogue: "HandlerCatalogue", file: str) -> list[str]:
        """Why the step can't run, if so."""
        if self.definition["kind"] == "wait_for_signal":
            return []
        callable_name, method = self.definition["callable"], self.definition["method"]
        where = f"{file}:{self.definition['line']}: step `{self.name}`"
        if self.handler is None:
            return [f"{where} has no handler `{callable_name}`: {catalogue.why_not(callable_name)}"]
        if method and not callable(getattr(self.handler, method, None)):
            return [f"{where}: its handler `{callable_name}` has no method `{method}`"]
        return []
