"""What `prism-sim sweep` shows: how far it is and, at the end, what came of it."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.markup import escape

from prism_sim.sweeping.blocks import REASON
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.table import SweepTable
from prism_sim.units_text import seconds_text

SHOWN_REASONS = 3


def show_sweep(table: SweepTable, grid: Grid, n_known: int, elapsed_s: float, console: Console) -> None:
    """The fastest point, and why some have no figures."""
    n_computed = len(grid.tasks) - n_known
    console.print(
        f"{table.n_points} points in {seconds_text(elapsed_s)}: {n_computed} computed"
        + (f", {n_known} known from before" if n_known else "")
        + (f", {table.n_points - len(grid.tasks)} the same as another" if table.n_points > len(grid.tasks) else "")
    )
    latencies = list(table.columns["latency_s"])
    best = min((row for row, s in enumerate(latencies) if s is not None), key=lambda row: latencies[row], default=None)
    if best is not None:
        fields = [axis.field for group in grid.groups for axis in group]
        at = ", ".join(f"{field} {_shown(table.columns[field][best])}" for field in fields)
        console.print(f"[bold]fastest: {seconds_text(latencies[best])}[/bold] at {escape(at)}", highlight=False)
    reasons = Counter(reason for reason in table.columns[REASON] if reason is not None)
    for reason, count in reasons.most_common(SHOWN_REASONS):
        console.print(f"{count} without figures: {escape(reason)}", style="yellow", highlight=False)
    if len(reasons) > SHOWN_REASONS:
        console.print(f"and {len(reasons) - SHOWN_REASONS} other reasons (column {REASON})", style="yellow")


def _shown(value: object) -> str:
    return "as in the file" if value is None else str(value)
