"""prism-sim search: the best points of a scenario's sweep by several objectives, a few of them computed."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from prism_sim.commands import base

if TYPE_CHECKING:
    from prism_sim.searching.search import SearchResult

FRONT, EVALUATED, PICTURE = "front.csv", "evaluated.csv", "pareto.png"
PLOTTED = 2  # objectives, and the strategy


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    for option, what in (("--minimise", "less"), ("--maximise", "more")):
        text = f"an objective, {what} is better: a column of a sweep's table, as latency_s; may be repeated"
        base.takes_many(parser, option, "COLUMN", text)
    text = "only points with COLUMN < NUMBER (or <=, >, >=), in SI units, or that fit; may be repeated"
    base.takes_many(parser, "--where", "CONDITION", text)
    parser.add_argument(
        "--evaluations", metavar="N", type=int, help="distinct points to compute (default: a fifth, 50 to 2000)"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="of the search (default 0)")
    parser.add_argument("--sampler", choices=("nsga2", "tpe", "random"), default="nsga2", help="default: nsga2")
    parser.add_argument(
        "--storage", metavar="FILE", type=base.file_path, help="keeps evaluations there, and goes on with them"
    )
    base.takes_no_numerics(parser)
    base.takes_json(parser)
    parser.add_argument(
        "--out", metavar="DIR", type=base.file_path, help=f"writes {FRONT}, {EVALUATED} and {PICTURE} there"
    )


def run(options: argparse.Namespace) -> int:
    from prism_sim.reports.progress import progress_bars
    from prism_sim.reports.search import show_search
    from prism_sim.searching.goals import Goals
    from prism_sim.searching.search import SearchRequest, search

    goals = Goals.of(options.minimise, options.maximise, options.where)
    order = SearchRequest(
        scenario=base.load(options),
        goals=goals,
        evaluations=options.evaluations,
        seed=options.seed,
        kind=options.sampler,
        numerics=not options.no_numerics,
        storage=options.storage,
    )
    with progress_bars() as progress:
        found = search(order, progress)
    return base.deliver(
        base.Answer(None, found.to_json(), partial(show_search, found), partial(_files, found)), options
    )


def _files(found: SearchResult) -> base.Files:
    import pandas as pd

    from prism_sim.sweeping.frames import csv_text

    front = set(found.front)
    rows = [one.row | {"infeasible": one.reason, "on_front": at in front} for at, one in enumerate(found.evaluated)]
    files: base.Files = {
        FRONT: csv_text(pd.DataFrame([rows[place] for place in found.front])),
        EVALUATED: csv_text(pd.DataFrame(rows)),
    }
    if len(found.order.goals.objectives) >= PLOTTED and found.front:
        try:
            files[PICTURE] = _picture([row for row in rows if row["infeasible"] is None], found)
        except (ImportError, ValueError) as error:
            print(f"no {PICTURE}: {error}", file=sys.stderr)
    return files


def _picture(rows: list[dict[str, Any]], found: SearchResult) -> base.Content:
    """Of the first two objectives. Raises ValueError if the plot takes them for something else."""
    import pandas as pd

    from prism_sim.figures.pareto import draw_pareto
    from prism_sim.figures.quantities import quantity
    from prism_sim.figures.style import saved

    objectives = found.order.goals.objectives[:PLOTTED]
    for one in objectives:
        if (quantity(one.column).better == "high") != one.maximise:
            raise ValueError(f"the plot would not {one}")
    return saved(draw_pareto(pd.DataFrame(rows), x=objectives[0].column, y=objectives[1].column))


COMMAND = base.Command(
    "search", "the best points of a scenario's sweep, a few of them computed", prepare, run, base.EXPLORE, 3
)
