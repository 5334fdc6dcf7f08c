"""What CI counts, from each kind of report that a runner leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.ci.reports import Count, count_bazel, count_cargo, count_junit

CARGO = """
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 4 tests
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
"""


def junit(*cases: str) -> str:
    inside = "".join(f'<testcase name="t">{case}</testcase>' for case in cases)
    return f"<testsuites><testsuite>{inside}</testsuite></testsuites>"


class BazelRun:
    """Writes the build event file of a run."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bep.json"
        self.folder = folder
        self.events: list[dict[str, Any]] = [{"id": {"started": {}}}]

    def test(
        self, label: str, status: str, xml: str | None, log: str = "", **key: int
    ) -> "BazelRun":
        files = {"test.log": log} if xml is None else {"test.log": log, "test.xml": xml}
        outputs = []
        for name, text in files.items():
            file = self.folder / f"{len(self.events)} {name}"
            file.write_text(text)
            outputs.append({"name": name, "uri": file.as_uri()})
        result = {"status": status, "testActionOutput": outputs}
        identity = {"testResult": {"label": label, **key}}
        self.events.append({"id": identity, "testResult": result})
        return self

    def built(self, label: str, **event: Any) -> "BazelRun":
        self.events.append({"id": {"targetCompleted": {"label": label}}, **event})
        return self

    def count(self) -> Count:
        self.path.write_text("\n".join(map(json.dumps, self.events)) + "\n")
        return count_bazel(self.path)


@pytest.fixture
def run(tmp_path: Path) -> BazelRun:
    return BazelRun(tmp_path)


def test_cargo_counts_every_binary() -> None:
    assert count_cargo(CARGO) == Count(5, 1, 1)


def test_junit_counts_each_case_once(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(junit("", "<failure/><error/>", "<skipped/>", "<system-out/>", "<error/>"))
    assert count_junit(path) == Count(passed=2, failed=2, skipped=1)


@pytest.mark.parametrize("text", ["", "<testsuites><testsuite>"])
def test_a_junit_report_cut_short_is_a_failed_test(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.xml"
    path.write_text(text)
    assert count_junit(path) == Count(failed=1)


def test_bazel_counts_cases_and_not_targets(run: BazelRun) -> None:
    run.test("//a", "PASSED", junit("", "", "<skipped/>"))
    run.test("//b", "FAILED", junit("", "<failure/>"))
    assert run.count() == Count(passed=3, failed=1, skipped=1)


def test_bazel_counts_the_tests_inside_a_rust_target(run: BazelRun) -> None:
    run.test("//rust", "FAILED", junit("<error/>"), log=CARGO)
    assert run.count() == Count(5, 1, 1)


def test_a_rust_target_that_crashed_is_a_failed_test(run: BazelRun) -> None:
    passed = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured"
    run.test("//rust", "FAILED", junit("<error/>"), log=passed)
    assert run.count() == Count(passed=3, failed=1)


def test_every_shard_counts_and_only_the_last_attempt(run: BazelRun) -> None:
    run.test("//a", "PASSED", junit("", ""), shard=1)
    run.test("//a", "FAILED", junit("<failure/>"), shard=2, attempt=1)
    run.test("//a", "PASSED", junit(""), shard=2, attempt=2)
    assert run.count() == Count(passed=3)


def test_a_test_without_a_report_is_a_failed_test(run: BazelRun) -> None:
    run.test("//a", "TIMEOUT", None)
    assert run.count() == Count(failed=1)


def test_a_target_that_does_not_build_is_a_failed_test(run: BazelRun) -> None:
    run.built("//good", completed={"success": True})
    run.built("//bad", completed={})
    run.built("//never", aborted={"reason": "ANALYSIS_FAILURE"})
    run.built("//other_platform", aborted={"reason": "SKIPPED"})
    assert run.count() == Count(failed=2)


def test_an_event_file_cut_short_is_a_failed_test(tmp_path: Path) -> None:
    path = tmp_path / "bep.json"
    path.write_text('{"id": {"started": {}}}\n{"id": {"testRes')
    assert count_bazel(path) == Count(failed=1)
