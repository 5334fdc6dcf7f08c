"""Counts tests from what their runners reported: nobody's word but the reports' is taken."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

# The closing line of each test binary under `cargo test`.
_CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)


@dataclass(frozen=True)
class Count:
    """How many tests did what."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        """Add up two counts."""
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __bool__(self) -> bool:
        """Tell whether any test is in it."""
        return bool(self.passed + self.failed + self.skipped)


def count_cargo(output: str) -> Count:
    """Count what `cargo test`, or one Rust test binary, printed."""
    total = Count()
    for passed, failed, ignored in _CARGO.findall(output):
        total += Count(int(passed), int(failed), int(ignored))
    return total


def count_junit(path: Path) -> Count:
    """Count the cases of a JUnit report; one that cannot be read is a failed test."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (ElementTree.ParseError, OSError):
        return Count(failed=1)
    total = Count()
    for case in cases:
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            total += Count(failed=1)
        elif "skipped" in outcomes:
            total += Count(skipped=1)
        else:
            total += Count(passed=1)
    return total


def count_bazel(path: Path) -> Count:
    """Count the tests that one run of Bazel reported in its build event file.

    A target that did not build is one failed test. So is a test of which there is no report, or
    which failed although its report shows no failed case.
    """
    total = Count()
    attempts: dict[tuple[str, int, int], tuple[int, Count]] = {}
    for line in path.read_text("utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            # Bazel was stopped while it wrote.
            total += Count(failed=1)
            continue
        if "testResult" in event.get("id", {}):
            key = event["id"]["testResult"]
            shard = (key["label"], key.get("run", 1), key.get("shard", 1))
            attempt = key.get("attempt", 1)
            if attempt >= attempts.get(shard, (0, Count()))[0]:
                attempts[shard] = (attempt, _count_result(event["testResult"]))
        elif "targetCompleted" in event.get("id", {}):
            incompatible = event.get("aborted", {}).get("reason") == "SKIPPED"
            if not incompatible and not event.get("completed", {}).get("success"):
                total += Count(failed=1)
    for _, count in attempts.values():
        total += count
    return total


def _count_result(result: dict[str, object]) -> Count:
    outputs = result.get("testActionOutput", [])
    assert isinstance(outputs, list)
    files = {output["name"]: Path(unquote(urlparse(output["uri"]).path)) for output in outputs}
    count = count_junit(files["test.xml"]) if "test.xml" in files else Count()
    if count.passed + count.failed == 1 and "test.log" in files:
        # Bazel writes one case for a runner that reports nothing itself, as Rust's does.
        count = count_cargo(files["test.log"].read_text("utf-8", "replace")) or count
    if result.get("status") != "PASSED" and not count.failed:
        count += Count(failed=1)
    return count
