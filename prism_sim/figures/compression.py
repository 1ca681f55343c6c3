"""What compressing buys: latency and bytes against the compression rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from prism_sim.figures.base import Plot
from prism_sim.figures.style import WIDE_INCHES, look, new_figure, strategy_colour

PLOT = Plot("compression", "latency and bytes against the compression rate", "python plots/compression.py SCENARIO")


@dataclass(frozen=True, slots=True)
class CompressionPoint:
    """One run of a compressing strategy. sent_bytes: by all devices together."""

    compression_rate: float
    segments: int
    latency_s: float
    sent_bytes: int


def draw_compression(
    points: Sequence[CompressionPoint],
    references: Sequence[tuple[str, float, int]],
    title: str,
    strategy: str = "prism",
) -> Figure:
    """Two panels over a logarithmic compression rate. references: (strategy, latency in s, bytes) drawn as lines.

    Raises ValueError if there is no point.
    """
    if not points:
        raise ValueError("there is no point to draw: give at least one run of a compressing strategy")
    points = sorted(points, key=lambda point: point.compression_rate)
    rates = [point.compression_rate for point in points]
    with look():
        figure = new_figure(WIDE_INCHES, 2.9)
        latency, sent = figure.subplots(1, 2)
        style = {"color": strategy_colour(strategy), "marker": "o", "label": strategy}
        latency.plot(rates, [1e3 * point.latency_s for point in points], **style)
        sent.plot(rates, [point.sent_bytes / 1e6 for point in points], **style)
        for (name, latency_s, sent_bytes), dashes in zip(references, cycle(("--", ":", "-.")), strict=False):
            line = {"color": strategy_colour(name), "linestyle": dashes, "label": name}
            latency.axhline(1e3 * latency_s, **line)
            if sent_bytes:
                sent.axhline(sent_bytes / 1e6, **line)
        latency.set_ylabel("latency (ms)")
        latency.set_ylim(bottom=0)
        sent.set_ylabel("sent by all devices (MB)")
        sent.set_yscale("log")
        for axes in (latency, sent):
            _rate_axis(axes, points)
        handles, labels = latency.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        figure.suptitle(title, x=0.01, ha="left", fontsize=9, parse_math=False)
    return figure


def _rate_axis(axes: Axes, points: Sequence[CompressionPoint]) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("compression rate CR = ⌈N/P⌉ / L")
    axes.xaxis.set_major_locator(FixedLocator([point.compression_rate for point in points]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.3g}"))
