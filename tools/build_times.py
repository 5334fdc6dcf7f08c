"""Measures how long a developer waits for Bazel, against the figures this project promises.

Edits happen in a copy of the checkout (with what is not committed yet), which lies with its own
output base and, for the cold build, its own empty disk cache under the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PYTHON_FILE = "python/tasker_core/__init__.py"
BINDINGS_FILE = "rust/bindings/src/lib.rs"
ENGINE_FILE = "rust/engine/src/lib.rs"
PYTHON_TEST = "//tests/python:test_version"
ENGINE_TEST = "//rust/engine:engine_test"
REPEATS = 3


@dataclass
class Row:
    """One figure of the table: `measured` must not exceed `limit`."""

    what: str
    measured: float
    limit: float
    unit: str = "s"

    @property
    def ok(self) -> bool:
        """Whether the figure is as promised."""
        return self.measured <= self.limit

    def cells(self) -> tuple[str, str, str, str]:
        """Return what the table shows."""
        digits = 1 if self.unit == "s" else 0
        figure, limit = (f"{n:.{digits}f} {self.unit}" for n in (self.measured, self.limit))
        return self.what, figure, f"≤ {limit}", "ok" if self.ok else "miss"


def table(rows: list[Row]) -> str:
    """Lay the rows out in columns."""
    lines = [("", "measured", "target", ""), *(row.cells() for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(4)]
    return "\n".join(
        f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip()
        for a, b, c, d in lines
    )


def rust_actions(build_events: str) -> int:
    """Count the Rust actions that ran, in Bazel's build event file (JSON lines)."""
    counted = None
    for line in build_events.splitlines():
        summary = json.loads(line).get("buildMetrics", {}).get("actionSummary")
        if summary is not None:
            counted = sum(
                int(entry.get("actionsExecuted", 0))
                for entry in summary.get("actionData", [])
                if entry["mnemonic"].startswith(("Rust", "Cargo", "Clippy"))
            )
    if counted is None:
        raise ValueError("no metrics among the build events")
    return counted


