"""Where the latency goes, strategy by strategy: stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.style import PART_COLOURS, WIDE_INCHES, look, new_figure
from prism_sim.units_text import seconds_text

PLOT = Plot("parts", "parts of the latency, stacked, a bar a strategy", "prism-sim compare SCENARIO --out DIR")

HATCHES = {"staging": "....", "transfer": "////", "queue": "xxxx"}  # told apart in greyscale


def draw_parts(bars: Sequence[tuple[str, Mapping[str, float]]], title: str) -> Figure:
    """bars: a name, and seconds of each part of the critical path; drawn from the top down.

    Raises ValueError if there is no bar.
    """
    if not bars:
        raise ValueError("there is no bar to draw: give at least one strategy's parts")
    longest_s = max(sum(parts.values()) for _, parts in bars)
    scale, unit = (1e3, "ms") if longest_s < 10 else (1.0, "s")
    with look():
        figure = new_figure(WIDE_INCHES, 1.2 + 0.28 * len(bars))
        axes = figure.add_subplot()
        left = [0.0] * len(bars)
        for part in bars[0][1]:
            widths = [scale * parts[part] for _, parts in bars]
            if any(widths):
                axes.barh(
                    range(len(bars)),
                    widths,
                    left=left,
                    height=0.7,
                    label=part,
                    color=PART_COLOURS[part],
                    hatch=HATCHES.get(part),
                    edgecolor="#555555",
                    linewidth=0.3,
                )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        for row, total in enumerate(left):
            axes.annotate(f" {seconds_text(total / scale)}", (total, row), va="center", fontsize=7)
        axes.set_yticks(range(len(bars)), [name for name, _ in bars])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.12 * max(left))
        axes.set_xlabel(f"latency ({unit})")
        axes.set_title(title, loc="left", parse_math=False)
        axes.grid(axis="y", visible=False)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), columnspacing=1.2)
    return figure
