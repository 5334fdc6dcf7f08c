"""Medians, ratios and what the table looks like."""

import json

import pytest

from benchmarks import compare, table
from benchmarks.measure import Result, percentile
from benchmarks.table import Spread, over_rounds, ratio, spread

ROUNDS = [
    Result("tasker_core", "A", "full", p50_ms=p50, p99_ms=2 * p50) for p50 in (2.0, 9.0, 1.0)
] + [
    Result("floor", "A", "full", p50_ms=0.5),
    Result("huey", "A", "full", p50_ms=8.0),
    Result("tasker_core", "C", "memory", per_s=1000.0, rss_mb=8.0),
    Result("sayiir", "C", "none", per_s=4000.0),
]


def test_a_row_has_the_medians_of_its_rounds() -> None:
    first = over_rounds(ROUNDS)[0]
    assert first.numbers == {"p50_ms": Spread(2.0, 1.0, 9.0), "p99_ms": Spread(4.0, 2.0, 18.0)}
    assert spread([4.0, 1.0]) == Spread(2.5, 1.0, 4.0)


def test_a_ratio_is_of_the_same_workload_and_durability() -> None:
    rows = over_rounds(ROUNDS)
    ours, floor, huey, in_memory, sayiir = rows
    assert ratio(huey, rows, "tasker_core") == 4.0
    assert ratio(ours, rows, "floor") == 4.0
    assert ratio(floor, rows, "floor") == 1.0
    assert ratio(in_memory, rows, "floor") is None
    # Twice as many a second take half as long; what keeps nothing is compared with memory.
    assert ratio(sayiir, rows, "tasker_core") == 0.25


def test_the_json_has_the_same_fields_in_every_row() -> None:
    written = json.loads(json.dumps(table.as_json(over_rounds(ROUNDS))))
    assert written[0] == {
        "system": "tasker_core",
        "workload": "A",
        "durability": "full",
        "p50_ms": 2.0,
        "p99_ms": 4.0,
        "per_s": None,
        "rss_mb": None,
    }
    assert len({tuple(row) for row in written}) == 1


def test_the_table_names_each_workload_once_and_aligns_its_columns() -> None:
    lines = table.render(over_rounds(ROUNDS), compare.WORKLOADS).splitlines()
    assert lines[0].endswith("x ours  x floor")
    assert [line for line in lines if line.startswith("A ")] == [f"A  {compare.WORKLOADS['A']}"]
    assert not any(line.startswith("B ") for line in lines)
    ours = next(line for line in lines if "tasker_core" in line)
    assert "2.00 (1.00..9.00)" in ours
    assert ours.endswith("1.00     4.00")
    assert len(ours) == len(lines[0])


def test_more_rows_are_scaled_and_compared_with_a_small_one() -> None:
    results = [
        Result("tasker_core", "chain-small", "full", p50_ms=0.02),
        Result("tasker_core", "chain-large", "full", p50_ms=0.03),
    ]
    text = table.render_more(over_rounds(results), compare.MORE)
    assert "30.0  us  1.50 of a small one" in text
    assert "sleep" not in text


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile(range(100), 0.5) == 50
    assert percentile(range(100), 0.99) == 99
    assert percentile([3.0], 0.99) == 3.0


def test_only_what_was_asked_for_is_measured() -> None:
    ours = compare.SYSTEMS[0]
    assert compare.planned(ours, ["C"]) == [
        (workload, durability)
        for workload in ("C", "C-batches")
        for durability in ("full", "fast", "memory")
    ]
    assert ("idle", "full") in compare.planned(ours, ["more"])
    assert compare.planned(compare.SYSTEMS[2], ["more"]) == []
    with pytest.raises(SystemExit):
        compare.main(["--only", "nothing"])
