"""prism-sim list: what a scenario can name."""

from __future__ import annotations

import argparse

from prism_sim.commands import base

KINDS = ("models", "devices", "networks", "strategies", "compressors", "tasks", "plots")


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=KINDS)
    base.takes_presets(parser)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from prism_sim.reports.listings import listing

    Console().print(listing(options.what, base.read_presets(options)))
    return 0


COMMAND = base.Command("list", "what a scenario can name, with the sources of its numbers", prepare, run, base.ASK, 6)
