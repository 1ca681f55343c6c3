"""prism-sim sweep: every point of a scenario's sweep, in parallel, as one table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from prism_sim.commands import base

if TYPE_CHECKING:
    from prism_sim.scenario import Scenario


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_scenario(parser)
    base.takes_no_numerics(parser)
    base.takes_jobs(parser)
    parser.add_argument("--resume", action="store_true", help="go on where a sweep to the same place ended")
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=base.file_path,
        help="the table: FILE.csv, FILE.parquet, or a folder for sweep.csv ('-': CSV to standard output; "
        "default: NAME-sweep.csv, after the scenario file, in the current folder)",
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="compute on the Dask cluster of this scheduler: tcp://host:port"
    )


def run(options: argparse.Namespace) -> int:
    scenario = base.load(options)
    return (_to_standard_output if options.out == base.STANDARD_OUTPUT else _to_file)(scenario, options)


def _to_standard_output(scenario: Scenario, options: argparse.Namespace) -> int:
    from prism_sim.reports.progress import progress_bars
    from prism_sim.scenario import ScenarioError
    from prism_sim.sweeping.frames import csv_text, frame_of
    from prism_sim.sweeping.points import Grid
    from prism_sim.sweeping.sweep import Sweep

    if options.resume:
        raise ScenarioError("--resume needs a file to go on with: give --out FILE")
    with progress_bars() as progress:
        table = Sweep(Grid.of(scenario), not options.no_numerics, progress=progress).table(options.jobs, options.dask)
    print(csv_text(frame_of(table)), end="", flush=True)
    return 0


def _to_file(scenario: Scenario, options: argparse.Namespace) -> int:
    from time import perf_counter

    from rich.console import Console

    from prism_sim.reports.progress import progress_bars
    from prism_sim.reports.sweep import show_sweep
    from prism_sim.sweeping.files import SweepRequest, sweep_to_file, table_path

    out = options.out or Path(f"{scenario.path.stem}-sweep.csv")
    order = SweepRequest(scenario, table_path(out), not options.no_numerics, options.jobs, options.dask, options.resume)
    begin_s = perf_counter()
    with progress_bars() as progress:
        done = sweep_to_file(order, progress)
    console = Console(stderr=True)
    if done.table is None:
        console.print(f"{order.table} is finished already", markup=False, highlight=False, soft_wrap=True)
        return 0
    show_sweep(done.table, done.grid, done.n_known, perf_counter() - begin_s, Console())
    console.print(f"wrote {order.table}", style="dim", markup=False, highlight=False, soft_wrap=True)
    return 0


COMMAND = base.Command("sweep", "every point of a scenario's sweep, as one table", prepare, run, base.EXPLORE, 1)
