"""Which rows of a sales CSV can be used, which can be repaired, and why the others can't."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str]

REGIONS = ("East", "North", "South", "West")
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y")
EMPTY = ("", "-", "n/a")
CURRENCIES = ("EUR", "€")


class Sale(NamedTuple):
    """A row that is right."""

    order_id: str
    day: date
    region: str
    product: str
    quantity: int
    price_cents: int

    @property
    def revenue_cents(self) -> int:
        """What the customer paid."""
        return self.quantity * self.price_cents

    @property
    def month(self) -> str:
        """`2025-01`."""
        return self.day.strftime("%Y-%m")


class Unusable(Exception):
    """A row that can't be repaired; the message is the reason, in words that rows share."""


class Cleaner:
    """Cleans row after row, and counts what it repaired and dropped."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.repaired: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self._seen: set[str] = set()

    def clean(self, rows: Iterable[Row]) -> Iterator[Sale]:
        """The rows that can be used."""
        for row in rows:
            self.rows_read += 1
            try:
                yield self._sale(row)
            except Unusable as reason:
                self.dropped[str(reason)] += 1

    def _sale(self, row: Row) -> Sale:
        if row["order_id"] in self._seen:
            raise Unusable("exported twice")
        self._seen.add(row["order_id"])
        for field, value in row.items():
            if value.strip() in EMPTY:
                raise Unusable(f"no {field}")
        sale = Sale(
            order_id=row["order_id"],
            day=_day(row["date"]),
            region=_region(row["region"]),
            product=row["product"],
            quantity=_quantity(row["quantity"]),
            price_cents=_cents(row["unit_price"]),
        )
        self._count_repairs(row, sale)
        return sale

    def _count_repairs(self, row: Row, sale: Sale) -> None:
        self.repaired["date in another format"] += row["date"] != sale.day.isoformat()
        self.repaired["region in another spelling"] += row["region"] != sale.region
        self.repaired["price in another notation"] += (
            not row["unit_price"].replace(".", "").isdigit()
        )


def _day(text: str) -> date:
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise Unusable("a date that is none")


def _region(text: str) -> str:
    name = text.strip().capitalize()
    if name not in REGIONS:
        raise Unusable("an unknown region")
    return name


def _quantity(text: str) -> int:
    if not text.strip().isdecimal() or int(text) == 0:
        raise Unusable("a quantity that is none")
    return int(text)


def _cents(text: str) -> int:
    for currency in CURRENCIES:
        text = text.replace(currency, "")
    try:
        cents = Decimal(text.strip().replace(",", ".")) * 100
    except InvalidOperation:
        raise Unusable("a price that is none") from None
    if cents <= 0 or cents != int(cents):
        raise Unusable("a price that is none")
    return int(cents)


def write_sales(sales: Iterable[Sale], path: Path) -> int:
    """Write clean rows; answers how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Sale._fields)
        for sale in sales:
            writer.writerow(sale)
            count += 1
    return count


def read_sales(path: Path) -> Iterator[Sale]:
    """Read what `write_sales` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Sale(
                row["order_id"],
                date.fromisoformat(row["day"]),
                row["region"],
                row["product"],
                int(row["quantity"]),
                int(row["price_cents"]),
            )
