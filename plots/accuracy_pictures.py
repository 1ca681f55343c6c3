"""The pictures of docs/accuracy.md, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accuracy_cases import LOSSLESS
from accuracy_study import Equal, Measured
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from prism_sim.figures import draw_accuracy_compression, draw_loss_blocks
from prism_sim.figures.frame import add_legend, add_title
from prism_sim.figures.style import FAINT, MARKERS, RANK_COLOURS, WIDE_INCHES, look, new_figure
from prism_sim.reports.accuracy import is_share

TITLES = {
    "digits": "Handwritten digits, a small ViT on two ESP32-S3",
    "python-manual": "Chapters of a manual, a small BERT on two ESP32-S3",
    "python-text": "The next token, a small GPT-2 on two Raspberry Pi 5",
}


def pictures(found: Sequence[Measured]) -> Iterator[tuple[str, Figure]]:
    """Each with the name of its file."""
    for one in found:
        name = one.case.task
        rows = [point.to_row() for point in one.curve.points if point.compressor != LOSSLESS]
        yield f"accuracy-{name}", draw_accuracy_compression(DataFrame(rows), title=TITLES[name])
        for checkpoint, loss in one.losses.items():
            title = f"{name}, {checkpoint}: where the error arises, L = {loss.simulation.compression[0]}"
            yield f"blocks-{name}-{checkpoint.replace(' ', '-')}", draw_loss_blocks(loss.table(), title=title)
    yield "equal-bytes", draw_equal_bytes(found)


def draw_equal_bytes(found: Sequence[Measured]) -> Figure:
    """What each compressor loses within the same bytes, with its interval: a panel for each task, a colour a budget."""
    most = max(len(_names(one)) for one in found)
    with look():
        figure = new_figure(WIDE_INCHES * max(1, len(found)) / 2, 1.2 + 0.2 * most)
        every = figure.subplots(1, len(found), squeeze=False)[0]
        for axes, one in zip(every, found, strict=True):
            _draw_task(axes, one)
        add_legend(figure, every)
        add_title(figure, "Compressors at equal bytes, no fine-tuning: the metric less the undistributed model's")
    return figure


def _draw_task(axes: Axes, one: Measured) -> None:
    names = _names(one)
    for number, equal in enumerate(one.equal):
        _draw_budget(axes, one, equal, number, names)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first on top
    unit = "points of " if is_share(one.curve.metric) else ""
    axes.set_xlabel(f"{one.case.task}:\n{unit}{one.curve.metric.replace('_', ' ')}")


def _draw_budget(axes: Axes, one: Measured, equal: Equal, number: int, names: Sequence[str]) -> None:
    factor = 100 if is_share(one.curve.metric) else 1
    differences = [entry.way.difference for entry in equal.entries]
    middle = [factor * found.estimate for found in differences]
    ends = (
        [factor * (found.estimate - found.low) for found in differences],
        [factor * (found.high - found.estimate) for found in differences],
    )
    rows = [names.index(entry.compressor) + 0.25 * number for entry in equal.entries]
    label = "fewer bytes" if number else "more bytes"
    colour, marker = RANK_COLOURS[number], MARKERS[number]
    axes.errorbar(middle, rows, xerr=_inside(ends), fmt=marker, color=colour, label=label, elinewidth=1)


def _inside(ends: tuple[list[float], list[float]]) -> tuple[list[float], list[float]]:
    """An interval that is shifted, as Agresti and Min's is, may not hold its estimate: then it begins there."""
    return [max(0.0, end) for end in ends[0]], [max(0.0, end) for end in ends[1]]


def _names(one: Measured) -> list[str]:
    """All compressors that fit some budget, the best of the largest budget first."""
    return list(dict.fromkeys(entry.compressor for equal in one.equal for entry in equal.entries))
