"""One look for all charts: the figures' palette, plain numbers on axes, a title and a description for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair as alt

from prism_sim.figures.frame import is_wide
from prism_sim.figures.quantities import SECONDS, quantity
from prism_sim.figures.rows import text_of
from prism_sim.figures.style import FAINT, PART_COLOURS, Style, in_order, strategy_style
from prism_sim.units_text import seconds_text

INK, GRID = "#222222", "#DDDDDD"
HEIGHT_PIXELS, BAR_PIXELS = 280, 34  # of a chart of lines or points; of a bar, with its gap
FURTHEST = 1.12  # of the longest bar; its text is written behind it
SHAPES = {  # Vega's names of matplotlib's markers
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "triangle-right",
    "*": "triangle-left",
    "h": "wedge",
}
Layer: TypeAlias = alt.Chart | alt.LayerChart
Rows = list[dict[str, Any]]
_CONFIG: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "background": "white",
    "view": {"stroke": None},
    "title": {"anchor": "start", "color": INK, "fontSize": 14, "subtitleColor": "#555555", "subtitleFontSize": 12},
    "axisY": {"labelLimit": 170},
    "axis": {"gridColor": GRID, "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12},
    "legend": {"orient": "bottom", "columns": 3, "symbolOpacity": 1, "labelLimit": 260, "labelFontSize": 12},
}


@dataclass(frozen=True, slots=True)
class AxisAmounts:
    """A column's amounts along an axis, in the unit in which they read best.

    factor: SI amount of that unit. wide: whether they read better on a logarithmic axis.
    """

    column: str
    values: tuple[float, ...]
    factor: float
    unit: str
    wide: bool

    @staticmethod
    def of(column: str, values: Sequence[float]) -> AxisAmounts:
        finite = tuple(float(value) for value in values if math.isfinite(value))
        factor, unit = quantity(column).scale(finite)
        return AxisAmounts(column, finite, factor, unit, bool(finite) and is_wide(finite))

    @property
    def title(self) -> str:
        """The axis's: 'bandwidth (Mbit/s)'."""
        return quantity(self.column).axis_label(self.unit)

    def text(self, amount: float) -> str:
        """As in the tables."""
        return seconds_text(amount) if quantity(self.column).steps is SECONDS else quantity(self.column).text(amount)

    def scale(self, zero: bool = False) -> alt.Scale:
        """zero: begin there, unless the axis is logarithmic."""
        if self.wide:
            least, most = min(self.values) / self.factor, max(self.values) / self.factor
            margin = (most / least) ** 0.04
            return alt.Scale(type="log", domain=[least / margin, most * margin], nice=False)
        return alt.Scale(zero=zero)

    def axis(self) -> alt.Axis:
        if not self.wide:
            return alt.Axis(title=self.title)
        return alt.Axis(title=self.title, format="~g", values=self._ticks())

    def _ticks(self) -> list[float]:
        """At 1, 2, 5 and their decades, or at decades alone where they are many."""
        least, most = min(self.values) / self.factor, max(self.values) / self.factor
        digits = (1,) if most / least > 150 else (1, 2, 5)
        decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        return [digit * 10.0**decade for decade in decades for digit in digits]


def colours(styles: Mapping[str, Style]) -> alt.Color:
    """styles: by what the legend calls them."""
    found = [style.colour for style in styles.values()]
    return alt.Color("name:N", scale=alt.Scale(domain=list(styles), range=found), title=None)


def shapes(styles: Mapping[str, Style]) -> alt.Shape:
    """Of points alone: a line that is told a shape gets points of its own."""
    found = [SHAPES[style.marker] for style in styles.values()]
    return alt.Shape("name:N", scale=alt.Scale(domain=list(styles), range=found), title=None)


def dashes(styles: Mapping[str, Style]) -> alt.StrokeDash:
    """The lines' dashes, as in the figures."""
    drawn = [[1, 0] if isinstance(one.line, str) else [2 * length for length in one.line[1]] for one in styles.values()]
    return alt.StrokeDash("name:N", scale=alt.Scale(domain=list(styles), range=drawn), title=None)


def strategy_styles(strategies: Sequence[str]) -> dict[str, Style]:
    """By name, in the palette's order."""
    return {name: strategy_style(name) for name in in_order(strategies)}


def part_colours(parts: Sequence[str]) -> alt.Scale:
    """Of the parts of a latency, or the kinds of spans."""
    return alt.Scale(domain=list(parts), range=[PART_COLOURS[part] for part in parts])


def tooltips(**titles: str) -> list[alt.Tooltip]:
    """Of fields that hold texts."""
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]


def over(rows: Rows) -> alt.Chart:
    """A chart of these rows, yet to be drawn."""
    return alt.Chart(alt.InlineData(values=rows))


def layered(*layers: Layer) -> alt.LayerChart:
    """One over the other, the last above all."""
    return alt.LayerChart(layer=[*layers])


def finished(
    chart: alt.LayerChart, height: int | alt.Step, title: str, description: str, subtitle: Sequence[str]
) -> alt.LayerChart:
    """As wide as its place. description: stands for it where it is not seen. subtitle: lines, empty ones left out."""
    heading = alt.Title(title, subtitle=[line for line in subtitle if line])
    sized: alt.LayerChart = chart.properties(title=heading, description=description, width="container", height=height)
    sized.autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    made: alt.LayerChart = sized.configure(**_CONFIG)
    return made


def marked(amounts: AxisAmounts, at: float) -> alt.LayerChart:
    """A line up from where the scenario is on the x axis, with its text beside it."""
    text = f"as in the scenario: {text_of(amounts.column, at)}"
    left = _share(amounts, at) > 0.6
    base = over([{"x": at / amounts.factor, "text": text}]).encode(x="x:Q")
    rule = base.mark_rule(color=FAINT, strokeDash=[4, 3])
    words = base.mark_text(
        align="right" if left else "left", dx=-5 if left else 5, baseline="top", color="#444444", fontSize=12
    )
    return layered(rule, words.encode(y=alt.value(2), text="text:N"))


def _share(amounts: AxisAmounts, at: float) -> float:
    """How far right a place is, from 0 to 1."""
    least, most = min(amounts.values), max(amounts.values)
    if most <= least:
        return 0.0
    return math.log(at / least) / math.log(most / least) if amounts.wide else (at - least) / (most - least)
