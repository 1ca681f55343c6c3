"""prism-sim loss: in which blocks, on which ranks and how far from the border outputs lose accuracy."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from prism_sim.commands.base import (
    Answer,
    Command,
    Content,
    Purpose,
    deliver,
    load,
    progress,
    takes_json,
    takes_out,
    takes_scenario,
)

if TYPE_CHECKING:
    from prism_sim.loss.loss import Loss


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    takes_json(parser)
    takes_out(parser, "loss.json, blocks.png and distance.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.loss.loss import loss
    from prism_sim.reports.loss import show_loss

    scenario = load(options)
    with progress(f"following the residual stream of {scenario.name}") as tell:
        found = loss(scenario, tell)
    deliver(Answer("loss", found.to_json(), partial(show_loss, found), lambda: _files(found)), options)
    return 0


def _files(found: Loss) -> Mapping[str, Content]:
    from prism_sim.figures.loss import draw_loss_blocks, draw_loss_distance
    from prism_sim.figures.style import saved

    table, title = found.table(), f"{found.scenario.name}: {found.simulation.job.strategy}"
    files: dict[str, Content] = {"blocks.png": saved(draw_loss_blocks(table, title=title))}
    if found.distances:
        files["distance.png"] = saved(draw_loss_distance(table, title=title))
    return files


COMMAND = Command(
    "loss", "where a scenario's outputs lose accuracy: block, rank, distance", prepare, run, Purpose.ACCURACY, 4
)
