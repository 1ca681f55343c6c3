"""What `prism-sim accuracy` shows: a row for each way to answer the task, and the loss over seeds."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from prism_sim.loss.accuracy import AccuracyPoint, Curve
from prism_sim.reports.accuracy import difference_text, interval_text, show_notes, value_text
from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.units_text import seconds_text

GAP = 2  # spaces between two columns
USUAL_COMPRESSOR = "segment_means"  # of PRISM: where all points have it, the strategy's name says enough

Row = dict[str, str]  # a cell by its column, the name first


def show_curve(found: Curve, console: Console) -> None:
    """One table, or two where the terminal is narrow; with several seeds, those of their means too."""
    first = found.points[0].accuracy
    metric = found.metric.replace("_", " ")
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    console.print(f"{first.task}: {metric} on {first.n} test examples, 95 % intervals", style="dim")
    show_notes(first, console)
    _show_uncompressed(found, console)
    several = len({point.seed for point in found.points}) > 1
    rows = []
    for point in found.points:
        accuracy = point.accuracy
        seed = {"seed": str(point.seed)} if several else {}
        values = {
            metric: interval_text(found.metric, accuracy.distributed),
            "less undistributed": difference_text(found.metric, accuracy.difference),
        }
        rows.append(_way(found, point) | seed | values)
    _show(rows, console)
    if several:
        pooled = []
        for one in found.over_seeds():
            values = {
                f"mean {metric}": value_text(found.metric, one.mean),
                "less undistributed": difference_text(found.metric, one.difference),
            }
            pooled.append(_way(found, one.points[0]) | {"seeds": str(len(one.points))} | values)
        _show(pooled, console, "Over seeds")
    console.print()


def _show_uncompressed(found: Curve, console: Console) -> None:
    """Says of an L that is too large what it means."""
    for job in (point.simulation.job for point in found.points if point.sends_every_row):
        n_rows = -(-job.n_tokens // job.n_ranks)
        note = f"note: L = {job.options.segments} sends every row, as does any from {n_rows} on: a device has no more"
        console.print(note, style="dim", highlight=False)
        return


def _show(rows: Sequence[Row], console: Console, title: str = "") -> None:
    """The last column goes below, beside what tells the rows apart, where not all fit."""
    columns = list(rows[0])
    width = sum(max(len(text) for text in (column, *(row[column] for row in rows))) + GAP for column in columns)
    told_by = [column for column in columns[:-2] if column not in ("CR", "latency")]
    for chosen in (columns,) if width <= console.width else (columns[:-1], [*told_by, columns[-1]]):
        table = new_table(*chosen, title=title)
        for row in rows:
            table.add_row(NarrowName(row[""]), *(row[column] for column in chosen[1:]))
        console.print(table)


def _way(found: Curve, point: AccuracyPoint) -> Row:
    segments, rate = point.simulation.compression
    compressors = {one.compressor for one in found.points if one.compressor is not None}
    is_told = point.compressor is not None and compressors != {USUAL_COMPRESSOR}
    checkpoint = {"checkpoint": point.checkpoint} if len({one.checkpoint for one in found.points}) > 1 else {}
    return {
        "": str(point.compressor) if is_told else point.strategy,
        **checkpoint,
        "L": "" if segments is None else str(segments),
        "CR": "" if rate is None else f"{rate:.3g}",
        "latency": seconds_text(point.simulation.latency_s),
    }
