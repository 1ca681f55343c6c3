"""prism-sim compare: every strategy on the same hardware, and a verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

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


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")
    takes_json(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="write compare.json and parts.png there")


def run(options: argparse.Namespace) -> int:
    from prism_sim.study.compare import compare

    scenario = load(options)
    with progress(f"comparing strategies on {scenario.name}") as announce:
        comparison = compare(scenario, numerics=not options.no_numerics, announce=announce)
        described = as_json(comparison.to_json())
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        from prism_sim.reports.compare import show_comparison

        show_comparison(comparison, Console())
    if options.json is not None:
        write_files({options.json: described})
    if options.out is not None:
        from prism_sim.figures.parts import draw_parts
        from prism_sim.figures.style import saved

        bars = [
            (name, candidate.simulation.timeline.breakdown_s)
            for name, candidate in comparison.named()
            if candidate.simulation is not None
        ]
        figure = draw_parts(bars, scenario.name)
        write_files({options.out / "compare.json": described, options.out / "parts.png": saved(figure)})
    return 0


COMMAND = Command("compare", "every strategy on the same hardware, one table, a verdict", prepare, run, order=2)