@dataclass
class Checkout:
    """A copy of the checkout and the Bazel that builds it."""

    root: Path
    work: Path
    flags: list[str] = field(default_factory=list)
    # Not from nothing: what an earlier run edited lies in the disk cache.
    edits: int = field(default_factory=lambda: int(time.time()) * 100)

    @property
    def copy(self) -> Path:
        """Where the copy lies."""
        return self.work / "checkout"

    def lay_out(self) -> None:
        """Copy every file that git knows or would add."""
        shutil.rmtree(self.copy, ignore_errors=True)
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        for name in listed.stdout.split("\0"):
            source = self.root / name
            if name and source.is_file():
                (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, self.copy / name)

    def bazel(self, *args: str, check: bool = True) -> None:
        """Run the copy's own bazelw, quietly; on a failure show what it said and stop."""
        command = ["./bazelw", f"--output_base={self.work / 'output_base'}", *args]
        result = subprocess.run(
            command,
            cwd=self.copy,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and result.returncode:
            raise SystemExit(f"{result.stdout}\nbuild_times: {' '.join(command)} failed")

    def test(self, *targets: str) -> float:
        """Test the targets and return the seconds that took."""
        started = time.monotonic()
        self.bazel("test", *self.flags, *targets)
        return time.monotonic() - started

    def edit(self, file: str, line: str) -> None:
        """Append a line that no earlier edit had: `{n}` in it is a number of its own."""
        self.edits += 1
        with (self.copy / file).open("a") as opened:
            opened.write(line.format(n=self.edits))

    def time_after_edit(self, file: str, line: str, target: str) -> float:
        """Return the median time from saving `file` to the verdict of `target`."""
        times = []
        for _ in range(REPEATS):
            self.edit(file, line)
            times.append(self.test(target))
        return statistics.median(times)

    def rust_actions_after_edit(self, file: str, line: str) -> int:
        """Count the Rust actions of a full test run after an edit."""
        self.edit(file, line)
        events = self.work / "events.json"
        metrics = "--experimental_record_metrics_for_all_mnemonics"
        self.bazel("test", *self.flags, f"--build_event_json_file={events}", metrics, "//...")
        return rust_actions(events.read_text())


def measure(checkout: Checkout, cold: bool, say: Callable[[str], None]) -> list[Row]:
    """Take every figure, the slow one first because the others need what it built."""
    rows = []
    say("everything, from nothing" if cold else "everything, once, so that the rest is warm")
    seconds = checkout.test("//...")
    if cold:
        rows.append(Row("bazel test //..., cold", seconds, 240))

    say("nothing changed")
    no_op = statistics.median(checkout.test("//...") for _ in range(REPEATS))
    rows.append(Row("bazel test //..., nothing changed", no_op, 1))

    comment = "\n\n# build_times {n}\n"  # laid out as ruff wants it after anything
    # Each reaches what the test loads: else the verdict would come from the cache.
    exported = '\n#[no_mangle]\npub extern "C" fn build_times_{n}() -> u64 {{\n    {n}\n}}\n'
    tested = "\n#[cfg(test)]\n#[test]\nfn build_times_{n}() {{\n    assert!({n}_u64 > 0);\n}}\n"
    for what, file, line, test, limit in [
        ("Python", PYTHON_FILE, comment, PYTHON_TEST, 2),
        ("bindings", BINDINGS_FILE, exported, PYTHON_TEST, 3),
        ("engine", ENGINE_FILE, tested, ENGINE_TEST, 5),
    ]:
        say(f"{what}: an edit and one test")
        checkout.test(test)
        seconds = checkout.time_after_edit(file, line, test)
        rows.append(Row(f"{what} edit to the verdict of {test}", seconds, limit))

    say("everything after a Python edit")
    checkout.lay_out()  # without the edits, which no linter has seen
    checkout.test("//...")
    checkout.edit(PYTHON_FILE, comment)
    rows.append(Row("bazel test //... after a Python edit", checkout.test("//..."), 60))
    count = checkout.rust_actions_after_edit(PYTHON_FILE, comment)
    rows.append(Row("Rust actions after a Python edit", count, 0, "actions"))
    return rows


def main() -> int:
    """Measure, print the table, and return 1 if a figure is missed."""
    parser = argparse.ArgumentParser(prog="tools/build_times", description=__doc__)
    parser.add_argument(
        "--warm", action="store_true", help="leave the cold build out and use the usual disk cache"
    )
    parser.add_argument("--keep", action="store_true", help="leave the copy for the next run")
    options = parser.parse_args()

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    checkout = Checkout(Path(__file__).resolve().parent.parent, cache / "tasker_core/build_times")
    if not options.warm:
        if checkout.copy.exists():
            clean_up(checkout)
        checkout.flags = [f"--disk_cache={checkout.work / 'disk_cache'}"]
    checkout.work.mkdir(parents=True, exist_ok=True)
    checkout.lay_out()
    checkout.bazel("--version")  # installs one where there is none: that is not the build's time

    def say(what: str) -> None:
        print(f"build_times: {what} …", file=sys.stderr, flush=True)

    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"the machine is busy (load {load:.1f}), the figures will be too high")
    try:
        rows = measure(checkout, not options.warm, say)
    finally:
        if not options.keep:
            clean_up(checkout)
    print(table(rows))
    return 0 if all(row.ok for row in rows) else 1


def clean_up(checkout: Checkout) -> None:
    """Stop the copy's Bazel server and remove all that was made, which Bazel leaves read-only."""
    checkout.bazel("shutdown", check=False)
    for folder, _, _ in os.walk(checkout.work):
        os.chmod(folder, 0o700)
    shutil.rmtree(checkout.work)


if __name__ == "__main__":
    sys.exit(main())
