"""prism-sim compare: every strategy on the same hardware, and a verdict."""

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
    from prism_sim.choice.compare import Comparison


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")
    takes_json(parser)
    takes_out(parser, "compare.json and parts.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.choice.compare import compare
    from prism_sim.reports.compare import show_comparison

    scenario = load(options)
    with progress(f"comparing strategies on {scenario.name}") as tell:
        found = compare(scenario, numerics=not options.no_numerics, progress=tell)
        described = found.to_json()
    deliver(Answer("compare", described, partial(show_comparison, found), lambda: _files(found)), options)
    return 0


def _files(found: Comparison) -> Mapping[str, Content]:
    from prism_sim.figures.bars import draw_parts
    from prism_sim.figures.style import saved

    bars = [
        (name, candidate.simulation.timeline.breakdown_s)
        for name, candidate in found.named()
        if candidate.simulation is not None
    ]
    return {"parts.png": saved(draw_parts(bars, found.scenario.name))}


COMMAND = Command("compare", "every strategy on the same hardware, one table, a verdict", prepare, run, Purpose.ASK, 2)
