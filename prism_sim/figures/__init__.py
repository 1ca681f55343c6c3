"""Figures: one a file, results in, matplotlib out. A module that offers `PLOT` is in the catalogue."""

from __future__ import annotations

from functools import cache

from prism_sim.catalogue import discover
from prism_sim.figures.base import Plot


@cache
def catalogue() -> dict[str, Plot]:
    """All plots by name, in alphabetical order."""
    return {plot.name: plot for plot in discover(__name__, "PLOT", Plot)}
