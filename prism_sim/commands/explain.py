"""prism-sim explain: where the time goes and why, and what would help most."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim.commands.base import (
    STANDARD_OUTPUT,
    Command,
    as_json,
    load,
    takes_json,
    takes_scenario,
    write_files,
)

if TYPE_CHECKING:
    from prism_sim.study.explain import Explanation


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    takes_json(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write explain.json, timeline.png and trace.json (for ui.perfetto.dev) there",
    )


def run(options: argparse.Namespace) -> int:
    from prism_sim.study.explain import explain

    found = explain(load(options))
    contents = _contents(found, options)
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        from prism_sim.reports.explain import show_explanation

        show_explanation(found, Console())
    write_files(contents)
    return 0


def _contents(found: Explanation, options: argparse.Namespace) -> dict[Path, str | Callable[[Path], Any]]:
    """What the options ask to be written, by path."""
    contents: dict[Path, str | Callable[[Path], Any]] = {}
    if options.json is not None:
        contents[options.json] = as_json(found.to_json())
    if options.out is not None:
        from prism_sim.figures.style import saved
        from prism_sim.figures.timeline import draw_timeline

        timeline = found.simulation.timeline
        names = [_name(found, number) for number in range(len(timeline.wait_s))]
        title = f"{found.scenario.name}: {found.simulation.job.strategy}"
        contents[options.out / "explain.json"] = as_json(found.to_json())
        contents[options.out / "timeline.png"] = saved(draw_timeline(timeline, names, title))
        contents[options.out / "trace.json"] = json.dumps(found.trace_events(), allow_nan=False) + "\n"
    return contents


def _name(found: Explanation, participant: int) -> str:
    terminal = participant == found.simulation.plan.terminal
    return f"{found.device(participant)}{' (terminal)' if terminal else ''}"


COMMAND = Command("explain", "where the time goes and why, and what would help most", prepare, run, order=5)
