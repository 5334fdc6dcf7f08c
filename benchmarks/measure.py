"""What every measured program shares: sizes, percentiles, peak memory, and one JSON line a result.

Needs the standard library alone: it is imported by interpreters that have nothing else of this
project.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

# What a write-ahead log of SQLite holds before it is copied into the database and written again
# from its start: 1,000 pages of 4 KiB, each with a header of 24 bytes. Until then each sync also
# has to store the file's new length, which takes longer. So the log has this length before anything
# is measured.
LOG_BYTES = 1000 * (4096 + 24)


@dataclass(frozen=True)
class Sizes:
    """How much is done of each workload."""

    runs_of_a: int = 500
    runs_of_b: int = 20
    width_of_b: int = 100
    tasks_of_c: int = 10_000
    batch_of_c: int = 1_000
    idle_seconds: float = 3.0
    sleepers: int = 1_000
    yields: int = 1_000
    chain: int = 1_000
    # With the first and the one that joins them: as many steps as a template may have.
    fan: int = 9_998

    @classmethod
    def quick(cls) -> Sizes:
        """Enough to see that all works; its numbers mean little."""
        return cls(
            runs_of_a=50,
            runs_of_b=3,
            tasks_of_c=500,
            batch_of_c=100,
            idle_seconds=0.5,
            sleepers=40,
            yields=100,
            chain=100,
            fan=500,
        )


@dataclass(frozen=True)
class Job:
    """One workload to measure, at one durability, with its files in a folder of its own."""

    workload: str
    durability: str
    folder: Path
    sizes: Sizes


@dataclass(frozen=True)
class Result:
    """What one process measured. What does not apply is None."""

    system: str
    workload: str
    durability: str
    p50_ms: float | None = None
    p99_ms: float | None = None
    per_s: float | None = None
    rss_mb: float | None = None


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of all values is below, e.g. 0.99."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def timed(work: Callable[[], object]) -> float:
    """How many milliseconds a call takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def latencies(job: Job, system: str, work: Callable[[], object], runs: int) -> Result:
    """Call it this often, one after the other."""
    times = [timed(work) for _ in range(runs)]
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    # The 99th percentile of twenty is their maximum.
    return Result(system, job.workload, job.durability, p50, p99 if runs >= 100 else None)


def throughput(job: Job, system: str, tasks: int, seconds: float, memory: Memory) -> Result:
    """So many tasks in so many seconds, and how far the process grew meanwhile."""
    peak = memory.peak_growth_mb()
    return Result(system, job.workload, job.durability, per_s=tasks / seconds, rss_mb=peak)


class Memory:
    """How much the process grows from here on."""

    def __init__(self) -> None:
        # The highest mark so far may be of what was imported; Linux forgets it when asked to.
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._before = _status("VmRSS") or _peak()

    def peak_growth_mb(self) -> float:
        """The highest mark since then, above where it was then."""
        return max((_status("VmHWM") or _peak()) - self._before, 0) / 2**20

    def growth_mb(self) -> float | None:
        """Where it is now, above where it was then; None where the system does not tell."""
        now = _status("VmRSS")
        return None if now is None else (now - self._before) / 2**20


def _status(key: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(key + ":")]
    return int(found[0]) * 1024 if found else None


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def pass_the_log(log: Path, work: Callable[[], object], *, after: int = 20) -> None:
    """Call it until the write-ahead log has its full length, and a few times more."""
    for _ in range(5_000):
        if log.exists() and log.stat().st_size >= LOG_BYTES:
            break
        work()
    for _ in range(after):
        work()


def main(workloads: Mapping[str, Callable[[Job], Result]], args: Sequence[str]) -> None:
    """The command line of a measured program: print its result as a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=workloads)
    parser.add_argument("durability")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path())
    given = parser.parse_args(args)
    sizes = Sizes.quick() if given.quick else Sizes()
    given.folder.mkdir(parents=True, exist_ok=True)
    job = Job(given.workload, given.durability, given.folder, sizes)
    print(json.dumps(asdict(workloads[job.workload](job))), flush=True)
    # Some systems leave threads behind that would keep the process alive.
    os._exit(0)
