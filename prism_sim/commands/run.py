"""prism-sim run: latency, bytes and outputs of one scenario, and a verdict."""

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
    progress,
    takes_json,
    takes_scenario,
    write_files,
)

if TYPE_CHECKING:
    from prism_sim.study import RunResult


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")
    takes_json(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write run.json, plan.json and timeline.png there")


def run(options: argparse.Namespace) -> int:
    from prism_sim import study

    scenario = load(options)
    with progress(f"simulating {scenario.name}") as announce:
        result = study.run(scenario, numerics=not options.no_numerics, announce=announce)
        contents = _contents(result, options)
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        from prism_sim.reports.run import show

        show(result, Console())
    write_files(contents)
    return 0


def _contents(result: RunResult, options: argparse.Namespace) -> dict[Path, str | Callable[[Path], Any]]:
    """What the options ask to be written, by path."""
    contents: dict[Path, str | Callable[[Path], Any]] = {}
    if options.json is not None:
        contents[options.json] = as_json(result.to_json())
    if options.out is not None:
        from prism_sim.figures.style import saved
        from prism_sim.figures.timeline import draw_timeline

        simulation = result.simulation
        title = f"{result.scenario.name}: {simulation.job.strategy}"
        figure = draw_timeline(simulation.timeline, result.participant_names, title)
        contents[options.out / "run.json"] = as_json(result.to_json())
        contents[options.out / "plan.json"] = json.dumps(simulation.plan.to_json()) + "\n"
        contents[options.out / "timeline.png"] = saved(figure)
    return contents


COMMAND = Command("run", "latency, bytes and outputs of one scenario, and a verdict", prepare, run, order=1)
