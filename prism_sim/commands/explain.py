"""prism-sim explain: where the time goes and why, and what would help most."""

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
    takes_json,
    takes_out,
    takes_scenario,
)

if TYPE_CHECKING:
    from prism_sim.why.explain import Explanation


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    takes_json(parser)
    takes_out(parser, "explain.json, timeline.png and trace.json (for ui.perfetto.dev)")


def run(options: argparse.Namespace) -> int:
    from prism_sim.reports.explain import show_explanation
    from prism_sim.why.explain import explain

    found = explain(load(options))
    show = partial(show_explanation, found)
    deliver(Answer("explain", found.to_json(), show, lambda: _files(found)), options)
    return 0


def _files(found: Explanation) -> Mapping[str, Content]:
    from prism_sim.figures.style import saved
    from prism_sim.figures.timeline import draw_timeline

    simulation = found.simulation
    title = f"{found.scenario.name}: {simulation.job.strategy}"
    return {
        "timeline.png": saved(draw_timeline(simulation.timeline, simulation.participant_names, title)),
        "trace.json": json.dumps(found.trace_events(), allow_nan=False) + "\n",
    }


COMMAND = Command("explain", "where the time goes and why, and what would help most", prepare, run, Purpose.ASK, 3)
