"""What `prism-sim accuracy` shows: a row for each way to answer the task, and the loss over seeds."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.reports.accuracy import difference_text, interval_text, show_notes, value_text
from prism_sim.reports.tables import new_table
from prism_sim.study.curve import Curve, Point
from prism_sim.units_text import seconds_text


def show_curve(found: Curve, console: Console) -> None:
    """One table; with several seeds, one of their means too."""
    first = found.points[0].accuracy
    metric = found.metric.replace("_", " ")
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    console.print(f"{first.task}: {metric} on {first.n} test examples, 95 % intervals", style="dim")
    show_notes(first, console)
    several = len({point.seed for point in found.points}) > 1
    table = _table(found, *(["seed"] if several else []), metric, "less undistributed")
    for point in found.points:
        accuracy = point.accuracy
        seed = [str(point.seed)] if several else []
        values = [interval_text(found.metric, accuracy.distributed), difference_text(found.metric, accuracy.difference)]
        table.add_row(*_way(found, point), *seed, *values)
    console.print(table)
    if several:
        pooled = _table(found, "seeds", f"mean {metric}", "less undistributed", title="Over seeds")
        for one in found.over_seeds():
            values = [value_text(found.metric, one.mean), difference_text(found.metric, one.difference)]
            pooled.add_row(*_way(found, one.points[0]), str(len(one.points)), *values)
        console.print(pooled)
    console.print()


def _table(found: Curve, *more: str, title: str = "") -> Table:
    names = ["checkpoint"] if _checkpoints(found) > 1 else []
    return new_table("", *names, "L", "CR", "latency", *more, title=title)


def _way(found: Curve, point: Point) -> list[str]:
    segments, rate = point.simulation.compression
    compressors = {one.compressor for one in found.points if one.compressor is not None}
    name = point.compressor if point.compressor is not None and len(compressors) > 1 else point.strategy
    return [
        name,
        *([point.checkpoint] if _checkpoints(found) > 1 else []),
        "" if segments is None else str(segments),
        "" if rate is None else f"{rate:.3g}",
        seconds_text(point.simulation.latency_s),
    ]


def _checkpoints(found: Curve) -> int:
    return len({point.checkpoint for point in found.points})
