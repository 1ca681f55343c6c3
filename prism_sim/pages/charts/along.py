"""Latency, or another result, along any number: bandwidth, compression rate, devices; a line a strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
from pandas import DataFrame

from prism_sim.figures.latency import crossings
from prism_sim.figures.panels import PanelLine, lines
from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import OF_VARIANTS, checked, named_text, numeric, text_of, varying, with_references
from prism_sim.figures.style import Style, variant_style
from prism_sim.pages.charts.look import (
    HEIGHT_PIXELS,
    INK,
    AxisAmounts,
    Layer,
    Rows,
    colours,
    dashes,
    finished,
    layered,
    marked,
    over,
    shapes,
    tooltips,
)
from prism_sim.pages.charts.rows import Results, rows_of

NAME, COMPRESSION = "a chart along a number", "compression_rate"
MOST_SAID = 3  # lines that the description names


@dataclass(frozen=True)
class Curves:
    """What is drawn: lines of SI numbers under the names of the legend, and the axes on which they lie."""

    lines: dict[str, PanelLine]
    styles: dict[str, Style]
    x: AxisAmounts
    y: AxisAmounts

    def rows(self) -> Rows:
        return [
            {
                "name": name,
                "x": x / self.x.factor,
                "y": y / self.y.factor,
                "at": named_text(self.x.column, x),
                "text": self.y.text(y),
            }
            for name, line in self.lines.items()
            for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True)
        ]


def along_chart(
    results: Results, x: str, y: str = "latency_s", present: float | None = None, title: str = ""
) -> alt.LayerChart:
    """A line a strategy, and for each variant of its options; what meets the single device has a ring there.

    results: with `strategy`, x and y; `single` and `voltage` are added where each row was compared with them.
    x: a column of numbers, as `network.bandwidth` or `compression_rate`, along which what does not compress runs
    across. present: where the scenario itself is, in SI, marked.
    Raises ValueError for a missing column, nothing to draw, or where fields beside x vary that make no variant.
    """
    curves = _curves(rows_of(results), x, y)
    line = over(curves.rows()).encode(
        x=alt.X("x:Q", scale=curves.x.scale(), axis=curves.x.axis()),
        y=alt.Y("y:Q", scale=curves.y.scale(zero=True), axis=curves.y.axis()),
        color=colours(curves.styles),
        tooltip=tooltips(name="strategy", at=quantity(x).label, text=quantity(y).label),
    )
    points = line.mark_point(filled=True, opacity=1, size=45).encode(shape=shapes(curves.styles))
    drawn: list[Layer] = [line.mark_line().encode(strokeDash=dashes(curves.styles)), points]
    met = _met(curves) if y == "latency_s" else []
    if met:
        drawn.append(_rings(met, curves))
    if present is not None:
        drawn.append(marked(curves.x, present))
    heading = title or f"{quantity(y).label.capitalize()} along {quantity(x).label}"
    ring = "rings: as fast as the single device" if met else ""
    return finished(layered(*drawn), HEIGHT_PIXELS, heading, _said(curves, met), [ring])


def _curves(table: DataFrame, x: str, y: str) -> Curves:
    if x == COMPRESSION:  # which what is sent whole has none of
        table = table.assign(compression_rate=table[x].astype(float).fillna(1.0)) if x in table else table
    rows = numeric(with_references(checked(table, NAME, y, x, "strategy")), NAME, x)
    if x == COMPRESSION:
        rows[x] = rows[x].fillna(1.0)
    if surroundings := [field for field in varying(rows, [x]) if not field.startswith(OF_VARIANTS)]:
        raise ValueError(
            f"{NAME}: {', '.join(surroundings)} vary beside {x}; keep one value of each, as rows[rows[...] == ...] does"
        )
    found = lines(rows, NAME, x, y)
    x_amounts = AxisAmounts.of(x, [value for line in found for value in line.x])
    if x == COMPRESSION:
        found = [_across(line, x_amounts) for line in found]
    named = {line.label: line for line in found}
    y_amounts = AxisAmounts.of(y, [value for line in found for value in line.y])
    return Curves(named, dict(_styles(found)), x_amounts, y_amounts)


def _across(line: PanelLine, along: AxisAmounts) -> PanelLine:
    """What is sent whole costs the same wherever the others are."""
    if max(line.x) > 1:
        return line
    ends = np.array([min(along.values), max(along.values)])
    level = np.full(2, line.y.mean())
    return replace(line, x=ends, y=level, low=level, high=level)


def _styles(found: Sequence[PanelLine]) -> Iterator[tuple[str, Style]]:
    for line in found:
        own = [one for one in found if one.strategy == line.strategy]
        yield line.label, variant_style(line.strategy, own.index(line), len(own))


def _met(curves: Curves) -> list[tuple[float, float, str]]:
    """Where a line meets the single device's: x, y in SI, and whose."""
    single = next((line for line in curves.lines.values() if line.strategy == "single"), None)
    if single is None:
        return []
    others = {name: line for name, line in curves.lines.items() if line.strategy != "single"}
    return [(at, level, name) for name, line in others.items() for at, level in crossings(line, single)]


def _rings(met: Sequence[tuple[float, float, str]], curves: Curves) -> alt.Chart:
    x = curves.x.column
    rows = [
        {
            "x": at / curves.x.factor,
            "y": level / curves.y.factor,
            "ring": name,
            "at": named_text(x, at),
            "text": curves.y.text(level),
        }
        for at, level, name in met
    ]
    rings: alt.Chart = (
        over(rows)
        .mark_point(shape="circle", size=160, filled=False, stroke=INK, strokeWidth=1.5)
        .encode(
            x="x:Q",
            y="y:Q",
            tooltip=tooltips(ring="as fast as single", at=quantity(x).label, text=quantity("latency_s").label),
        )
    )
    return rings


def _said(curves: Curves, met: Sequence[tuple[float, float, str]]) -> str:
    """'Lines: prism goes from 545 ms at 10 Mbit/s to 415 ms at 1 Gbit/s; ...'"""
    x = curves.x.column
    each = [
        f"{name} goes from {curves.y.text(line.y[0])} at {text_of(x, float(line.x[0]))} "
        f"to {curves.y.text(line.y[-1])} at {text_of(x, float(line.x[-1]))}"
        for name, line in [*curves.lines.items()][:MOST_SAID]
    ]
    rings = [f"{name} is as fast as single at {text_of(x, at)}" for at, _, name in met[:MOST_SAID]]
    more = ["and others"] if len(curves.lines) > MOST_SAID else []
    label = f"{quantity(curves.y.column).label} along {quantity(x).label}"
    return f"Lines of {label}: {'; '.join([*each, *more, *rings])}."
