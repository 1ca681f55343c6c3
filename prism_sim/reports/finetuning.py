"""What `prism-sim finetune` shows: how far it is and, at the end, how good the model is and how it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from prism_sim.loss.finetune import FinetuneRequest
from prism_sim.reports.tables import new_table
from prism_sim.training.references import Obtained

if TYPE_CHECKING:
    pass


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
