"""Compares this engine with a plain loop over SQLite and with what people would use instead.

Each (system, workload, round) is a process of its own, and a round goes through all systems before
the next begins: what the machine does meanwhile hits all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import table
from benchmarks.measure import Result
from benchmarks.peers import NotInstalledError, cache_folder, clean_variables, environment
from benchmarks.table import More, over_rounds

ROOT = Path(__file__).parent.parent
LIMIT_SECONDS = 900

WORKLOADS = {
    "A": "four steps, each given the result of the one before; one task at a time",
    "B": "one step, then 100 that do nothing, then one that joins them",
    "C": "10,000 tasks of one step, submitted one by one, until all are done",
    "C-batches": "the same, submitted 1,000 at a time",
}

MORE = (
    More("python-step", "memory", "a step of A when nothing waits for a disk", "p50_ms", "us", 1e3),
    More("checkpoint", "full", "a checkpoint of a handler that yields", "p50_ms", "us", 1e3),
    More("chain-small", "full", "a step of a chain of 10", "p50_ms", "us", 1e3),
    More("chain-large", "full", "of a chain of 1,000", "p50_ms", "us", 1e3, "chain-small"),
    More("chain-small", "memory", "a step of a chain of 10", "p50_ms", "us", 1e3),
    More("chain-large", "memory", "of a chain of 1,000", "p50_ms", "us", 1e3, "chain-small"),
    More("fan-small", "full", "a step of a fan of 100", "p50_ms", "us", 1e3),
    More("fan-large", "full", "of a fan of 9,998", "p50_ms", "us", 1e3, "fan-small"),
    More("fan-small", "memory", "a step of a fan of 100", "p50_ms", "us", 1e3),
    More("fan-large", "memory", "of a fan of 9,998", "p50_ms", "us", 1e3, "fan-small"),
    More("sleep-sync", "full", "8 handlers that sleep 250 ms", "p50_ms", "ms"),
    More("sleep-async", "full", "8 async ones", "p50_ms", "ms"),
    More("sleep-async-many", "full", "1,000 async ones", "p50_ms", "ms"),
    More("growth", "full", "memory that 30,000 finished tasks leave", "rss_mb", "MB"),
    More("idle", "full", "CPU of an open engine, idle for 3 s", "p50_ms", "ms"),
    More("idle", "full", "wake-ups of its threads meanwhile", "per_s", "per s"),
)


@dataclass(frozen=True)
class System:
    """Something to measure. `package` is what pip installs for it; ours needs nothing."""

    name: str
    module: str
    durabilities: tuple[str, ...]
    workloads: tuple[str, ...] = ("A", "B", "C")
    package: str | None = None
    also: tuple[str, ...] = ()


def _newer_sqlite() -> tuple[str, ...]:
    """DBOS needs SQLite 3.42, which not every Python has."""
    return () if sqlite3.sqlite_version_info >= (3, 42) else ("pysqlite3-binary",)


SYSTEMS = (
    System(table.OURS, "tasker", ("full", "fast", "memory"), tuple(WORKLOADS)),
    System(table.FLOOR, "floor", ("full", "fast"), tuple(WORKLOADS)),
    System("huey", "huey", ("full",), package="huey"),
    System("dbos", "dbos", ("full",), package="dbos", also=_newer_sqlite()),
    System("sayiir", "sayiir", ("memory", "none"), package="sayiir"),
)


@dataclass
class Comparison:
    """What was measured so far, and what there is to say of it."""

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def measure(
        self, system: System, python: Path, workload: str, durability: str, *args: str
    ) -> None:
        """Measure once, in a new process."""
        label = f"{system.name} {workload} {durability}"
        print(label, file=sys.stderr, flush=True)
        with _folder() as folder:
            command = [str(python), "-m", f"benchmarks.systems.{system.module}"]
            command += [workload, durability, "--folder", str(folder), *args]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    timeout=LIMIT_SECONDS,
                    cwd=folder,
                    env=_variables(system),
                )
            except subprocess.TimeoutExpired:
                self._failed(system, f"{label}: not done within {LIMIT_SECONDS} s")
                return
        if done.returncode:
            said = done.stderr.strip().splitlines()
            self._failed(system, f"{label}: {said[-1] if said else done.returncode}")
            return
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        self.results += [Result(**json.loads(line)) for line in lines]

    def _failed(self, system: System, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)
        # A peer that breaks is no fault of ours.
        if system.package is None:
            self.failed.append(what)


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder on the disk of the user's cache: a temporary one may be in memory."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    made = tempfile.mkdtemp(prefix="run-", dir=cache_folder())
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _variables(system: System) -> dict[str, str]:
    """A peer's environment has its own packages; ours are where this process found them."""
    paths = [str(ROOT)] if system.package else [str(ROOT), *map(os.path.abspath, sys.path)]
    return {**clean_variables(), "PYTHONPATH": os.pathsep.join(paths)}


