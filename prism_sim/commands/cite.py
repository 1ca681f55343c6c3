"""prism-sim cite: BibTeX of what a scenario uses."""

from __future__ import annotations

import argparse

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser, without="prism_sim and PRISM alone")


def run(options: argparse.Namespace) -> int:
    from prism_sim.citing.cite import cite

    if options.scenario is None and options.overrides:
        return base.fail("cite: --set changes a scenario's field; name a scenario")
    print(cite(None if options.scenario is None else base.load(options)), end="")
    return 0


COMMAND = base.Command("cite", "BibTeX of the papers and measurements behind a scenario", prepare, run, base.ASK, 8)
