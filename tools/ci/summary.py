"""Ends a run of CI: a table of its parts with their minutes, then one line that counts every test.

Each part left a folder with what it printed (`log`), its exit code (`status`), its time (`seconds`)
and the reports of its runners. A part that died tells nothing, and must not pass for it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.ci.reports import Count, count_bazel, count_cargo, count_junit


def _number(path: Path, default: int) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return default


def count_part(folder: Path) -> Count:
    """Count one part: what its reports say, and what its exit code says on top of them."""
    events = sorted(folder.glob("*.bep.json"))
    reports = sorted(folder.glob("*.xml"))
    count = Count()
    for path in events:
        count += count_bazel(path)
    for path in reports:
        count += count_junit(path)
    if not events and not reports and (folder / "log").exists():
        count = count_cargo((folder / "log").read_text("utf-8", "replace"))
    died = _number(folder / "status", 1) != 0 and not count.failed
    vacuous = (folder / "has_tests").exists() and not count.passed + count.failed
    return count + Count(failed=1) if died or vacuous else count


def summary(reports: Path) -> tuple[str, Count]:
    """Return the text that ends a run whose parts left their folders in `reports`."""
    total = Count()
    lines = [f"{'part':<28} {'minutes':>7} {'passed':>7} {'failed':>7} {'skipped':>7}"]
    for folder in sorted(path for path in reports.iterdir() if path.is_dir()):
        count = count_part(folder)
        total += count
        minutes = _number(folder / "seconds", 0) / 60
        name = folder.name.partition("-")[2]
        lines.append(
            f"{name:<28} {minutes:>7.1f} {count.passed:>7} {count.failed:>7} {count.skipped:>7}"
        )
    if not total:
        total = Count(failed=1)
    closing = f"{total.passed} passed, {total.failed} failed"
    if total.skipped:
        closing += f", {total.skipped} skipped"
    return "\n".join([*lines, "", closing]), total


def main() -> int:
    """Print the summary of the folder that the command line names."""
    text, total = summary(Path(sys.argv[1]))
    print(text)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
