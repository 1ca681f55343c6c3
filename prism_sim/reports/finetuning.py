"""What `prism-sim finetune` shows: how far it is and, at the end, how good the model is and how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from prism_sim.loss.finetune import FinetuneRequest
from prism_sim.reports.tables import new_table
from prism_sim.training.references import Obtained

if TYPE_CHECKING:
    from collections.abc import Callable

    from prism_sim.training.loop import Watch
    from prism_sim.training.state import TrainingPoint


@contextmanager
def progress_bar(order: FinetuneRequest, console: Console) -> Iterator[tuple[Callable[[str], None], Watch]]:
    """What prints a line, and what shows steps, mean loss of late, the validation metric and the time that is left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    metric = order.task.metrics[0].replace("_", " ")
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(f"fine-tuning for {order.task.name}", total=order.recipe.steps)

        def announce(line: str) -> None:
            progress.console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

        def watch(done: int, steps: int, point: TrainingPoint) -> None:
            validated = "" if point.validation is None else f", {metric} {point.validation:.4g}"
            progress.update(bar, description=f"loss {point.loss:.3f}{validated}", completed=done, total=steps)

        yield announce, watch


def show_finetuning(order: FinetuneRequest, obtained: Obtained, console: Console) -> None:
    """The metrics on validation examples, and the folder."""
    record = obtained.record
    segments = record["segments"]
    drawn = f", L = {segments[0]} to {segments[1]}" if order.segments else f", L = {segments}" if segments else ""
    lines = [
        f"{record['task']}, from {record['from']}: {record['steps']} steps through {record['strategy']} over "
        f"{record['ranks']} rank(s){drawn}, seed {record['seed']}"
    ]
    table = new_table("metric", record["strategy"], "undistributed", title="On validation examples")
    for name, value in record["validation"].items():
        table.add_row(name.replace("_", " "), f"{value:.4g}", f"{record['validation_undistributed'][name]:.4g}")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    how = "fine-tuned" if obtained.new else "fine-tuned before"
    console.print(f"{how}: {obtained.folder}", markup=False, highlight=False, soft_wrap=True)
    console.print("use it: --set task.checkpoint=FOLDER", style="dim", markup=False, highlight=False, soft_wrap=True)
