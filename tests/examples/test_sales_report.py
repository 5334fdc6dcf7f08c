"""The sales example: its totals, recomputed here from the CSV, its report and its picture."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

import pytest

from examples.sales_report import make_sales

if TYPE_CHECKING:
    from tests.examples.conftest import Example, Finished, StartIn

PROGRAM = ("-m", "examples.sales_report", "--json")
REGIONS = ("North", "East", "South", "West")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAY = re.compile(r"2025-(\d\d)-(\d\d)|(\d\d)\.(\d\d)\.2025|(\d\d) (\w{3}) 2025")
PRICE = re.compile(r"(?:EUR )?(\d+)[.,](\d\d)(?: €)?")
SVG = "{http://www.w3.org/2000/svg}"


class Expected(NamedTuple):
    """Cents by region and by month (0 to 11), and the number of rows that count."""

    by_region: Counter[str]
    by_month: Counter[int]
    rows: int


def month_of(text: str) -> int | None:
    """The month of a date that exists, by another way than the example's."""
    match = DAY.fullmatch(text)
    if match is None:
        return None
    month_1, day_1, day_2, month_2, day_3, word = match.groups()
    month = MONTHS.index(word) if word else int(month_1 or month_2) - 1
    return month if 1 <= int(day_1 or day_2 or day_3) <= LENGTHS[month] else None


def cents_of(quantity: str, price: str) -> int:
    """What a row is worth; nothing if it does not say."""
    money = PRICE.fullmatch(price)
    return int(quantity) * int(money[1] + money[2]) if money and quantity.isdigit() else 0


@pytest.fixture(scope="module")
def expected() -> Expected:
    """The totals, straight from the CSV."""
    sums = Expected(Counter(), Counter(), 0)
    with make_sales.SALES_CSV.open(encoding="utf-8", newline="") as file:
        first_of_each = {row["order_id"]: row for row in reversed(list(csv.DictReader(file)))}
    for row in first_of_each.values():
        region, month = row["region"].strip().title(), month_of(row["date"])
        cents = cents_of(row["quantity"], row["unit_price"])
        if region in REGIONS and month is not None and cents:
            sums.by_region[region] += cents
            sums.by_month[month] += cents
            sums = sums._replace(rows=sums.rows + 1)
    return sums


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example ran."""
    return tmp_path_factory.mktemp("sales")


@pytest.fixture(scope="module")
def finished(folder: Path, start_in: StartIn) -> Finished:
    """The example, run once for all tests here."""
    done = start_in(folder).run(*PROGRAM)
    assert done.code == 0, done.errors
    return done


@pytest.fixture
def output(folder: Path, finished: Finished) -> Path:
    """What it wrote: where the user stands."""
    assert finished.report["state"] == "complete"
    return folder / "sales_report_output"


def test_the_input_is_what_the_script_makes() -> None:
    with make_sales.SALES_CSV.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == make_sales.rows()
    assert make_sales.SALES_CSV.stat().st_size < 1_000_000


def test_the_totals_by_region_are_right(finished: Finished, expected: Expected) -> None:
    regions = finished.report["steps"]["sum_by_region"]["result"]["regions"]
    assert {name: one["revenue_cents"] for name, one in regions.items()} == expected.by_region
    assert sum(one["orders"] for one in regions.values()) == expected.rows


def test_the_totals_by_month_are_right(finished: Finished, expected: Expected) -> None:
    months = finished.report["steps"]["sum_by_month"]["result"]["months"]
    assert list(months) == [f"2025-{number:02}" for number in range(1, 13)]
    sums = {int(month[5:]) - 1: sum(regions.values()) for month, regions in months.items()}
    assert sums == expected.by_month


def test_every_row_is_accounted_for(finished: Finished, expected: Expected) -> None:
    cleaned = finished.report["steps"]["clean_sales"]["result"]
    assert cleaned["rows_kept"] == expected.rows
    assert cleaned["rows_kept"] + sum(cleaned["dropped"].values()) == cleaned["rows_read"]
    assert cleaned["rows_read"] == len(make_sales.rows())
    assert all(count > 0 for count in [*cleaned["dropped"].values(), *cleaned["repaired"].values()])


def test_the_report_says_the_totals(output: Path, expected: Expected) -> None:
    report = (output / "sales_report.md").read_text(encoding="utf-8")
    total = sum(expected.by_region.values())
    assert f"**{round(total / 100):,} EUR** from {expected.rows:,} orders" in report
    for region, cents in expected.by_region.items():
        row = rf"\| {region} +\|.*\| +{round(cents / 100):,} EUR \| +{cents / total:.1%} \|"
        assert re.search(row, report), row
    for cents in expected.by_month.values():
        assert f" {round(cents / 100):,} EUR |" in report
    assert "![Sales by month and region](sales_by_month.svg)" in report


def test_the_picture_shows_the_totals(output: Path, expected: Expected) -> None:
    root = ElementTree.parse(output / "sales_by_month.svg").getroot()
    assert root.tag == f"{SVG}svg"
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert "The Tea Shop: sales by month and region, 2025" in texts
    assert "revenue in EUR" in texts
    assert [text for text in texts if text in MONTHS] == list(MONTHS)
    legend = [text for text in texts if text.startswith(REGIONS)]
    largest_first = expected.by_region.most_common()
    assert legend == [f"{name}  {round(cents / 100):,} EUR" for name, cents in largest_first]


def test_the_picture_has_a_bar_a_month_and_region_and_stands_alone(output: Path) -> None:
    root = ElementTree.parse(output / "sales_by_month.svg").getroot()
    bars = [node for node in root.iter(f"{SVG}rect") if "rect" in node.get("class", "").split()]
    assert len(bars) == len(REGIONS) * len(MONTHS)
    assert all(float(bar.get("height", 0)) > 0 for bar in bars)
    # Nothing is loaded from elsewhere.
    names = [name for node in root.iter() for name in node.attrib]
    assert not [name for name in names if name.endswith(("href", "src"))]


def test_other_figures_are_named_by_the_context(example: Example) -> None:
    csv_file = example.folder / "ours.csv"
    csv_file.write_text(
        "order_id,date,region,product,quantity,unit_price\n"
        "1,2024-12-31,North,Tea,2,1.50\n"
        "2,2025-01-01,south,Tea,1,EUR 4.00\n"
        "3,2025-01-01,Nowhere,Tea,1,4.00\n"
    )
    context = {"company": "Ours", "sales_csv": "ours.csv", "output_folder": "out"}
    done = example.run(*PROGRAM, "--context", json.dumps(context))
    assert done.code == 0, done.errors
    assert done.report["steps"]["clean_sales"]["result"]["dropped"] == {"an unknown region": 1}
    report = (example.folder / "out" / "sales_report.md").read_text()
    assert report.startswith("# Sales of Ours, December 2024 to January 2025\n")
    assert "2024 to 2025" in (example.folder / "out" / "sales_by_month.svg").read_text()


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"company": "Ours", "sales_csv": "none.csv"}, "there is no none.csv"),
        ({"company": "Ours", "outputfolder": "x"}, "outputfolder"),
    ],
)
def test_a_wrong_context_is_refused_at_once(
    example: Example, context: dict[str, str], message: str
) -> None:
    done = example.run(*PROGRAM, "--context", json.dumps(context))
    assert done.code == 1, done.errors
    assert message in done.report["errors"]["clean_sales"]["message"]
    assert done.report["steps"]["clean_sales"]["attempts"] == 1
