"""prism-sim budget: how many segments each block deserves, for the bytes that may be sent."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument(
        "--bytes",
        metavar="AMOUNT",
        help="what all devices may send for one request, as in --bytes '5 MB' (default: what the scenario sends)",
    )
    how_much.add_argument("--segments", metavar="N", type=int, help="as many bytes as with N segments in every block")
    parser.add_argument(
        "--minimise",
        choices=("kl", "residual"),
        help="the outputs' KL divergence, or the relative error of the residual stream after the last block "
        "(default: kl where the model gives logits)",
    )
    parser.add_argument(
        "--evaluations", metavar="N", type=int, help="lists of segments that may be computed (default 24)"
    )
    base.takes_json(parser)
    base.takes_out(parser, "budget.json")


def run(options: argparse.Namespace) -> int:
    from prism_sim.loss.budget import BudgetRequest, budget
    from prism_sim.reports.budget import show_budget

    scenario = base.load(options)
    given = {"segments": options.segments, "measure": options.minimise, "evaluations": options.evaluations}
    stated = {name: value for name, value in given.items() if value is not None}
    if options.bytes is not None:
        stated["budget_bytes"] = _amount(options.bytes)
    with base.progress(f"spending bytes on the blocks of {scenario.name}") as tell:
        found = budget(scenario, BudgetRequest(**stated), tell)
    return base.deliver(base.Answer("budget", found.to_json(), partial(show_budget, found)), options)


def _amount(text: str) -> int:
    """Whole bytes. Raises ScenarioError."""
    from dataclasses import replace

    from prism_sim.scenario import ScenarioError
    from prism_sim.syntax import units

    try:
        return int(replace(units.MEMORY, quantity="an amount of data", example="5 MB").parse(text))
    except ValueError as error:
        raise ScenarioError(f"--bytes: {error}") from None


COMMAND = base.Command(
    "budget", "how many segments each block deserves for the bytes sent", prepare, run, base.ACCURACY, 5
)
