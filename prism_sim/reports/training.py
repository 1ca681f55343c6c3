"""What `prism-sim train` and `finetune` show: how good the model is, where it lies and how it is used."""

from __future__ import annotations

from rich.console import Console

from prism_sim.loss.finetune import FinetuneRequest
from prism_sim.reports.tables import new_table
from prism_sim.training.references import Obtained, TrainingRequest


def show_training(order: TrainingRequest, obtained: Obtained, console: Console) -> None:
    """The metrics on validation and test examples, and the folder."""
    record = obtained.record
    table = new_table("metric", "validation", "test")
    for name in order.task.metrics:
        table.add_row(name.replace("_", " "), f"{record['validation'][name]:.4g}", f"{record['test'][name]:.4g}")
    counts = record["examples"]
    _print(
        console,
        f"{order.task.name}, seed {record['seed']}: {record['steps']} steps over {counts['train']} examples; "
        f"{counts['validation']} for validation, {counts['test']} for testing",
    )
    console.print(table)
    how = "trained" if obtained.new else "trained before"
    _print(console, f"{how}: {obtained.folder}")


def show_finetuning(order: FinetuneRequest, obtained: Obtained, console: Console) -> None:
    """The metrics on validation examples, and the folder."""
    record = obtained.record
    segments = record["segments"]
    drawn = f", L = {segments[0]} to {segments[1]}" if order.segments else f", L = {segments}" if segments else ""
    table = new_table("metric", record["strategy"], "undistributed", title="On validation examples")
    for name, value in record["validation"].items():
        table.add_row(name.replace("_", " "), f"{value:.4g}", f"{record['validation_undistributed'][name]:.4g}")
    _print(
        console,
        f"{record['task']}, from {record['from']}: {record['steps']} steps through {record['strategy']} over "
        f"{record['ranks']} rank(s){drawn}, seed {record['seed']}",
    )
    console.print(table)
    how = "fine-tuned" if obtained.new else "fine-tuned before"
    _print(console, f"{how}: {obtained.folder}")
    _print(console, "use it: --set task.checkpoint=FOLDER", "dim")


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
