"""Latency along any swept number, with the places where it pays to distribute; speed-up along the devices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.charts import Chart, draw_chart
from prism_sim.figures.frame import is_wide
from prism_sim.figures.panels import PanelLine
from prism_sim.figures.rows import canonical, checked, named_text, numeric, varying, with_references
from prism_sim.figures.style import FAINT, strategy_style

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "latency"
BANDWIDTH = "network.bandwidth"
SPEEDUP = "versus_single_speedup"
STEP_POINTS = 8  # of lines of small text
MOST_TEXTS = 3  # break-evens of a panel whose place is written


def draw_latency(table: DataFrame, *, x: str = "", title: str = "") -> Figure:
    """A line a strategy along x (default: the one swept field of numbers), a ring where it meets the single device.

    table: `latency_s`, `strategy` and x. Raises ValueError for a missing column, nothing to draw, or no x.
    """
    return _draw_along(table, NAME, x or swept_number(canonical(table), NAME), title)


def draw_latency_bandwidth(table: DataFrame, *, x: str = BANDWIDTH, title: str = "") -> Figure:
    """A line a strategy. table: `latency_s`, `strategy` and `network.bandwidth`, or another field x (`network.up`)."""
    return _draw_along(table, "latency-bandwidth", x, title)


def draw_token_time(table: DataFrame, *, x: str = "", title: str = "") -> Figure:
    """Time to the first token and per later one, a line a strategy, along x (default: the one swept number).

    table: `ttft_s`, `tpot_s`, `strategy` and x.
    """
    return _draw_tokens(table, "token-time", ("ttft_s", "tpot_s"), x, title)


def draw_token_rate(table: DataFrame, *, x: str = "", title: str = "") -> Figure:
    """Tokens a second, a line a strategy, along x (default: the one swept number, as devices or bandwidth)."""
    return _draw_tokens(table, "token-rate", ("tokens_per_s",), x, title)


def _draw_tokens(table: DataFrame, plot: str, columns: tuple[str, ...], x: str, title: str) -> Figure:
    along = x or swept_number(canonical(table), plot)
    return draw_chart(
        Chart(plot, numeric(checked(table, plot, *columns, along, "strategy"), plot, along), along, columns, title)
    )


def draw_speedup_devices(table: DataFrame, *, x: str = "n_ranks", title: str = "") -> Figure:
    """A line a strategy, and the ideal one. table: `versus_single_speedup`, `strategy`, and `n_ranks` or another x."""
    plot = "speedup-devices"
    rows = numeric(checked(table, plot, SPEEDUP, x, "strategy"), plot, x)
    spread = rows[rows["strategy"] != "single"]
    return draw_chart(Chart(plot, spread if len(spread) else rows, x, (SPEEDUP,), title, ideal=True))


def _draw_along(table: DataFrame, plot: str, x: str, title: str) -> Figure:
    rows = numeric(with_references(checked(table, plot, "latency_s", x, "strategy")), plot, x)

    def mark(axes: Axes, shown: Sequence[PanelLine], factors: tuple[float, float]) -> None:
        _mark_break_evens(axes, shown, factors, x)

    return draw_chart(Chart(plot, rows, x, ("latency_s",), title, decorate=mark))


def swept_number(table: DataFrame, plot: str) -> str:
    """The one swept field of numbers, those of a strategy's options aside. Raises ValueError if there is not one."""
    numbers = [field for field in varying(table) if table[field].map(lambda value: isinstance(value, Real)).all()]
    numbers = [field for field in numbers if not field.startswith("strategy.")] or numbers
    if len(numbers) != 1:
        found = ", ".join(numbers) or "none"
        raise ValueError(f"{plot} needs to know along which field: --x FIELD; fields of numbers that vary: {found}")
    return numbers[0]


def crossings(own: PanelLine, other: PanelLine) -> Iterator[tuple[float, float]]:
    """Places (x, y) between neighbouring points where two lines meet, straight on logarithmic axes where x is wide."""
    level = dict(zip(other.x, other.y, strict=True))
    both = [(x, y, level[x]) for x, y in zip(own.x, own.y, strict=True) if x in level and x > 0]
    for (x, y, z), (x_next, y_next, z_next) in pairwise(both):
        gap, gap_next = math.log(y / z), math.log(y_next / z_next)
        if gap * gap_next < 0:
            share = gap / (gap - gap_next)
            wide = is_wide([one[0] for one in both])
            at = x * (x_next / x) ** share if wide else x + share * (x_next - x)
            yield at, z * (z_next / z) ** share


def _mark_break_evens(axes: Axes, shown: Sequence[PanelLine], factors: tuple[float, float], x: str) -> None:
    singles = [line for line in shown if line.strategy == "single"]
    met = [
        (at, level, line.strategy)
        for single in singles[:1]
        for line in shown
        if line.strategy != "single"
        for at, level in crossings(line, single)
    ]
    for number, (at, level, strategy) in enumerate(sorted(met)):
        place = (at / factors[0], level / factors[1])
        axes.plot(
            *place,
            marker="o",
            markersize=6.5,
            markerfacecolor="none",
            markeredgecolor=strategy_style(strategy).colour,
            markeredgewidth=1.2,
            linestyle="none",
            label="as fast as single" if number == 0 else None,
            zorder=5,
        )
    if 0 < len(met) <= MOST_TEXTS:
        _write_above(axes, [(at / factors[0], named_text(x, at)) for at, _, _ in sorted(met)])


def _write_above(axes: Axes, places: Sequence[tuple[float, str]]) -> None:
    """Texts above the axes, where they cover no data, with lines down; each a step higher than the one before."""
    for number, (at, text) in enumerate(places):
        axes.axvline(at, color=FAINT, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        axes.annotate(
            text,
            (at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + STEP_POINTS * number),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    if title := axes.get_title(loc="left"):
        axes.set_title(title, loc="left", fontsize=8, parse_math=False, pad=6 + STEP_POINTS * len(places))


PLOTS = (
    Plot(
        NAME, "latency along a swept field of numbers (--x), with break-evens", draw_latency, ("latency_s", "strategy")
    ),
    Plot(
        "latency-bandwidth",
        "latency against bandwidth, with break-evens against one device",
        draw_latency_bandwidth,
        ("latency_s", BANDWIDTH, "strategy"),
    ),
    Plot(
        "token-time",
        "time to first token and per output token along a swept field of numbers (--x)",
        draw_token_time,
        ("ttft_s", "tpot_s", "strategy"),
    ),
    Plot(
        "token-rate",
        "tokens a second along a swept field of numbers, such as devices or bandwidth (--x)",
        draw_token_rate,
        ("tokens_per_s", "strategy"),
    ),
    Plot(
        "speedup-devices",
        "speed-up over one device against the number of devices",
        draw_speedup_devices,
        (SPEEDUP, "n_ranks", "strategy"),
    ),
)
