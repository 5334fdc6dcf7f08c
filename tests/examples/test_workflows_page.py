"""What docs/workflows.md shows runs, and does what it says."""

from __future__ import annotations

import re
import sys
import types
from contextlib import suppress
from pathlib import Path

import pytest

from tasker_core import Engine, StepHandler
from tasker_core.step_handler import inputs, step_handler

PAGE = (Path(__file__).parents[2] / "docs/workflows.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def block(language: str, having: str) -> str:
    """The one block of a language that holds some text."""
    (found,) = [text for kind, text in BLOCKS if kind == language and having in text]
    return found


def module(name: str) -> types.ModuleType:
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made


def test_every_block_is_shown_to_run_here() -> None:
    assert [(kind, text.split("\n")[0]) for kind, text in BLOCKS] == [
        ("yaml", "name: refund"),
        ("python", "from tasker_core.step_handler import depends_on, inputs, step_handler"),
        ("yaml", "name: import_rows"),
    ]


@pytest.mark.parametrize(("amount", "branch"), [(5, "pay_at_once"), (500, "pay_approved")])
def test_the_decision_and_the_signal(amount: int, branch: str) -> None:
    handlers = module("refund_handlers")
    exec(block("python", "def route"), vars(handlers))
    with Engine(durability="memory", handlers=[handlers]) as engine:
        engine.load_text(block("yaml", "name: refund"))
        task = engine.submit("refund", {"amount": amount})
        if branch == "pay_approved":
            signal_when_it_waits(engine, task)
        done = engine.wait(task)
    assert done.is_complete
    assert done.results[branch] == {"paid": True}
    assert {"pay_at_once", "pay_approved"} - set(done.steps) == {
        "pay_at_once" if branch == "pay_approved" else "pay_approved"
    }
    assert done.result == {"closed": True}


def signal_when_it_waits(engine: Engine, task: str) -> None:
    """Signal once the decision has created the step: until then there is none to signal."""
    while engine.task(task).state != "waiting_for_dependencies":
        with suppress(TimeoutError):
            engine.wait(task, timeout=0.01)
            raise AssertionError("the task ended without the signal")
    engine.signal(task, "approval", {"by": "Kim"})


def test_the_batch() -> None:
    handlers = module("import_handlers")

    def count(rows: int) -> dict[str, object]:
        configs = [
            {"batch_id": str(n), "start_cursor": n, "end_cursor": n + 1} for n in range(rows)
        ]
        outcome = {
            "type": "create_batches",
            "worker_template_name": "load",
            "cursor_configs": configs,
        }
        return {"batch_processing_outcome": outcome}

    class Load(StepHandler):
        def call(self, context: object) -> dict[str, object]:
            return {"row": context.step_inputs["cursor"]["start_cursor"]}  # type: ignore[attr-defined]

    class Total(StepHandler):
        def call(self, context: object) -> dict[str, object]:
            rows = context.get_all_dependency_results("load_")  # type: ignore[attr-defined]
            return {"rows": sorted(row["row"] for row in rows)}

    Load.__module__ = Total.__module__ = "import_handlers"
    counted = step_handler("count")(inputs("rows")(count))
    counted._handler_class.__module__ = "import_handlers"  # type: ignore[attr-defined]
    vars(handlers).update(count=counted, Load=Load, Total=Total)
    text = block("yaml", "name: import_rows")
    text = text.replace("callable: load", "callable: Load").replace(
        "callable: total", "callable: Total"
    )
    with Engine(durability="memory", handlers=[handlers]) as engine:
        engine.load_text(text)
        assert engine.run("import_rows", {"rows": 3}).result == {"rows": [0, 1, 2]}
