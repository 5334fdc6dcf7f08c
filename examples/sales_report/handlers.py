"""The steps of sales_report.yaml, each a function.

A step that is run again, because its process died, writes the same files again: nothing is lost and
nothing counted twice.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.sales_report.cleaning import Cleaner, Row, read_sales, write_sales
from examples.sales_report.report import report_text
from examples.sales_report.values import (
    ByMonth,
    ByRegion,
    Chart,
    Cleaned,
    Settings,
    Totals,
    largest_first,
    money,
)
from tasker_core.errors import ConfigurationError, NotFoundError
from tasker_core.step_handler import depends_on, inputs, step_handler


@step_handler("clean_sales")
@inputs(Settings)
def clean_sales(inputs: Settings) -> Cleaned:
    """Repair what can be repaired, drop the rest, and say why."""
    inputs.output_folder.mkdir(parents=True, exist_ok=True)
    cleaner = Cleaner()
    with whole_file(inputs.output_folder / "clean_sales.csv") as (target, unfinished):
        kept = write_sales(cleaner.clean(rows_of(inputs.sales_csv)), unfinished)
    return Cleaned(
        clean_csv=target,
        rows_read=cleaner.rows_read,
        rows_kept=kept,
        repaired=dict(cleaner.repaired),
        dropped=dict(cleaner.dropped.most_common()),
    )


@step_handler("sum_by_region")
@depends_on(cleaned=("clean_sales", Cleaned))
def sum_by_region(cleaned: Cleaned) -> ByRegion:
    """Orders, units and revenue of each region."""
    regions: defaultdict[str, Totals] = defaultdict(Totals)
    for sale in read_sales(cleaned.clean_csv):
        totals = regions[sale.region]
        totals.orders += 1
        totals.units += sale.quantity
        totals.revenue_cents += sale.revenue_cents
    return ByRegion(regions=largest_first(regions))


@step_handler("sum_by_month")
@depends_on(cleaned=("clean_sales", Cleaned))
def sum_by_month(cleaned: Cleaned) -> ByMonth:
    """Revenue of each month, by region."""
    months: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sale in read_sales(cleaned.clean_csv):
        months[sale.month][sale.region] += sale.revenue_cents
    return ByMonth(months={month: dict(months[month]) for month in sorted(months)})


@step_handler("draw_chart")
@depends_on(by_region=("sum_by_region", ByRegion), by_month=("sum_by_month", ByMonth))
@inputs(Settings)
def draw_chart(by_region: ByRegion, by_month: ByMonth, inputs: Settings) -> Chart:
    """The picture."""
    try:
        from examples.sales_report.chart import chart_svg
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error}: the picture needs `pip install 'tasker-core-py[examples]'`"
        ) from error
    with whole_file(inputs.output_folder / "sales_by_month.svg") as (target, unfinished):
        unfinished.write_bytes(chart_svg(by_region, by_month, inputs))
    return Chart(svg=target)


@step_handler("write_report")
@depends_on(
    cleaned=("clean_sales", Cleaned),
    by_region=("sum_by_region", ByRegion),
    by_month=("sum_by_month", ByMonth),
    chart=("draw_chart", Chart),
)
@inputs(Settings)
def write_report(
    cleaned: Cleaned, by_region: ByRegion, by_month: ByMonth, chart: Chart, inputs: Settings
) -> dict[str, Any]:
    """The report, in Markdown, around the picture."""
    text = report_text(cleaned, by_region, by_month, chart, inputs)
    with whole_file(inputs.output_folder / "sales_report.md") as (target, unfinished):
        unfinished.write_text(text, encoding="utf-8")
    return {
        "revenue": money(by_region.revenue_cents, inputs.currency),
        "rows_counted": cleaned.rows_kept,
        "rows_dropped": sum(cleaned.dropped.values()),
        "report": str(target),
        "picture": str(chart.svg),
    }


def rows_of(sales_csv: Path) -> Iterator[Row]:
    """The rows of the input, as they are."""
    try:
        file = sales_csv.open(encoding="utf-8", newline="")
    except FileNotFoundError:
        raise NotFoundError(
            f"there is no {sales_csv}; the context's `sales_csv` names it"
        ) from None
    with file:
        yield from csv.DictReader(file)


@contextmanager
def whole_file(target: Path) -> Iterator[tuple[Path, Path]]:
    """A place to write to that becomes `target` at the end: nobody ever sees half a file."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    yield target, unfinished
    os.replace(unfinished, target)
