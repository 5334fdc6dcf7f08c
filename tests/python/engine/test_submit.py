"""When a task begins, and what makes two requests the same."""

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from support import MakeEngine, handler_module, template

from tasker_core import Engine, IdentityError, StepContext


def now() -> datetime:
    return datetime.now(timezone.utc)


def stamp(context: StepContext) -> dict[str, Any]:
    return {"at": now().timestamp(), "n": context.input_data.get("n")}


def test_a_task_begins_at_its_time(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    at = now() + timedelta(milliseconds=150)
    task = engine.submit("orders", run_at=at)
    tomorrow = engine.submit("orders", run_at=at + timedelta(days=1))
    assert engine.wait(task).result["at"] >= at.timestamp()
    assert engine.run("orders", run_at=now() - timedelta(days=1)).is_complete
    later = now() + timedelta(milliseconds=100)
    assert engine.run("orders", run_at=later).result["at"] >= later.timestamp()
    assert engine.task(tomorrow).state == "pending"
    first = engine.trail(task)[0]
    assert (first.from_state, first.to_state) == ("pending", "initializing")


def test_a_time_without_a_zone_is_refused(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    with pytest.raises(ValueError, match="no time zone"):
        engine.submit("orders", run_at=datetime.now())  # noqa: DTZ005


def test_a_task_that_waits_for_its_time_can_be_cancelled(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    task = engine.submit("orders", run_at=now() + timedelta(days=400))
    assert engine.cancel(task) is True
    assert engine.wait(task).state == "cancelled"


def test_a_task_that_waits_for_its_time_survives_a_restart(tmp_path: Path) -> None:
    at = now() + timedelta(milliseconds=300)
    with Engine(tmp_path / "t.db", handlers=[handler_module(stamp)]) as engine:
        engine.load_text(template("stamp"))
        task = engine.submit("orders", run_at=at)
    with Engine(tmp_path / "t.db", handlers=[handler_module(stamp)]) as engine:
        engine.load_text(template("stamp"))
        assert engine.wait(task).result["at"] >= at.timestamp()


def test_a_second_request_with_the_same_key_is_the_same_task(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    first = engine.run("orders", {"n": 1, "m": 2}, idempotency_key="a")
    assert engine.submit("orders", {"m": 2, "n": 1}, idempotency_key="a") == first.task_uuid
    again = engine.run("orders", {"n": 1, "m": 2.0}, idempotency_key="a")
    assert again.result == first.result
    with pytest.raises(IdentityError, match=f"belongs to task {first.task_uuid}"):
        engine.submit("orders", {"n": 2}, idempotency_key="a")
    assert engine.submit("orders", {"n": 1, "m": 2}, idempotency_key="b") != first.task_uuid
    assert engine.submit("orders", {"n": 1, "m": 2}) != first.task_uuid


def test_keys_in_a_list_are_compared_with_each_other_too(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    ids = engine.submit_many("orders", [{}, {}, {}, {}], idempotency_keys=["a", "b", "a", None])
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3
    assert engine.submit("orders", idempotency_key="b") == ids[1]
    with pytest.raises(ValueError, match="1 idempotency keys for 2 contexts"):
        engine.submit_many("orders", [{}, {}], idempotency_keys=["a"])


def test_threads_that_send_the_same_key_at_once_get_one_task(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    engine.load_text(template("stamp"))
    start = threading.Barrier(8)
    ids: list[str] = []

    def send() -> None:
        start.wait(20)
        ids.extend(engine.submit("orders", {}, idempotency_key=str(n)) for n in range(20))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 160
    assert len(set(ids)) == 20


def test_identity_strategies_of_templates(make_engine: MakeEngine) -> None:
    engine = make_engine(stamp)
    strict = engine.load_text(template("stamp", name="strict", more="identity_strategy: strict"))
    one = engine.submit(strict, {"n": 1})
    assert engine.submit(strict, {"n": 1}) == one
    assert engine.submit(strict, {"n": 2}) != one
    keyed = engine.load_text(
        template("stamp", name="keyed", more="identity_strategy: caller_provided")
    )
    with pytest.raises(IdentityError, match="each request needs an idempotency_key"):
        engine.submit(keyed, {"n": 1})
    assert engine.run(keyed, {"n": 1}, idempotency_key="a").is_complete


def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        with Engine(tmp_path / "t.db", handlers=[handler_module(stamp)]) as engine:
            engine.load_text(template("stamp"))
            ids.append(engine.run("orders", idempotency_key="a").task_uuid)
    assert ids[0] == ids[1]


def test_of_a_concurrency_key_one_task_runs_at_a_time_in_order(make_engine: MakeEngine) -> None:
    lock, running, most, order = threading.Lock(), [0], [0], []
    others, all_there = threading.Barrier(2), threading.Event()

    def busy(context: StepContext) -> None:
        if context.input_data["customer"] == "other":
            # both others run beside the lane
            others.wait(20)
            return
        all_there.wait(20)
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            order.append(context.input_data["n"])
        if context.input_data["n"] == 2:
            with lock:
                running[0] -= 1
            raise RuntimeError("a failed task leaves its lane, too")
        with lock:
            running[0] -= 1

    engine = make_engine(busy, threads=6)
    engine.load_text(template("first: busy ! retry: {max_attempts: 1}", "second: busy <- first"))
    mine = [
        engine.submit("orders", {"customer": "c", "n": n}, concurrency_key="c") for n in range(6)
    ]
    cancelled = engine.submit("orders", {"customer": "c", "n": 9}, concurrency_key="c")
    last = engine.submit("orders", {"customer": "c", "n": 10}, concurrency_key="c")
    engine.cancel(cancelled)
    all_there.set()
    for _ in range(2):
        engine.submit("orders", {"customer": "other"})
    states = [engine.wait(task).state for task in [*mine, last]]
    assert states.count("complete") == 6
    assert most[0] == 1
    assert [n for n in order if n != 2] == [0, 0, 1, 1, 3, 3, 4, 4, 5, 5, 10, 10]


def test_a_lane_is_kept_over_a_restart(tmp_path: Path) -> None:
    began: list[int] = []
    go_on = threading.Event()

    def first(context: StepContext) -> None:
        began.append(context.input_data["n"])
        go_on.wait(20)

    with Engine(tmp_path / "t.db", handlers=[handler_module(first)]) as engine:
        engine.load_text(template("first"))
        tasks = [
            engine.submit("orders", {"n": n}, concurrency_key="one at a time") for n in range(3)
        ]
        engine.stop(timeout=0)
    go_on.set()
    began.clear()
    with Engine(tmp_path / "t.db", handlers=[handler_module(first)]) as engine:
        engine.load_text(template("first"))
        assert all(engine.wait(task).is_complete for task in tasks)
    assert began == [0, 1, 2]
