"""prism-sim loss: in which blocks, on which ranks and how far from the border outputs lose accuracy."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    base.takes_json(parser)
    base.takes_out(parser, "loss.json, blocks.png and distance.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.loss.loss import loss
    from prism_sim.reports.loss import show_loss

    scenario = base.load(options)
    with base.progress(f"following the residual stream of {scenario.name}") as tell:
        found = loss(scenario, tell)

    def files() -> base.Files:
        from prism_sim.figures.loss import draw_loss_blocks, draw_loss_distance
        from prism_sim.figures.style import saved

        table, title = found.table(), f"{found.scenario.name}: {found.simulation.job.strategy}"
        made: base.Files = {"blocks.png": saved(draw_loss_blocks(table, title=title))}
        if found.distances:
            made["distance.png"] = saved(draw_loss_distance(table, title=title))
        return made

    return base.deliver(base.Answer("loss", found.to_json(), partial(show_loss, found), files), options)


COMMAND = base.Command(
    "loss", "where a scenario's outputs lose accuracy: block, rank, distance", prepare, run, base.ACCURACY, 4
)
