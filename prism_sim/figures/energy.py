"""What an inference costs in joules, by strategy and number of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.bars import bar_figure, bar_labels
from prism_sim.figures.base import Plot
from prism_sim.figures.charts import Chart, draw_chart
from prism_sim.figures.panels import PanelLine
from prism_sim.figures.quantities import RESULTS, is_field
from prism_sim.figures.rows import checked, counts_devices, numeric
from prism_sim.figures.style import EDGE, plain, strategy_style
from prism_sim.units_text import joules_text

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "energy"
COLUMNS = ("energy_j", "strategy")


def draw_energy(table: DataFrame, *, x: str = "", title: str = "") -> Figure:
    """Lines along x (default: `n_ranks` if strategies vary it), else bars, one a row.

    table: `energy_j`, of all devices that take part in one request, and `strategy`.
    Raises ValueError for a missing column, nothing to draw, or too many bars.
    """
    rows = checked(table, NAME, *COLUMNS, *([x] if x else []))
    x = x or ("n_ranks" if _grows(rows) else "")
    if x:
        chart = Chart(NAME, numeric(rows, NAME, x), x, ("energy_j",), title, across=_across)
        return draw_chart(chart)
    return _bars(rows, title)


def _grows(rows: DataFrame) -> bool:
    """Whether a strategy has several numbers of devices where nothing else differs but what counts them."""
    if "n_ranks" not in rows:
        return False
    fields = [column for column in rows if is_field(column) and not counts_devices(column)]
    fields = [field for field in fields if not field.startswith("strategy.")]
    alike = rows.assign(place=rows[["strategy", *fields]].map(str).agg("|".join, axis="columns")).groupby("place")
    return bool((alike["n_ranks"].nunique() > 1).any())


def _across(line: PanelLine) -> bool:
    return line.strategy == "single" and len(line.x) == 1


def _bars(rows: DataFrame, title: str) -> Figure:
    joules = [float(value) for value in rows["energy_j"]]
    factor, unit = RESULTS["energy_j"].scale(joules)
    ends = [value / factor for value in joules]
    with bar_figure(bar_labels(rows, NAME), ends, [joules_text(value) for value in joules], title) as figure:
        axes = figure.axes[0]
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


PLOT = Plot(NAME, "joules per inference, by strategy and number of devices", draw_energy, COLUMNS)
