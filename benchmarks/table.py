"""From what each process measured to one table: medians, spread and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from benchmarks.measure import Result

OURS = "tasker_core"
FLOOR = "floor"

NUMBERS = ("p50_ms", "p99_ms", "per_s", "rss_mb")

# What a system that keeps nothing is compared with.
_COMPARED_WITH = {"none": "memory"}


@dataclass(frozen=True)
class Spread:
    """A number over the rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One system, workload and durability over the rounds."""

    system: str
    workload: str
    durability: str
    numbers: Mapping[str, Spread]

    def median(self, number: str) -> float | None:
        """The median of one of NUMBERS, or None if it does not apply."""
        found = self.numbers.get(number)
        return None if found is None else found.median

    def cost(self) -> float | None:
        """Milliseconds of a task: what rows of one workload are compared by."""
        per_s = self.median("per_s")
        return 1e3 / per_s if per_s else self.median("p50_ms")

    def as_result(self) -> Result:
        """Its medians."""
        return Result(
            self.system,
            self.workload,
            self.durability,
            p50_ms=self.median("p50_ms"),
            p99_ms=self.median("p99_ms"),
            per_s=self.median("per_s"),
            rss_mb=self.median("rss_mb"),
        )


@dataclass(frozen=True)
class More:
    """A row of the section about this engine alone: a number with its unit."""

    workload: str
    durability: str
    text: str
    number: str
    unit: str
    times: float = 1.0
    small: str | None = None
    """The workload that it is so many times of."""


def spread(values: Iterable[float]) -> Spread:
    """Median, least and greatest."""
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[0], ordered[-1])


def over_rounds(results: Iterable[Result]) -> list[Row]:
    """One row for each system, workload and durability, in the order of their first results."""
    found: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        found.setdefault((result.system, result.workload, result.durability), []).append(result)
    return [Row(*key, _spreads(group)) for key, group in found.items()]


def _spreads(group: Sequence[Result]) -> dict[str, Spread]:
    values = {number: [getattr(result, number) for result in group] for number in NUMBERS}
    return {
        number: spread(present)
        for number, all_of_them in values.items()
        if (present := [value for value in all_of_them if value is not None])
    }


def ratio(row: Row, rows: Iterable[Row], system: str) -> float | None:
    """How many times as long as that system it takes at the same durability; None if that one was
    not measured.
    """
    durability = _COMPARED_WITH.get(row.durability, row.durability)
    for other in rows:
        if (other.system, other.workload, other.durability) == (system, row.workload, durability):
            cost, its = row.cost(), other.cost()
            return cost / its if cost and its else None
    return None


def as_json(rows: Iterable[Row]) -> list[dict[str, object]]:
    """The medians, each row a mapping of the fields of `Result`."""
    results = [row.as_result() for row in rows]
    return [
        {field.name: _short(getattr(result, field.name)) for field in fields(Result)}
        for result in results
    ]


def _short(value: object) -> object:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def render(rows: Sequence[Row], workloads: Mapping[str, str]) -> str:
    """The table that all systems are in; `workloads` says what each one is."""
    head = (
        "system",
        "durability",
        "p50 ms (min..max)",
        "p99 ms",
        "per s (min..max)",
        "MB",
        "x ours",
        "x floor",
    )
    lines: list[tuple[str, ...]] = []
    titles: dict[int, str] = {}
    for workload, text in workloads.items():
        of_it = [row for row in rows if row.workload == workload]
        if of_it:
            titles[len(lines)] = f"{workload}  {text}"
        lines += [
            (
                row.system,
                row.durability,
                _with_spread(row.numbers.get("p50_ms")),
                _number(row.median("p99_ms")),
                _with_spread(row.numbers.get("per_s")),
                _megabytes(row.median("rss_mb")),
                _number(ratio(row, rows, OURS)),
                _number(ratio(row, rows, FLOOR)),
            )
            for row in of_it
        ]
    return _aligned(head, lines, titles, left=2)


def render_more(rows: Sequence[Row], more: Sequence[More]) -> str:
    """The section about this engine alone."""
    found = {(row.workload, row.durability): row for row in rows if row.system == OURS}
    lines = []
    for line in more:
        row = found.get((line.workload, line.durability))
        number = row.numbers.get(line.number) if row else None
        if number is None:
            continue
        small = found.get((line.small, line.durability)) if line.small else None
        its = small.median(line.number) if small else None
        scaled = Spread(*(part * line.times for part in (number.median, number.low, number.high)))
        compared = f"{number.median / its:.2f} of a small one" if its else ""
        lines.append((line.text, line.durability, _with_spread(scaled), line.unit, compared))
    return _aligned(("", "durability", "median (min..max)", "", ""), lines, {0: "more"}, left=2)


def _aligned(
    head: tuple[str, ...], lines: Sequence[tuple[str, ...]], titles: Mapping[int, str], left: int
) -> str:
    """Columns; the first few are text, the others numbers."""
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    text = []
    for number, line in enumerate([head, *lines]):
        if number - 1 in titles:
            text += ["", titles[number - 1]]
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  " + "  ".join(cells).rstrip())
    return "\n".join(text)


def _with_spread(found: Spread | None) -> str:
    if found is None:
        return ""
    if found.low == found.high:
        return _number(found.median)
    return f"{_number(found.median)} ({_number(found.low)}..{_number(found.high)})"


def _megabytes(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _number(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return ""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 0.1 or value == 0:
        return f"{value:.2f}"
    return f"{value:.3f}"
