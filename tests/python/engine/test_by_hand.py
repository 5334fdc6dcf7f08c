"""What a person does when steps have failed."""

from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template

from tasker_core import Engine, PermanentError, StepContext, TaskStateError

TEMPLATE = template("charge", "ship <- charge")


class Shop:
    """Handlers that fail as often as they are told."""

    def __init__(self) -> None:
        self.broken = True

    def handlers(self) -> tuple[Any, Any, Any]:
        def charge() -> dict[str, Any]:
            if self.broken:
                raise PermanentError("the bank is closed")
            return {"paid": True}

        def ship(context: StepContext) -> dict[str, Any]:
            return {"charged": context.get_dependency_result("charge")}

        def refund() -> dict[str, Any]:
            return {"refunded": True}

        return charge, ship, refund


@pytest.fixture
def shop() -> Shop:
    return Shop()


def blocked(engine: Engine, text: str = TEMPLATE) -> str:
    engine.load_text(text)
    done = engine.run("orders")
    assert done.state == "blocked_by_failures"
    return done.task_uuid


def test_a_failed_step_is_run_again(make_engine: MakeEngine, shop: Shop) -> None:
    engine = make_engine(*shop.handlers())
    task = blocked(engine)
    shop.broken = False
    engine.retry_step(task, "charge")
    done = engine.wait(task)
    assert done.result == {"charged": {"paid": True}}
    assert done.steps["charge"].attempts == 2
    assert "reset" in {moved.cause for moved in engine.trail(task)}
    with pytest.raises(TaskStateError, match="the task is complete"):
        engine.retry_step(task, "charge")


def test_a_failed_step_is_completed_or_resolved(make_engine: MakeEngine, shop: Shop) -> None:
    engine = make_engine(*shop.handlers())
    task = blocked(engine)
    with pytest.raises(TaskStateError, match="step `ship` is pending; only a step that failed"):
        engine.retry_step(task, "ship")
    engine.complete_step(task, "charge", {"paid": "in cash"})
    assert engine.wait(task).result == {"charged": {"paid": "in cash"}}

    other = engine.run("orders").task_uuid
    engine.resolve_step(other, "charge")
    done = engine.wait(other)
    assert done.result == {"charged": None}
    assert done.steps["charge"].state == "resolved_manually"


def test_a_blocked_task_is_given_up_or_resolved(make_engine: MakeEngine, shop: Shop) -> None:
    engine = make_engine(*shop.handlers())
    task = blocked(engine)
    engine.give_up(task)
    assert engine.wait(task).state == "error"
    assert engine.task(task).steps["ship"].state == "cancelled"
    with pytest.raises(TaskStateError, match="error does not take the event GiveUp"):
        engine.give_up(task)
    other = engine.run("orders").task_uuid
    engine.resolve(other)
    assert engine.wait(other).state == "resolved_manually"


def test_a_task_that_is_blocked_can_be_cancelled(make_engine: MakeEngine, shop: Shop) -> None:
    engine = make_engine(*shop.handlers())
    task = blocked(engine)
    assert engine.cancel(task) is True
    assert engine.cancel(task) is False
    assert engine.task(task).state == "cancelled"


def test_the_next_process_runs_a_failed_step_again(tmp_path: Path, shop: Shop) -> None:
    with Engine(tmp_path / "t.db", handlers=[handler_module(*shop.handlers())]) as engine:
        task = blocked(engine)
    shop.broken = False
    with Engine(tmp_path / "t.db", handlers=[handler_module(*shop.handlers())]) as engine:
        engine.load_text(TEMPLATE)
        assert engine.open_tasks() == []
        engine.retry_step(task, "charge")
        assert engine.wait(task).is_complete


def test_the_step_for_failures_runs_once_before_the_task_is_blocked(
    make_engine: MakeEngine, shop: Shop
) -> None:
    engine = make_engine(*shop.handlers())
    task = blocked(engine, template("charge", "ship <- charge", "refund ! type: on_failure"))
    assert engine.task(task).results == {"refund": {"refunded": True}}
    shop.broken = False
    engine.retry_step(task, "charge")
    done = engine.wait(task)
    assert done.is_complete
    assert done.steps["refund"].attempts == 1


def test_a_task_without_failures_leaves_the_step_for_them_out(
    make_engine: MakeEngine, shop: Shop
) -> None:
    shop.broken = False
    engine = make_engine(*shop.handlers())
    engine.load_text(template("charge", "ship <- charge", "refund ! type: on_failure"))
    done = engine.run("orders")
    assert list(done.steps) == ["charge", "ship"]
    assert done.result == {"charged": {"paid": True}}


def test_a_failed_step_for_failures_is_run_again(make_engine: MakeEngine, shop: Shop) -> None:
    tried: list[str] = []

    def refund() -> dict[str, Any]:
        tried.append("refund")
        if len(tried) == 1:
            raise PermanentError("the bank is closed")
        return {"refunded": True}

    engine = make_engine(*shop.handlers()[:2], refund)
    task = blocked(engine, template("charge", "ship <- charge", "refund ! type: on_failure"))
    assert engine.task(task).steps["refund"].state == "error"
    engine.retry_step(task, "refund")
    done = engine.wait(task)
    assert (done.state, done.steps["refund"].state) == ("blocked_by_failures", "complete")
    engine.resolve_step(task, "charge")
    assert engine.wait(task, timeout=20).is_complete


def test_a_blocked_task_takes_the_signal_that_another_step_waits_for(
    make_engine: MakeEngine, shop: Shop
) -> None:
    engine = make_engine(*shop.handlers())
    text = template("charge", "consent ! type: wait_for_signal", "refund <- consent")
    task = blocked(engine, text)
    engine.signal(task, "consent", {"by": "Kim"})
    done = engine.wait(task, timeout=20)
    assert done.state == "blocked_by_failures"
    assert done.results == {"consent": {"by": "Kim"}, "refund": {"refunded": True}}
