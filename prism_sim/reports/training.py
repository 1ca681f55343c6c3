"""What `prism-sim train` shows: how far it is and, at the end, how good the model is and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from prism_sim.reports.tables import new_table
from prism_sim.training.references import Obtained, TrainingRequest

if TYPE_CHECKING:
    pass


def show_training(order: TrainingRequest, obtained: Obtained, console: Console) -> None:
    """The metrics on validation and test examples, and the folder."""
    record = obtained.record
    table = new_table("metric", "validation", "test")
    for name in order.task.metrics:
        table.add_row(name.replace("_", " "), f"{record['validation'][name]:.4g}", f"{record['test'][name]:.4g}")
    counts = record["examples"]
    console.print(
        f"{order.task.name}, seed {record['seed']}: {record['steps']} steps over {counts['train']} examples; "
        f"{counts['validation']} for validation, {counts['test']} for testing",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    console.print(table)
    how = "trained" if obtained.new else "trained before"
    console.print(f"{how}: {obtained.folder}", markup=False, highlight=False, soft_wrap=True)
