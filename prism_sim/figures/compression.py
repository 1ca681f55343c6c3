"""What compressing buys, at a glance: latency and bytes against the compression rate, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.latency_compression import draw_against_compression

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "compression"


def draw_compression(table: DataFrame, *, title: str = "") -> Figure:
    """table: `latency_s`, `sent_bytes`, `compression_rate` (null where there is none) and `strategy`."""
    return draw_against_compression(table, NAME, ("latency_s", "sent_bytes"), title)


PLOT = Plot(
    NAME,
    "latency and bytes against the compression rate, side by side",
    draw_compression,
    ("latency_s", "sent_bytes", "compression_rate", "strategy"),
)
