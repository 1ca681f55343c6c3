"""prism-sim fit: a device's and a network's numbers from measured rows."""

from __future__ import annotations

import argparse

from prism_sim.commands.base import (
    STANDARD_OUTPUT,
    Command,
    Purpose,
    as_json,
    file_path,
    progress,
    takes_json,
    write_files,
)


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        type=file_path,
        help="measured rows (CSV): strategy, ranks, segments, batch, bandwidth, and any of compute, staging, "
        "communication, total, in ms or with a unit",
    )
    parser.add_argument(
        "--scenario", type=file_path, required=True, help="what was measured: model, devices, network (YAML)"
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="change a field of the scenario; may be repeated",
    )
    parser.add_argument(
        "--free",
        metavar="FIELD,FIELD",
        help="the numbers to find, such as compute,staging_latency,network.efficiency; default: those usual ones of "
        "which the rows say something",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=file_path, help="write the numbers as sections of a scenario (YAML)"
    )
    takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.calibration import fit, fragment, read_table
    from prism_sim.scenario import load_scenario

    table = read_table(options.table)
    scenario = load_scenario(options.scenario, options.overrides)
    free = None if options.free is None else [name.strip() for name in options.free.split(",")]
    with progress(f"fitting {scenario.name} to {table.n_numbers} measured numbers"):
        found = fit(table, scenario, free)
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        from prism_sim.reports.fit import show_fit

        show_fit(found, Console())
    if options.json is not None:
        write_files({options.json: as_json(found.to_json())})
    if options.out is not None:
        write_files({options.out: fragment(found)})
    return 0


COMMAND = Command("fit", "a device's and a network's numbers from measured rows", prepare, run, Purpose.TRUST, 1)
