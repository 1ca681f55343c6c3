"""Horizontal bars, one a named row: what parts and energies share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prism_sim.figures.frame import add_legend, add_title
from prism_sim.figures.rows import named_text, varying
from prism_sim.figures.style import COLUMN_INCHES, WIDE_INCHES, look, new_figure, plain

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_BARS = 40
LONGEST_NAME = 16  # characters that leave room for bars in one column
ROOM_FOR_TEXT = 1.12  # of the longest bar in a wide figure; its figure is written behind it


@contextmanager
def bar_figure(names: Sequence[str], totals: Sequence[float], texts: Sequence[str], title: str) -> Iterator[Figure]:
    """A figure with one axes whose rows have these names; bars are drawn within. texts: written behind the bars."""
    width = WIDE_INCHES if max(map(len, names)) > LONGEST_NAME else COLUMN_INCHES
    with look():
        figure = new_figure(width, 1.15 + 0.26 * len(names))
        axes = figure.add_subplot()
        yield figure
        _finish(axes, names, totals, texts, ROOM_FOR_TEXT if width == WIDE_INCHES else 2 * ROOM_FOR_TEXT - 1)
        add_legend(figure, [axes])
        add_title(figure, title)


def _finish(axes: Axes, names: Sequence[str], totals: Sequence[float], texts: Sequence[str], room: float) -> None:
    for row, (total, text) in enumerate(zip(totals, texts, strict=True)):
        axes.annotate(f" {text}", (total, row), va="center", fontsize=7)
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first on top
    axes.set_xlim(0, room * max(totals) or 1.0)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def bar_labels(rows: DataFrame, plot: str) -> list[str]:
    """A name for each row: its strategy and over how many devices, where these vary, and what else varies.

    Raises ValueError for more rows than bars can be read.
    """
    if len(rows) > MOST_BARS:
        raise ValueError(
            f"{plot}: {len(rows)} rows make too many bars to read; keep some, as in --where 'FIELD=VALUE' "
            f"(at most {MOST_BARS}; fields that vary: {', '.join(varying(rows)) or 'none'})"
        )
    fields = [field for field in varying(rows) if not (field == "ranks" and "n_ranks" in rows)]
    many = "strategy" in rows and rows["strategy"].nunique() > 1
    counted = "n_ranks" in rows and rows["n_ranks"].nunique() > 1
    labels = []
    for _, row in rows.iterrows():
        words = [str(row["strategy"])] if many or (not (fields or counted) and "strategy" in rows) else []
        if counted and row["n_ranks"] > 1:
            words = [f"{' '.join(words)} x{row['n_ranks']:.0f}".strip()]
        own = [field for field in fields if not (field.startswith("strategy.") and row.get("segments") != row[field])]
        words += [named_text(field, row[field]) for field in own]
        labels.append(", ".join(words))
    return labels
