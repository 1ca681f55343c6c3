"""prism-sim fit: a device's and a network's numbers from measured rows."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        type=base.file_path,
        help="measured rows (CSV): strategy, ranks, segments, batch, bandwidth, and any of compute, staging, "
        "communication, total, in ms or with a unit",
    )
    parser.add_argument(
        "--scenario", type=base.file_path, required=True, help="what was measured: model, devices, network (YAML)"
    )
    base.takes_overrides(parser, "change a field of the scenario; may be repeated")
    parser.add_argument(
        "--free",
        metavar="FIELD,FIELD",
        help="the numbers to find, such as compute,staging_latency,network.efficiency; default: those usual ones of "
        "which the rows say something",
    )
    text = "write the numbers as sections of a scenario (YAML)"
    parser.add_argument("--out", dest="sections", metavar="FILE", type=base.file_path, help=text)
    base.takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.calibration.fit import fit
    from prism_sim.calibration.fragment import fragment
    from prism_sim.calibration.table import read_table
    from prism_sim.reports.fit import show_fit
    from prism_sim.scenario import load_scenario

    table = read_table(options.table)
    scenario = load_scenario(options.scenario, options.overrides)
    free = None if options.free is None else [name.strip() for name in options.free.split(",")]
    with base.progress(f"fitting {scenario.name} to {table.n_numbers} measured numbers"):
        found = fit(table, scenario, free)
    base.deliver(base.Answer("fit", found.to_json(), partial(show_fit, found)), options)
    if options.sections is not None:
        base.write_files({options.sections: fragment(found)})
    return 0


COMMAND = base.Command("fit", "a device's and a network's numbers from measured rows", prepare, run, base.TRUST, 1)
