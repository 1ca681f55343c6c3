"""How far more devices help: speed-up over the terminal alone against the number of devices that take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.charts import Chart, draw_chart
from prism_sim.figures.rows import checked, numeric

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "speedup-devices"
SPEEDUP = "versus_single_speedup"
COLUMNS = (SPEEDUP, "n_ranks", "strategy")


def draw_speedup_devices(table: DataFrame, *, x: str = "n_ranks", title: str = "") -> Figure:
    """A line a strategy, and the ideal one. table: `versus_single_speedup`, `strategy`, and `n_ranks` or another x."""
    rows = numeric(checked(table, NAME, SPEEDUP, x, "strategy"), NAME, x)
    spread = rows[rows["strategy"] != "single"]
    chart = Chart(NAME, spread if len(spread) else rows, x, (SPEEDUP,), title, ideal=True)
    return draw_chart(chart)


PLOT = Plot(NAME, "speed-up over one device against the number of devices", draw_speedup_devices, COLUMNS)
