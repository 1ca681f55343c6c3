"""prism-sim run: latency, bytes and outputs of one scenario, and a verdict."""

from __future__ import annotations

import argparse
import json
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
    from prism_sim.choice.result import RunResult


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")
    takes_json(parser)
    takes_out(parser, "run.json, plan.json and timeline.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.choice.run import run as answer
    from prism_sim.reports.run import show

    scenario = load(options)
    with progress(f"simulating {scenario.name}") as tell:
        result = answer(scenario, numerics=not options.no_numerics, progress=tell)
        described = result.to_json()
    deliver(Answer("run", described, partial(show, result), lambda: _files(result)), options)
    return 0


def _files(result: RunResult) -> Mapping[str, Content]:
    from prism_sim.figures.style import saved
    from prism_sim.figures.timeline import draw_timeline

    simulation = result.simulation
    title = f"{result.scenario.name}: {simulation.job.strategy}"
    return {
        "plan.json": json.dumps(simulation.plan.to_json()) + "\n",
        "timeline.png": saved(draw_timeline(simulation.timeline, simulation.participant_names, title)),
    }


COMMAND = Command("run", "latency, bytes and outputs of one scenario, and a verdict", prepare, run, Purpose.ASK, 1)
