"""What `prism-sim train` shows: how far it is and, at the end, how good the model is and where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from prism_sim.reports.tables import new_table
from prism_sim.training.references import Obtained, TrainingRequest

if TYPE_CHECKING:
    from prism_sim.training.loop import Watch
    from prism_sim.training.state import TrainingPoint


@contextmanager
def progress_bar(order: TrainingRequest, console: Console) -> Iterator[Watch]:
    """Steps, mean loss of late, the main metric on validation examples, and the time that is left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    metric = order.task.metrics[0].replace("_", " ")
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(f"training {order.task.name}", total=order.recipe.steps)

        def watch(done: int, steps: int, point: TrainingPoint) -> None:
            validated = "" if point.validation is None else f", {metric} {point.validation:.4g}"
            progress.update(bar, description=f"loss {point.loss:.3f}{validated}", completed=done, total=steps)

        yield watch


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
