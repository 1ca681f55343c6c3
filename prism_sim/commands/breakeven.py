"""prism-sim breakeven: where two strategies cost the same."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
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
    text = "points of the scan, between which the break-even is searched (default 64)"
    parser.add_argument("--points", metavar="N", type=int, default=64, help=text)
    base.takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.reports.breakeven import show_break_even
    from prism_sim.why.breakeven import break_even

    scenario = base.load(options)
    with base.progress(f"varying {options.vary} of {scenario.name}"):
        found = break_even(scenario, options.vary, options.against, options.start, options.stop, options.points)
    return base.deliver(base.Answer("breakeven", found.to_json(), partial(show_break_even, found)), options)


COMMAND = base.Command("breakeven", "where two strategies cost the same time", prepare, run, base.ASK, 4)
