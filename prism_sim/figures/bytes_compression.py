"""What compressing saves: bytes against the compression rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.latency_compression import draw_against_compression

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "bytes-compression"


def draw_bytes_compression(table: DataFrame, *, title: str = "") -> Figure:
    """Bytes that all devices send. table: `sent_bytes`, `compression_rate` (null where there is none), `strategy`."""
    return draw_against_compression(table, NAME, ("sent_bytes",), title)


PLOT = Plot(
    NAME,
    "bytes that all devices send, against the compression rate",
    draw_bytes_compression,
    ("sent_bytes", "compression_rate", "strategy"),
)
