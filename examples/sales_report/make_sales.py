"""Makes sales.csv, the same bytes every time: `python -m examples.sales_report.make_sales`.

A year of a tea shop's sales in four regions, as it comes out of cash registers that nobody keeps in
step: dates in three formats, regions in any spelling, prices with commas, fields left empty, rows
exported twice.
"""

import csv
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

SALES_CSV = Path(__file__).with_name("sales.csv")
ORDERS = 4000
SEED = 20250101

Row = dict[str, str]
Damage = Callable[[Row, random.Random], None]

# Each region's share of the sales, and how much of it a year adds.
REGIONS = {"North": (1.2, 0.1), "East": (0.7, 0.9), "South": (1.0, -0.2), "West": (0.5, 0.4)}
# January to December: tea is for the winter.
SEASON = [1.05, 1.0, 0.92, 0.8, 0.72, 0.66, 0.6, 0.66, 0.85, 1.05, 1.25, 1.55]
# Price, and how often it sells.
PRODUCTS = {
    "Assam 250 g": (11.9, 5.0),
    "Darjeeling 100 g": (16.5, 4.0),
    "Earl Grey 250 g": (12.4, 5.0),
    "Genmaicha 200 g": (13.8, 3.0),
    "Rooibos 500 g": (9.9, 4.0),
    "Cast-iron teapot": (64.0, 0.6),
}
QUANTITIES = {1: 40, 2: 25, 3: 12, 4: 8, 6: 6, 12: 2}


def order(number: int, dice: random.Random) -> Row:
    """An order as every one should be."""
    month = dice.choices(range(12), SEASON)[0]
    day = date(2025, month + 1, 1) + timedelta(days=dice.randrange(28))
    shares = [share * (1 + growth * month / 11) for share, growth in REGIONS.values()]
    product = dice.choices(list(PRODUCTS), [often for _, often in PRODUCTS.values()])[0]
    return {
        "order_id": str(100_000 + number),
        "date": day.isoformat(),
        "region": dice.choices(list(REGIONS), shares)[0],
        "product": product,
        "quantity": str(dice.choices(list(QUANTITIES), list(QUANTITIES.values()))[0]),
        "unit_price": f"{PRODUCTS[product][0]:.2f}",
    }


def write_date_otherwise(row: Row, dice: random.Random) -> None:
    """A format of another register."""
    row["date"] = date.fromisoformat(row["date"]).strftime(dice.choice(["%d.%m.%Y", "%d %b %Y"]))


def write_region_otherwise(row: Row, dice: random.Random) -> None:
    """Typed by hand."""
    name = row["region"]
    row["region"] = dice.choice([name.upper(), name.lower(), f" {name} ", f"{name}  "])


def write_price_otherwise(row: Row, dice: random.Random) -> None:
    """As a register of another country prints it."""
    price = row["unit_price"]
    row["unit_price"] = dice.choice([price.replace(".", ","), f"EUR {price}", f"{price} €"])


def leave_out(field: str) -> Damage:
    """A field that nobody filled in."""

    def damage(row: Row, dice: random.Random) -> None:
        row[field] = dice.choice(["", "", "n/a", "-"])

    return damage


def spoil(field: str, *wrong: str) -> Damage:
    """A value that nobody can repair."""

    def damage(row: Row, dice: random.Random) -> None:
        row[field] = dice.choice(wrong)

    return damage


# How often each befalls a row.
DAMAGES: list[tuple[float, Damage]] = [
    (0.14, write_date_otherwise),
    (0.06, write_region_otherwise),
    (0.07, write_price_otherwise),
    (0.010, leave_out("region")),
    (0.008, leave_out("quantity")),
    (0.006, leave_out("unit_price")),
    (0.004, leave_out("date")),
    (0.005, spoil("quantity", "two", "1.5", "0", "-3")),
    (0.003, spoil("unit_price", "free", "12.4.0", "-9.90")),
    (0.004, spoil("date", "2025-02-30", "31.04.2025", "yesterday")),
    (0.002, spoil("region", "Nroth", "head office")),
]
TWICE = 0.025


def rows() -> list[Row]:
    """The whole file, in the order of the registers' exports."""
    dice = random.Random(SEED)
    made: list[Row] = []
    for number in range(ORDERS):
        row = order(number, dice)
        for likelihood, damage in DAMAGES:
            if dice.random() < likelihood:
                damage(row, dice)
        made.append(row)
        if dice.random() < TWICE:
            made.append(dict(dice.choice(made[-200:])))
    return made


def main() -> None:
    """Write the file."""
    made = rows()
    with SALES_CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
