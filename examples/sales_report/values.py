"""What the steps are given and what they answer: small, for the database keeps it all."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """The task's context."""

    model_config = ConfigDict(extra="forbid")

    company: str
    currency: str = "EUR"
    output_folder: Path = Path("sales_report_output")
    sales_csv: Path = Path(__file__).with_name("sales.csv")


class Cleaned(BaseModel):
    """The clean rows, in a file, and what became of the others."""

    clean_csv: Path
    rows_read: int
    rows_kept: int
    repaired: dict[str, int]
    dropped: dict[str, int]


class Totals(BaseModel):
    """What was sold; money in cents, for floats lose some."""

    orders: int = 0
    units: int = 0
    revenue_cents: int = 0


class ByRegion(BaseModel):
    """Totals by region, the largest first."""

    regions: dict[str, Totals]

    @property
    def revenue_cents(self) -> int:
        """Of all regions."""
        return sum(totals.revenue_cents for totals in self.regions.values())


class ByMonth(BaseModel):
    """Revenue in cents by month (`2025-01`), first to last, and in it by region."""

    months: dict[str, dict[str, int]]

    def revenue_cents(self, month: str) -> int:
        """Of all regions in a month."""
        return sum(self.months[month].values())


class Chart(BaseModel):
    """The picture's file."""

    svg: Path


def money(cents: int, currency: str) -> str:
    """`1234567` cents as `12,346 EUR`."""
    return f"{round(cents / 100):,} {currency}"


def largest_first(totals: Mapping[str, Totals]) -> dict[str, Totals]:
    """By revenue, then by name."""
    return dict(sorted(totals.items(), key=lambda pair: (-pair[1].revenue_cents, pair[0])))
