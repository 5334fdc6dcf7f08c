"""Handler modules and templates in a line, for tests of the engine."""

import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tasker_core import Engine, StepHandler
from tasker_core.step_handler import step_handler

MakeEngine = Callable[..., Engine]
"""Makes an engine of these handlers, with the options of `Engine`."""


def handler_module(*handlers: Any, name: str = "shop_handlers") -> types.ModuleType:
    """A module of these handlers: classes, `@step_handler` functions or plain functions."""
    module = types.ModuleType(name)
    for handler in handlers:
        if isinstance(handler, type) and issubclass(handler, StepHandler):
            handler.__module__ = name
        else:
            if not hasattr(handler, "_handler_class"):
                handler = step_handler(handler.__name__)(handler)
            handler._handler_class.__module__ = name
        setattr(module, handler.__name__, handler)
    sys.modules[name] = module
    return module


def template(*steps: str, name: str = "orders", more: str = "") -> str:
    """A template. A step is `name: handler <- what it depends on ! more keys`, or less."""
    lines = [f"name: {name}", more, "steps:"] if more else [f"name: {name}", "steps:"]
    for step in steps:
        step, _, keys = step.partition("!")
        step, _, needs = step.partition("<-")
        step_name, _, handler = step.partition(":")
        handler = handler.strip() or step_name.strip()
        needs = ", ".join(needs.split())
        keys = f", {keys.strip()}" if keys else ""
        lines.append(
            f"  - {{name: {step_name.strip()}, handler: {{callable: {handler}}}, "
            f"dependencies: [{needs}]{keys}}}"
        )
    return "\n".join(lines)


def until_it_waits(engine: Engine, task: str) -> None:
    """Wait until all that a task could do is done, and it waits for somebody."""
    while engine.task(task).state != "waiting_for_dependencies":
        with suppress(TimeoutError):
            state = engine.wait(task, timeout=0.01).state
            raise AssertionError(f"the task waits for nobody: it is {state}")
