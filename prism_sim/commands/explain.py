"""prism-sim explain: where the time goes and why, and what would help most."""

from __future__ import annotations

import argparse
import json
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    base.takes_json(parser)
    base.takes_out(parser, "explain.json, timeline.png and trace.json (for ui.perfetto.dev)")


def run(options: argparse.Namespace) -> int:
    from prism_sim.reports.explain import show_explanation
    from prism_sim.why.explain import explain

    found = explain(base.load(options))

    def files() -> base.Files:
        from prism_sim.figures.style import saved
        from prism_sim.figures.timeline import draw_timeline

        simulation = found.simulation
        title = f"{found.scenario.name}: {simulation.job.strategy}"
        return {
            "timeline.png": saved(draw_timeline(simulation.timeline, simulation.participant_names, title)),
            "trace.json": json.dumps(found.trace_events(), allow_nan=False) + "\n",
        }

    return base.deliver(base.Answer("explain", found.to_json(), partial(show_explanation, found), files), options)


COMMAND = base.Command("explain", "where the time goes and why, and what would help most", prepare, run, base.ASK, 3)
