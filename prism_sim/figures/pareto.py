"""What can be had for what: two results against each other, and the front that nothing beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from prism_sim.figures.base import Plot
from prism_sim.figures.compression import fidelity_column, fidelity_note
from prism_sim.figures.frame import framed, is_wide, log_axis
from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import checked, named_text, numeric, varying
from prism_sim.figures.style import COLUMN_INCHES, FAINT, in_order, plain, strategy_style

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "pareto"
NAME_INCHES = 0.11
MOST_NAMES = 8  # of points on the front, or within the limit


def draw_pareto(
    table: DataFrame, *, x: str = "latency_s", y: str = "", limit: float | None = None, title: str = ""
) -> Figure:
    """A point a row, filled on the front: no other row is at least as good in both and better in one.

    table: `strategy`, x and y (default: fidelity if the table has it, else `energy_j`). Which direction is better
    follows from the column: less time, energy and error, more agreement and throughput. limit: of x, in SI, drawn as a
    line. Points on the front and within the limit are named by what varies, if they are few.
    Raises ValueError for a missing column or nothing to draw.
    """
    y = y or fidelity_column(table) or "energy_j"
    rows = checked(table, NAME, x, y, "strategy")
    rows = numeric(numeric(rows, NAME, x), NAME, y).dropna(subset=[x, y]).reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"{NAME}: no row has both {x} and {y}, so there is nothing to draw")
    (x_factor, x_unit), (y_factor, y_unit) = quantity(x).scale(rows[x]), quantity(y).scale(rows[y])
    points = [(float(a) / x_factor, float(b) / y_factor) for a, b in zip(rows[x], rows[y], strict=True)]
    best = front(points, (quantity(x).better, quantity(y).better))
    with framed(COLUMN_INCHES, 2.7, title) as (figure, axes):
        if len(best) > 1:
            along = zip(*(points[number] for number in best), strict=True)
            axes.plot(*along, color=FAINT, linewidth=1, linestyle="-", label="front (filled points)", zorder=1)
        _draw_points(axes, points, list(rows["strategy"]), set(best))
        if limit is not None:
            axes.axvline(
                limit / x_factor, color="black", linewidth=0.8, linestyle=":", label=f"limit {quantity(x).text(limit)}"
            )
        within = [number for number in range(len(rows)) if limit is not None and rows[x][number] <= limit]
        named = _write_names(axes, rows, points, sorted({*best, *within}, key=lambda one: points[one]))
        figure.set_figheight(figure.get_figheight() + NAME_INCHES * named)
        for name, kind, unit in (("x", quantity(x), x_unit), ("y", quantity(y), y_unit)):
            amounts = [point[name == "y"] for point in points]
            if is_wide(amounts):
                log_axis(axes.xaxis if name == "x" else axes.yaxis, min(amounts), max(amounts))
            # an arrow to the better side; a vertical axis's label is turned, so that its left is below
            label = kind.axis_label(unit)
            axes.set(**{f"{name}label": f"← better   {label}" if kind.better == "low" else f"{label}   better →"})
        measure = fidelity_column(rows) or ""
        if measure in (x, y) and (note := fidelity_note(rows, measure)):
            axes.annotate(note, (0.98, 0.02), xycoords="axes fraction", ha="right", fontsize=6.5, color=FAINT)
    return figure


def front(points: Sequence[tuple[float, float]], better: tuple[str, str]) -> list[int]:
    """Numbers of the points that no other is at least as good as in both and better than in one, by growing x."""
    signs = tuple(1 if direction == "low" else -1 for direction in better)
    costs = [(signs[0] * x, signs[1] * y) for x, y in points]
    kept: list[int] = []
    for number in sorted(range(len(points)), key=lambda one: costs[one]):
        if not kept or costs[number][1] < costs[kept[-1]][1] or costs[number] == costs[kept[-1]]:
            kept.append(number)
    return sorted(kept, key=lambda one: points[one][0])


def _write_names(axes: Axes, rows: DataFrame, points: Sequence[tuple[float, float]], chosen: Sequence[int]) -> int:
    """Numbers beside the chosen points; above the axes, where they cover no data, what these are. Returns how many."""
    fields = [field for field in varying(rows) if not field.startswith("strategy.")]
    places: dict[tuple[float, float], int] = {}
    for number in chosen:
        places.setdefault(points[number], number)
    if not fields or len(places) > MOST_NAMES:
        return 0
    names = []
    for name, (place, number) in enumerate(places.items(), start=1):
        words = ", ".join(named_text(field, rows[field][number]) for field in fields)
        many = rows["n_ranks"][number] if "n_ranks" in rows else 1
        times = f" x{many:.0f}" if many > 1 else ""
        names.append(f"{name}  {rows['strategy'][number]}{times}: {words}")
        halo = [withStroke(linewidth=2, foreground="white")]
        looks: dict[str, Any] = {"ha": "right", "fontsize": 7, "path_effects": halo, "zorder": 4}
        axes.annotate(str(name), place, xytext=(-3, 2), textcoords="offset points", **looks)
    text = plain("\n".join(names))
    axes.annotate(text, (0, 1), xycoords="axes fraction", xytext=(0, 6), textcoords="offset points", fontsize=6.5)
    return len(names)


def _draw_points(axes: Axes, points: Sequence[tuple[float, float]], strategies: Sequence[str], best: set[int]) -> None:
    for strategy in in_order(strategies):
        style = strategy_style(strategy)
        own = [number for number, name in enumerate(strategies) if name == strategy]
        for filled in (False, True):
            chosen = [points[number] for number in own if (number in best) == filled]
            if not chosen:
                continue
            named = filled or best.isdisjoint(own)  # once a strategy, filled if it can be
            axes.plot(
                *zip(*chosen, strict=True),
                linestyle="none",
                marker=style.marker,
                markersize=5 if filled else 4,
                markerfacecolor=style.colour if filled else "white",
                markeredgecolor=style.colour,
                markeredgewidth=0.9,
                label=plain(strategy) if named else None,
                zorder=3 if filled else 2,
            )


PLOT = Plot(NAME, "two results against each other (--x, --y), with the front", draw_pareto, ("latency_s", "strategy"))
