"""prism-sim breakeven: where two strategies cost the same."""

from __future__ import annotations

import argparse

from prism_sim.commands.base import (
    STANDARD_OUTPUT,
    Command,
    Purpose,
    as_json,
    load,
    progress,
    takes_json,
    takes_scenario,
    write_files,
)


def prepare(parser: argparse.ArgumentParser) -> None:
    takes_scenario(parser)
    parser.add_argument(
        "--vary",
        metavar="FIELD",
        required=True,
        help="the field to vary, such as network.bandwidth, network.latency, workload.batch, ranks",
    )
    parser.add_argument(
        "--against", metavar="STRATEGY", required=True, help="the other strategy; single: on the terminal alone"
    )
    parser.add_argument("--from", dest="start", metavar="X", help="the lowest value, with its unit: '10 Mbit/s'")
    parser.add_argument("--to", dest="stop", metavar="Y", help="the highest value")
    parser.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=64,
        help="points of the scan, between which the break-even is searched (default 64)",
    )
    takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.why.breakeven import break_even

    scenario = load(options)
    with progress(f"varying {options.vary} of {scenario.name}"):
        found = break_even(scenario, options.vary, options.against, options.start, options.stop, options.points)
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        from prism_sim.reports.breakeven import show_break_even

        show_break_even(found, Console())
    if options.json is not None:
        write_files({options.json: as_json(found.to_json())})
    return 0


COMMAND = Command("breakeven", "where two strategies cost the same time", prepare, run, Purpose.ASK, 4)
