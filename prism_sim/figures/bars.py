"""Horizontal bars, one a named row: where the latency goes, and what an inference costs in joules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.charts import Chart, draw_chart
from prism_sim.figures.frame import framed
from prism_sim.figures.panels import PanelLine
from prism_sim.figures.quantities import RESULTS, is_field
from prism_sim.figures.rows import checked, counts_devices, named_text, numeric, varying
from prism_sim.figures.style import (
    COLUMN_INCHES,
    EDGE,
    PART_COLOURS,
    PART_HATCHES,
    WIDE_INCHES,
    plain,
    strategy_style,
)
from prism_sim.units_text import joules_text, seconds_text

if TYPE_CHECKING:
    from pandas import DataFrame

LATENCY_PARTS, ENERGY = "latency-parts", "energy"
PARTS = ("compute", "staging", "overhead", "transfer", "propagation", "queue")
COLUMNS = tuple(f"breakdown_{part}_s" for part in PARTS)
MOST_BARS = 40
LONGEST_NAME = 16  # characters that leave room for bars in one column
ROOM_FOR_TEXT = 1.12  # of the longest bar in a wide figure; its figure is written behind it


def draw_latency_parts(table: DataFrame, *, title: str = "") -> Figure:
    """A bar a row, named by its strategy and by what else varies, from the top down.

    table: seconds of each part, `breakdown_compute_s` to `breakdown_queue_s`.
    Raises ValueError for a missing column or too many rows.
    """
    rows = checked(table, LATENCY_PARTS, *COLUMNS)
    bars = [
        (label, {part: float(row[column]) for part, column in zip(PARTS, COLUMNS, strict=True)})
        for label, (_, row) in zip(_labels(rows, LATENCY_PARTS), rows.iterrows(), strict=True)
    ]
    return draw_parts(bars, title)


def draw_parts(bars: Sequence[tuple[str, Mapping[str, float]]], title: str) -> Figure:
    """bars: a name, and seconds of each part of the critical path; drawn from the top down.

    Raises ValueError if there is no bar.
    """
    if not bars:
        raise ValueError("there is no bar to draw: give at least one strategy's parts")
    totals_s = [sum(parts.values()) for _, parts in bars]
    factor, unit = RESULTS["latency_s"].scale(totals_s)
    texts = [seconds_text(total) for total in totals_s]
    with _bar_axes([name for name, _ in bars], [total / factor for total in totals_s], texts, title) as (figure, axes):
        left = [0.0] * len(bars)
        for part in bars[0][1]:
            widths = [parts[part] / factor for _, parts in bars]
            if any(widths):
                axes.barh(
                    range(len(bars)),
                    widths,
                    left=left,
                    height=0.7,
                    label=part,
                    color=PART_COLOURS[part],
                    hatch=PART_HATCHES.get(part),
                    edgecolor=EDGE,
                    linewidth=0.3,
                )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_xlabel(RESULTS["latency_s"].axis_label(unit))
    return figure


def draw_energy(table: DataFrame, *, x: str = "", title: str = "") -> Figure:
    """Lines along x (default: `n_ranks` if strategies vary it), else bars, one a row.

    table: `energy_j`, of all devices that take part in one request, and `strategy`.
    Raises ValueError for a missing column, nothing to draw, or too many bars.
    """
    rows = checked(table, ENERGY, "energy_j", "strategy", *([x] if x else []))
    x = x or ("n_ranks" if _grows(rows) else "")
    if not x:
        return _energy_bars(rows, title)
    return draw_chart(Chart(ENERGY, numeric(rows, ENERGY, x), x, ("energy_j",), title, across=_is_alone))


def _is_alone(line: PanelLine) -> bool:
    return line.strategy == "single" and len(line.x) == 1


def _grows(rows: DataFrame) -> bool:
    """Whether a strategy has several numbers of devices where nothing else differs but what counts them."""
    if "n_ranks" not in rows:
        return False
    fields = [column for column in rows if is_field(column) and not counts_devices(column)]
    fields = [field for field in fields if not field.startswith("strategy.")]
    alike = rows.assign(place=rows[["strategy", *fields]].map(str).agg("|".join, axis="columns")).groupby("place")
    return bool((alike["n_ranks"].nunique() > 1).any())


def _energy_bars(rows: DataFrame, title: str) -> Figure:
    joules = [float(value) for value in rows["energy_j"]]
    factor, unit = RESULTS["energy_j"].scale(joules)
    ends = [value / factor for value in joules]
    texts = [joules_text(value) for value in joules]
    with _bar_axes(_labels(rows, ENERGY), ends, texts, title) as (figure, axes):
        strategies = list(rows["strategy"])
        for strategy in dict.fromkeys(strategies):
            own = [number for number, name in enumerate(strategies) if name == strategy]
            style = strategy_style(strategy)
            axes.barh(
                own,
                [ends[number] for number in own],
                height=0.7,
                color=style.colour,
                hatch=style.hatch,
                edgecolor="white" if style.hatch else EDGE,
                linewidth=0.3,
                label=plain(strategy),
            )
        axes.set_xlabel(RESULTS["energy_j"].axis_label(unit))
    return figure


@contextmanager
def _bar_axes(
    names: Sequence[str], totals: Sequence[float], texts: Sequence[str], title: str
) -> Iterator[tuple[Figure, Axes]]:
    """A figure with one axes whose rows have these names; bars are drawn within. texts: written behind the bars."""
    is_wide = max(map(len, names)) > LONGEST_NAME
    width, room = (WIDE_INCHES, ROOM_FOR_TEXT) if is_wide else (COLUMN_INCHES, 2 * ROOM_FOR_TEXT - 1)
    with framed(width, 1.15 + 0.26 * len(names), title) as (figure, axes):
        yield figure, axes
        for row, (total, text) in enumerate(zip(totals, texts, strict=True)):
            axes.annotate(f" {text}", (total, row), va="center", fontsize=7)
        axes.set_yticks(range(len(names)), [plain(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)  # the first on top
        axes.set_xlim(0, room * max(totals) or 1.0)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)


def _labels(rows: DataFrame, plot: str) -> list[str]:
    """A name for each row: its strategy and over how many devices, where these vary, and what else varies.

    Raises ValueError for more rows than bars can be read.
    """
    if len(rows) > MOST_BARS:
        raise ValueError(
            f"{plot}: {len(rows)} rows make too many bars to read; keep some, as in --where 'FIELD=VALUE' "
            f"(at most {MOST_BARS}; fields that vary: {', '.join(varying(rows)) or 'none'})"
        )
    fields = [field for field in varying(rows) if not (field == "ranks" and "n_ranks" in rows)]
    many = "strategy" in rows and rows["strategy"].nunique() > 1
    counted = "n_ranks" in rows and rows["n_ranks"].nunique() > 1
    labels = []
    for _, row in rows.iterrows():
        words = [str(row["strategy"])] if many or (not (fields or counted) and "strategy" in rows) else []
        if counted and row["n_ranks"] > 1:
            words = [f"{' '.join(words)} x{row['n_ranks']:.0f}".strip()]
        own = [field for field in fields if not (field.startswith("strategy.") and row.get("segments") != row[field])]
        words += [named_text(field, row[field]) for field in own]
        labels.append(", ".join(words))
    return labels


PLOTS = (
    Plot(LATENCY_PARTS, "parts of the latency, stacked, a bar a row", draw_latency_parts, COLUMNS),
    Plot(ENERGY, "joules per inference, by strategy and number of devices", draw_energy, ("energy_j", "strategy")),
)
