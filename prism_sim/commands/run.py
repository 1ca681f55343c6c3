"""prism-sim run: latency, bytes and outputs of one scenario, and a verdict."""

from __future__ import annotations

import argparse
import json
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    base.takes_no_numerics(parser)
    base.takes_json(parser)
    base.takes_out(parser, "run.json, plan.json and timeline.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.choice.run import run as answer
    from prism_sim.reports.run import show

    scenario = base.load(options)
    with base.progress(f"simulating {scenario.name}") as tell:
        result = answer(scenario, numerics=not options.no_numerics, progress=tell)
        described = result.to_json()

    def files() -> base.Files:
        from prism_sim.figures.style import saved
        from prism_sim.figures.timeline import draw_timeline

        simulation = result.simulation
        title = f"{result.scenario.name}: {simulation.job.strategy}"
        return {
            "plan.json": json.dumps(simulation.plan.to_json()) + "\n",
            "timeline.png": saved(draw_timeline(simulation.timeline, simulation.participant_names, title)),
        }

    return base.deliver(base.Answer("run", described, partial(show, result), files), options)


COMMAND = base.Command("run", "latency, bytes and outputs of one scenario, and a verdict", prepare, run, base.ASK, 1)
