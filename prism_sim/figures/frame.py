"""What surrounds the data: logarithmic axes in plain numbers, the title and the legend."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from prism_sim.figures.quantities import short
from prism_sim.figures.style import look, new_figure

LOGARITHMIC_FROM = 8.0  # largest over smallest value
LETTERS_PER_INCH = 14  # of a figure's title
LINE_INCHES = 0.16  # of a title or legend


def is_wide(amounts: Sequence[float]) -> bool:
    """Whether amounts read better on a logarithmic axis."""
    return min(amounts) > 0 and max(amounts) / min(amounts) >= LOGARITHMIC_FROM


def log_axis(axis: Axis, least: float, most: float, points: Sequence[float] = (), narrow: bool = False) -> None:
    """A logarithmic axis with plain numbers: at 1, 2, 5 and their decades, or at powers of two if all points are."""
    name = "x" if axis is axis.axes.xaxis else "y"
    margin = (most / least) ** 0.05
    axis.axes.set(**{f"{name}scale": "log", f"{name}lim": (least / margin, most * margin)})
    if len(points) > 1 and all(math.log2(point).is_integer() for point in points) and len(points) <= 10:
        axis.set_major_locator(FixedLocator(list(points)))
        axis.set_minor_locator(FixedLocator([]))
    else:
        subs = (1.0,) if most / least > (30 if narrow else 150) else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


@contextmanager
def framed(width_inches: float, height_inches: float, title: str, **subplot: Any) -> Iterator[tuple[Figure, Axes]]:
    """A new figure and its only axes, to be drawn into; the legend of what was drawn, and the title, come last."""
    with look():
        figure = new_figure(width_inches, height_inches)
        axes = figure.add_subplot(**subplot)
        yield figure, axes
        add_legend(figure, [axes])
        add_title(figure, title)


def add_title(figure: Figure, title: str) -> None:
    """On the left, in as many lines as it takes."""
    if title:
        wrapped = "\n".join(textwrap.wrap(title, round(LETTERS_PER_INCH * figure.get_figwidth())))
        figure.set_figheight(figure.get_figheight() + LINE_INCHES * (1 + wrapped.count("\n")))
        figure.suptitle(wrapped, x=0.01, ha="left", fontsize=9, parse_math=False)


def add_legend(figure: Figure, every: Sequence[Axes]) -> None:
    """Below everything, each entry once, so that it covers no data."""
    entries: dict[str, Artist] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if entries:
        longest = max(map(len, entries))
        fitting = max(1, int(figure.get_figwidth() / (0.5 + 0.055 * longest)))  # inches of a handle and of a letter
        figure.set_figheight(figure.get_figheight() + LINE_INCHES * math.ceil(len(entries) / fitting))
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(fitting, len(entries)),
            columnspacing=1.2,
            handlelength=2.8,
        )
