"""The order example: to its end, refused, and killed at every step."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasker_core import Engine

if TYPE_CHECKING:
    from tests.examples.conftest import Example

PROGRAM = ("-m", "examples.order_fulfillment")
GATED = str(Path(__file__).with_name("gated_order.py"))
STEPS = ["validate_order", "reserve_stock", "charge_card", "ship_order", "notify_customer"]
EFFECTS = ["reserved", "charged", "shipped", "notified"]
# What may run at the same time.
STAGES = [["validate_order"], ["reserve_stock", "charge_card"], ["ship_order"], ["notify_customer"]]
ITEM = {"sku": "TEA", "quantity": 3, "price_cents": 500}
ORDER = {"order_id": "A-1", "customer": "customer@example.org", "items": [ITEM]}


def ledger(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "order_ledger.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def began(folder: Path) -> Counter[str]:
    """How often each step was begun."""
    return Counter(entry["step"] for entry in ledger(folder) if entry["did"] == "began")


def effects(folder: Path) -> Counter[str]:
    """How often each change was made to the world."""
    return Counter(entry["did"] for entry in ledger(folder) if entry["did"] != "began")


def test_it_runs_to_its_end(example: Example) -> None:
    done = example.run(*PROGRAM, "--json", PAUSE_SECONDS="0")
    assert done.code == 0, done.errors
    assert done.report["state"] == "complete"
    assert list(done.report["steps"]) == STEPS
    assert done.report["steps"]["charge_card"]["result"]["charged_cents"] == 2 * 1240 + 6400
    assert done.report["result"]["text"] == "A-1042 is on its way by Parcel Post: ROT-A-1042"
    assert sorted(effects(example.folder)) == sorted(EFFECTS)
    assert list(effects(example.folder))[2:] == ["shipped", "notified"]
    assert began(example.folder) == dict.fromkeys(STEPS, 1)


def test_it_says_what_happened(example: Example) -> None:
    done = example.run(*PROGRAM, PAUSE_SECONDS="0")
    assert done.code == 0, done.errors
    assert all(step in done.output for step in STEPS)
    assert "order_fulfillment complete" in done.output


@pytest.mark.parametrize(
    ("change", "step", "message"),
    [
        ({"items": []}, "validate_order", "at least 1 item"),
        ({"customer": "nobody"}, "validate_order", "customer"),
        ({"items": [{**ITEM, "quantity": 21}]}, "reserve_stock", "21 of TEA are wanted"),
        ({"items": [{**ITEM, "price_cents": 200_000}]}, "charge_card", "declined"),
    ],
)
def test_an_order_that_cannot_be_fulfilled_fails_for_good(
    example: Example, change: dict[str, Any], step: str, message: str
) -> None:
    done = example.run(*PROGRAM, "--json", "--context", json.dumps({**ORDER, **change}))
    assert done.code == 1, done.errors
    assert done.report["state"] == "blocked_by_failures"
    assert message in done.report["errors"][step]["message"]
    assert done.report["steps"][step]["attempts"] == 1
    assert done.report["steps"]["ship_order"]["attempts"] == 0


def run_until_stuck_and_kill(example: Example, stuck: list[str]) -> None:
    """Start the order, wait until all of `stuck` have done their work and hang, and kill -9."""
    reader, writer = os.pipe()
    variables = {"GATE": str(writer), "STUCK_STEPS": ",".join(stuck)}
    program = example.start(GATED, variables=variables, pass_fds=(writer,))
    # From here on the pipe ends when the program does.
    os.close(writer)
    not_yet = set(stuck)
    with open(reader) as steps:
        while not_yet and (step := steps.readline()):
            not_yet.discard(step.strip())
        program.kill()
        output, errors = program.communicate()
    assert not not_yet, f"it ended before {not_yet}:\n{output}\n{errors}"
    assert program.returncode == -signal.SIGKILL


def open_tasks(folder: Path) -> list[str]:
    with Engine(folder / "tasker.db", resume=False) as engine:
        return engine.open_tasks()


@pytest.mark.parametrize("stuck", STAGES, ids="+".join)
def test_killed_and_started_again_it_finishes_the_same_task(
    example: Example, stuck: list[str]
) -> None:
    run_until_stuck_and_kill(example, stuck)
    (task,) = open_tasks(example.folder)

    done = example.run(*PROGRAM, "--json", PAUSE_SECONDS="0")
    assert done.code == 0, done.errors
    assert done.report["state"] == "complete"
    assert done.report["task_uuid"] == task
    assert done.report["continued"] is True
    assert {entry["task"] for entry in ledger(example.folder)} == {task}

    # Only what ran was begun again, and even of that the world noticed nothing.
    assert began(example.folder) == {step: 1 + (step in stuck) for step in STEPS}
    assert effects(example.folder) == dict.fromkeys(EFFECTS, 1)
    assert open_tasks(example.folder) == []


def test_killed_over_and_over_it_still_finishes(example: Example) -> None:
    for stage in STAGES:
        run_until_stuck_and_kill(example, stage)
    (task,) = open_tasks(example.folder)

    done = example.run(*PROGRAM, "--json", PAUSE_SECONDS="0")
    assert done.code == 0, done.errors
    assert done.report["task_uuid"] == task
    assert began(example.folder) == dict.fromkeys(STEPS, 2)
    assert effects(example.folder) == dict.fromkeys(EFFECTS, 1)


def test_a_finished_order_is_not_fulfilled_again_but_another_task_is_made(example: Example) -> None:
    reports = [example.run(*PROGRAM, "--json", PAUSE_SECONDS="0").report for _ in range(2)]
    assert [report["continued"] for report in reports] == [False, False]
    assert reports[0]["task_uuid"] != reports[1]["task_uuid"]
