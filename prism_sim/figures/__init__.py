"""Figures: a table in, matplotlib out. A module that offers `PLOT`, or of a kin of them `PLOTS`, is in the catalogue.

`from prism_sim.figures import draw_latency_compression` gives the function of the plot `latency-compression`: it takes
a pandas DataFrame, one row a result, such as a sweep writes.
"""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from prism_sim.catalogue import collect
from prism_sim.figures.base import Plot
from prism_sim.plugins import remembered


@remembered()
def catalogue() -> dict[str, Plot]:
    """All plots by name, in alphabetical order."""
    return collect("figures", Plot)


def __getattr__(name: str) -> Callable[..., Figure]:
    """The function of a plot by its own name."""
    for plot in catalogue().values() if name.startswith("draw_") else ():
        if plot.draw.__name__ == name:
            return plot.draw
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
