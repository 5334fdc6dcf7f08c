"""Steps that a decision creates, and steps that wait for a person."""

from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template, until_it_waits

from tasker_core import Engine, StepContext, TaskNotFoundError, TaskStateError

APPROVAL = template(
    "check",
    "route <- check ! type: decision",
    "auto: note <- route",
    "manager: note <- route",
    "finance: note <- route",
    "join <- auto manager finance ! type: deferred_convergence",
)


def check() -> None: ...


def route(context: StepContext) -> dict[str, Any]:
    wanted = context.input_data.get("steps")
    if wanted is None:
        return {"decision_point_outcome": {"type": "no_branches"}}
    return {"decision_point_outcome": {"type": "create_steps", "step_names": wanted}}


def note(context: StepContext) -> dict[str, Any]:
    return {"by": context.event.task_sequence_step["workflow_step"]["name"]}


def join(context: StepContext) -> dict[str, Any]:
    branches = {"auto", "manager", "finance"}
    return {"joined": sorted(branches & set(context.dependency_results))}


def test_only_what_a_decision_names_runs_and_is_joined(make_engine: MakeEngine) -> None:
    engine = make_engine(check, route, note, join)
    engine.load_text(APPROVAL)
    done = engine.run("orders", {"steps": ["manager", "finance"]})
    assert done.is_complete
    assert list(done.steps) == ["check", "route", "manager", "finance", "join"]
    assert done.result == {"joined": ["finance", "manager"]}
    stored = engine.task(done.task_uuid)
    assert stored.results == done.results
    assert {moved.step for moved in engine.trail(done.task_uuid)} == {None, *done.steps}


def test_without_branches_nothing_is_joined(make_engine: MakeEngine) -> None:
    engine = make_engine(check, route, note, join)
    engine.load_text(APPROVAL)
    done = engine.run("orders")
    assert done.is_complete
    assert list(done.steps) == ["check", "route"]


def test_a_step_that_may_not_be_created_is_an_error_that_lists_the_others(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine(check, route, note, join)
    engine.load_text(APPROVAL)
    done = engine.run("orders", {"steps": ["manger"]})
    assert done.state == "blocked_by_failures"
    assert done.errors["route"]["message"] == (
        "decision step `route`: it may not create `manger` (did you mean `manager`?); "
        "it may create: auto, manager, finance, join"
    )
    assert done.steps["route"].attempts == 1


SIGNED = template("pack: check", "approval: - <- pack ! type: wait_for_signal", "ship <- approval")
SIGNED = SIGNED.replace("handler: {callable: -}, ", "")


def ship(context: StepContext) -> dict[str, Any]:
    return {"approved_by": context.get_dependency_field("approval", "by")}


def test_a_person_approves(make_engine: MakeEngine) -> None:
    engine = make_engine(check, ship)
    engine.load_text(SIGNED)
    task = engine.submit("orders")
    until_it_waits(engine, task)
    engine.signal(task, "approval", {"by": "Kim"})
    assert engine.wait(task).result == {"approved_by": "Kim"}
    with pytest.raises(TaskStateError, match="the task is complete"):
        engine.signal(task, "approval", {})


def test_a_signal_may_come_before_its_step_waits(make_engine: MakeEngine) -> None:
    def slow(context: StepContext) -> None:
        engine.signal(str(context.task_uuid), "approval", {"by": "Robin"})

    engine = make_engine(slow, ship)
    engine.load_text(SIGNED.replace("callable: check", "callable: slow"))
    assert engine.run("orders").result == {"approved_by": "Robin"}


def test_a_signal_that_does_not_come_in_time_fails_its_step(make_engine: MakeEngine) -> None:
    engine = make_engine(check, ship)
    engine.load_text(
        SIGNED.replace("type: wait_for_signal", "type: wait_for_signal, timeout_seconds: 0.05")
    )
    done = engine.run("orders")
    assert done.state == "blocked_by_failures"
    assert "no signal came within" in done.errors["approval"]["message"]
    engine.complete_step(done.task_uuid, "approval", {"by": "Sam"})
    assert engine.wait(done.task_uuid).result == {"approved_by": "Sam"}


def test_a_signal_for_the_wrong_step_says_what_is_wrong(make_engine: MakeEngine) -> None:
    engine = make_engine(check, ship)
    engine.load_text(SIGNED)
    task = engine.submit("orders")
    for step, said in [
        ("pack", "step `pack` (waits for no signal|is )"),
        ("approvl", "it has no step `approvl`; did you mean `approval`"),
    ]:
        with pytest.raises(TaskStateError, match=said):
            engine.signal(task, step, {})
    with pytest.raises(TaskNotFoundError):
        engine.signal("01a206eb-ac42-719c-bef0-5a7a5ccff630", "approval", {})


def test_what_was_created_and_signalled_is_there_after_a_restart(tmp_path: Path) -> None:
    module = handler_module(check, route, note, join, ship)
    waiting = APPROVAL.replace(
        "name: manager, handler: {callable: note}", "name: manager, type: wait_for_signal"
    )
    with Engine(tmp_path / "t.db", handlers=[module]) as engine:
        engine.load_text(waiting)
        task = engine.submit("orders", {"steps": ["manager", "auto"]})
        until_it_waits(engine, task)
    with Engine(tmp_path / "t.db", handlers=[module]) as engine:
        with pytest.raises(TaskNotFoundError, match="is not loaded"):
            engine.signal(task, "manager", {"by": "Kim"})
        engine.load_text(waiting)
        assert list(engine.task(task).steps) == ["check", "route", "auto", "manager", "join"]
        engine.signal(task, "manager", {"by": "Kim"})
        assert engine.wait(task).result == {"joined": ["auto", "manager"]}
