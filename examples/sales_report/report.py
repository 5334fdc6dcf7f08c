"""The report's words."""

from collections.abc import Iterable
from datetime import date

from examples.sales_report.values import (
    ByMonth,
    ByRegion,
    Chart,
    Cleaned,
    Settings,
    money,
)

Cells = tuple[str, ...]


def report_text(
    cleaned: Cleaned, by_region: ByRegion, by_month: ByMonth, chart: Chart, settings: Settings
) -> str:
    """All of it, as Markdown."""
    return "\n\n".join(
        [
            f"# Sales of {settings.company}, {period(by_month)}",
            summary(by_region, by_month, settings),
            f"![Sales by month and region]({chart.svg.name})",
            "## By region",
            table(("region", "orders", "units", "revenue", "share"), regions(by_region, settings)),
            "## By month",
            table(("month", "revenue", "change"), months(by_month, settings)),
            "## What the numbers rest on",
            f"{cleaned.rows_read:,} rows were read and {cleaned.rows_kept:,} of them counted.",
            table(("repaired", "rows"), counts(cleaned.repaired)),
            table(("dropped", "rows"), counts(cleaned.dropped)),
            "",
        ]
    )


def summary(by_region: ByRegion, by_month: ByMonth, settings: Settings) -> str:
    """What somebody in a hurry reads."""
    best_region, best = next(iter(by_region.regions.items()))
    best_month = max(by_month.months, key=by_month.revenue_cents)
    orders = sum(totals.orders for totals in by_region.regions.values())
    return (
        f"**{money(by_region.revenue_cents, settings.currency)}** from {orders:,} orders. "
        f"{best_region} sold most ({money(best.revenue_cents, settings.currency)}), and "
        f"{month_name(best_month)} was the best month "
        f"({money(by_month.revenue_cents(best_month), settings.currency)})."
    )


def regions(by_region: ByRegion, settings: Settings) -> Iterable[Cells]:
    """A row a region, the largest first."""
    for name, totals in by_region.regions.items():
        yield (
            name,
            f"{totals.orders:,}",
            f"{totals.units:,}",
            money(totals.revenue_cents, settings.currency),
            f"{totals.revenue_cents / by_region.revenue_cents:.1%}",
        )


def months(by_month: ByMonth, settings: Settings) -> Iterable[Cells]:
    """A row a month, with the change from the one before."""
    before = 0
    for month in by_month.months:
        revenue = by_month.revenue_cents(month)
        # Plus zero, or a small loss would read "-0%".
        change = f"{round(revenue / before - 1, 2) + 0:+.0%}" if before else ""
        yield month_name(month), money(revenue, settings.currency), change
        before = revenue


def counts(counted: dict[str, int]) -> Iterable[Cells]:
    """A row a reason, the most frequent first."""
    for reason, count in sorted(counted.items(), key=lambda pair: -pair[1]):
        yield reason, f"{count:,}"


def table(head: Cells, rows: Iterable[Cells]) -> str:
    """A Markdown table: words to the left, numbers to the right."""
    all_rows = [head, *rows]
    widths = [max(len(row[column]) for row in all_rows) for column in range(len(head))]
    lines = [_line(row, widths) for row in all_rows]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def _line(row: Cells, widths: list[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
    return f"| {' | '.join(cells)} |"


def month_name(month: str) -> str:
    """`2025-01` as `January 2025`."""
    return date.fromisoformat(f"{month}-01").strftime("%B %Y")


def period(by_month: ByMonth) -> str:
    """`January 2025 to December 2025`."""
    first, *_, last = by_month.months
    return f"{month_name(first)} to {month_name(last)}"
