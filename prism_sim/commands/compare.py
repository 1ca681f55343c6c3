"""prism-sim compare: every strategy on the same hardware, and a verdict."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    base.takes_no_numerics(parser)
    base.takes_json(parser)
    base.takes_out(parser, "compare.json and parts.png")


def run(options: argparse.Namespace) -> int:
    from prism_sim.choice.compare import compare
    from prism_sim.reports.compare import show_comparison

    scenario = base.load(options)
    with base.progress(f"comparing strategies on {scenario.name}") as tell:
        found = compare(scenario, numerics=not options.no_numerics, progress=tell)
        described = found.to_json()

    def files() -> base.Files:
        from prism_sim.figures.bars import draw_parts
        from prism_sim.figures.style import saved

        simulations = ((name, candidate.simulation) for name, candidate in found.named())
        bars = [(name, one.breakdown_s) for name, one in simulations if one is not None]
        return {"parts.png": saved(draw_parts(bars, found.scenario.name))}

    return base.deliver(base.Answer("compare", described, partial(show_comparison, found), files), options)


COMMAND = base.Command(
    "compare", "every strategy on the same hardware, one table, a verdict", prepare, run, base.ASK, 2
)
