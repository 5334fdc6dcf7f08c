"""The picture: a bar a month, stacked by region."""

from datetime import date

import pygal
from pygal.style import Style

from examples.sales_report.values import ByMonth, ByRegion, Settings, money

# Told apart without colour vision, too: each is darker or lighter than its neighbours.
COLOURS = ("#12545c", "#e3a53b", "#b4483a", "#9db4c4")
INK = "#22313a"
SOFT_INK = "#5d6b73"
LINES = "#d8dee2"

# What a style has no name for: the axis' title is smaller than the chart's, and the axes are as
# quiet as the guides.
DETAILS = f"""inline:
text.title[transform] {{ font-size: 15px !important; fill: {SOFT_INK} !important }}
.axis text.major {{ fill: {SOFT_INK} !important }}
.axis > path.line, .axis .major.line {{ stroke: {LINES} !important }}
"""


def chart_svg(by_region: ByRegion, by_month: ByMonth, settings: Settings) -> bytes:
    """Draw it: the largest region at the bottom, the totals in the legend."""
    months = list(by_month.months)
    chart = pygal.StackedBar(
        style=style(),
        css=("file://style.css", "file://graph.css", DETAILS),
        title=f"{settings.company}: sales by month and region, {years(months)}",
        x_labels=[label(month) for month in months],
        y_title=f"revenue in {settings.currency}",
        value_formatter=lambda value: f"{value:,.0f}",
        width=1000,
        height=560,
        margin=24,
        spacing=14,
        range=(0, 1.08 * max(map(by_month.revenue_cents, months)) / 100),
        max_scale=7,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(by_region.regions),
        legend_box_size=14,
        truncate_legend=-1,
        js=(),  # else the picture would load a script from the net
    )
    for region, totals in by_region.regions.items():
        cents = [by_month.months[month].get(region, 0) for month in months]
        legend = f"{region}  {money(totals.revenue_cents, settings.currency)}"
        chart.add(legend, [cent / 100 for cent in cents])
    return bytes(chart.render())


def style() -> Style:
    """Quiet paper, strong bars."""
    return Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground=SOFT_INK,
        foreground_strong=INK,
        foreground_subtle=SOFT_INK,
        guide_stroke_color=LINES,
        guide_stroke_dasharray="1,0",
        major_guide_stroke_color=LINES,
        major_guide_stroke_dasharray="1,0",
        opacity="1",
        opacity_hover=".85",
        stroke_opacity="0",
        colors=COLOURS,
        font_family="Helvetica, Arial, 'DejaVu Sans', sans-serif",
        title_font_size=22,
        label_font_size=14,
        major_label_font_size=14,
        legend_font_size=15,
    )


def label(month: str) -> str:
    """`2025-01` as `Jan`."""
    return date.fromisoformat(f"{month}-01").strftime("%b")


def years(months: list[str]) -> str:
    """`2025`, or `2024 to 2025`."""
    first, last = months[0][:4], months[-1][:4]
    return first if first == last else f"{first} to {last}"