def _interpreters(systems: Sequence[System], comparison: Comparison) -> dict[str, Path]:
    """The interpreter of each system that can be measured."""
    found: dict[str, Path] = {}
    for system in systems:
        if system.package is None:
            found[system.name] = Path(sys.executable)
            continue
        print(f"environment of {system.name}", file=sys.stderr, flush=True)
        try:
            made = environment(system.package, system.also)
        except NotInstalledError as error:
            comparison.notes.append(f"{system.name} is missing: pip can't install it: {error}")
            continue
        found[system.name] = made.python
        comparison.notes.append(f"{system.name} {made.version}")
    return found


def _options(args: Sequence[str]) -> argparse.Namespace:
    names = [system.name for system in SYSTEMS]
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often all is measured (default: 3)")
    parser.add_argument("--only", metavar="SYSTEM,...", help=f"of {', '.join(names)}")
    parser.add_argument(
        "--workloads", metavar="WORKLOAD,...", help="of A, B, C, and more: this engine's own rows"
    )
    parser.add_argument("--quick", action="store_true", help="one round, and little of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there")
    given = parser.parse_args(args)
    given.only = given.only.split(",") if given.only else names
    given.workloads = given.workloads.split(",") if given.workloads else ["A", "B", "C", "more"]
    given.rounds = given.rounds or (1 if given.quick else 3)
    for name in given.only:
        if name not in names:
            parser.error(f"no system {name!r}; there are: {', '.join(names)}")
    for name in given.workloads:
        if name not in ("A", "B", "C", "more"):
            parser.error(f"no workload {name!r}; there are: A, B, C, more")
    if given.json:
        # `bazel run` starts programs elsewhere.
        given.json = Path(os.environ.get("BUILD_WORKING_DIRECTORY", "")) / given.json
    return given


def planned(system: System, workloads: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of workload and durability that are measured of a system in each round."""
    pairs = [
        (workload, durability)
        for workload in system.workloads
        if workload.partition("-")[0] in workloads
        for durability in system.durabilities
    ]
    if system.name == table.OURS and "more" in workloads:
        pairs += dict.fromkeys((more.workload, more.durability) for more in MORE)
    return pairs


def main(args: Sequence[str]) -> int:
    """Measure, print the table, return the exit code."""
    given = _options(args)
    systems = [system for system in SYSTEMS if system.name in given.only]
    comparison, load = Comparison(), os.getloadavg()[0]
    pythons = _interpreters(systems, comparison)
    quick = ["--quick"] if given.quick else []
    for number in range(given.rounds):
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr, flush=True)
        for system in systems:
            if system.name in pythons:
                for workload, durability in planned(system, given.workloads):
                    python = pythons[system.name]
                    comparison.measure(system, python, workload, durability, *quick)
    rows = over_rounds(comparison.results)
    print(_report(rows, comparison.notes, given, load))
    if given.json:
        given.json.write_text(json.dumps(table.as_json(rows), indent=1) + "\n")
    return 1 if comparison.failed else 0


def _report(
    rows: Sequence[table.Row], notes: Sequence[str], given: argparse.Namespace, load: float
) -> str:
    what: Mapping[str, str] = WORKLOADS
    parts = [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}, rounds: {given.rounds}, "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after",
        *notes,
        *(["--quick: these numbers mean little"] if given.quick else []),
        "x ours, x floor: how many times as long it takes, at the same durability",
        "",
        table.render(rows, what),
    ]
    if "more" in given.workloads and table.OURS in given.only:
        parts += ["", table.render_more(rows, MORE)]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
