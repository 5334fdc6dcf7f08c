"""What is measured does what it says; how long it takes is not looked at."""

from pathlib import Path

import pytest

from benchmarks.compare import MORE
from benchmarks.measure import Job, Sizes
from benchmarks.systems import floor, tasker

TINY = Sizes(
    runs_of_a=3,
    runs_of_b=2,
    width_of_b=5,
    tasks_of_c=30,
    batch_of_c=10,
    idle_seconds=0.05,
    sleepers=2,
    yields=5,
    chain=12,
    fan=20,
)


@pytest.mark.parametrize("workload", tasker.WORKLOADS)
def test_each_workload_of_the_engine_has_a_result(tmp_path: Path, workload: str) -> None:
    result = tasker.WORKLOADS[workload](Job(workload, "memory", tmp_path, TINY))
    assert (result.system, result.workload, result.durability) == (
        "tasker_core",
        workload,
        "memory",
    )
    measured = [result.p50_ms, result.per_s, result.rss_mb]
    assert any(number is not None for number in measured)
    if workload not in ("growth", "idle"):
        assert all(number is None or number >= 0 for number in measured)
        assert result.p50_ms or result.per_s


@pytest.mark.parametrize("workload", floor.WORKLOADS)
def test_each_workload_of_the_floor_has_a_result(tmp_path: Path, workload: str) -> None:
    result = floor.WORKLOADS[workload](Job(workload, "fast", tmp_path, TINY))
    assert result.p50_ms or result.per_s


def test_each_further_row_is_a_workload() -> None:
    assert {more.workload for more in MORE} <= set(tasker.WORKLOADS)
    assert {more.small for more in MORE} <= {None, *tasker.WORKLOADS}
