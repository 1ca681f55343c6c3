"""From which bandwidth on distributing pays: latency against bandwidth, break-even against the single device marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.latency import draw_latency_along

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "latency-bandwidth"
BANDWIDTH = "network.bandwidth"


def draw_latency_bandwidth(table: DataFrame, *, x: str = BANDWIDTH, title: str = "") -> Figure:
    """A line a strategy. table: `latency_s`, `strategy` and `network.bandwidth`, or another field x (`network.up`)."""
    return draw_latency_along(table, NAME, x, title)


PLOT = Plot(
    NAME,
    "latency against bandwidth, with break-evens against one device",
    draw_latency_bandwidth,
    ("latency_s", BANDWIDTH, "strategy"),
)
