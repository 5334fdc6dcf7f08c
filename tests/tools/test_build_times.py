"""The table of build times counts and judges rightly."""

from __future__ import annotations

import json

import pytest

from tools.build_times import Row, rust_actions, table


def test_a_figure_over_its_limit_is_a_miss() -> None:
    rows = [Row("no-op", 0.94, 1), Row("cold", 241.2, 240), Row("Rust", 0, 0, "actions")]
    assert table(rows).splitlines() == [
        "        measured       target",
        "no-op      0.9 s      ≤ 1.0 s  ok",
        "cold     241.2 s    ≤ 240.0 s  miss",
        "Rust   0 actions  ≤ 0 actions  ok",
    ]


def test_rust_actions_are_counted_and_others_are_not() -> None:
    ran = {"Rustc": 2, "CargoBuildScriptRun": 1, "Clippy": 1, "TestRunner": 5, "CopyFile": 1}
    data = [{"mnemonic": name, "actionsExecuted": str(count)} for name, count in ran.items()]
    events = [{"started": {}}, {"buildMetrics": {"actionSummary": {"actionData": data}}}]
    assert rust_actions("\n".join(json.dumps(event) for event in events)) == 4


def test_events_without_metrics_are_an_error() -> None:
    with pytest.raises(ValueError, match="no metrics"):
        rust_actions('{"started": {}}')
