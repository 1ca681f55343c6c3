"""prism-sim fit: a device's and a network's numbers from measured rows."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table",
        type=base.file_path,
        help="measured rows (CSV). With --scenario: strategy, ranks, segments, batch, bandwidth, and any of compute, "
        "staging, communication, total, in ms or with a unit. With --board: runtime, model, phase (forward, prefill, "
        "decode), tokens, seconds, and any of dtype, weight_dtype, batch, head, source",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--scenario", type=base.file_path, help="what was measured: model, devices, network (YAML)")
    what.add_argument(
        "--board",
        metavar="NAME|FILE",
        help="one device, several models, runtimes and types: a board of prism-sim list devices, or a YAML file that "
        "says what is expected of yours",
    )
    base.takes_overrides(parser, "change a field of the scenario; may be repeated")
    parser.add_argument(
        "--free",
        metavar="FIELD,FIELD",
        help="the numbers to find, such as compute,staging_latency,network.efficiency; default: those usual ones of "
        "which the rows say something",
    )
    text = "write the numbers (YAML): as sections of a scenario, or, of a board, as a presets file"
    parser.add_argument("--out", dest="sections", metavar="FILE", type=base.file_path, help=text)
    base.takes_json(parser)


def run(options: argparse.Namespace) -> int:
    return _fit_scenario(options) if options.board is None else _fit_board(options)


def _fit_board(options: argparse.Namespace) -> int:
    from prism_sim.boards.own import read_board, read_rows
    from prism_sim.boards.own_fit import OwnFit
    from prism_sim.boards.presets import presets_file
    from prism_sim.reports.fit import show_board_fit

    if unused := [word for word, given in (("--set", options.overrides), ("--free", options.free)) if given]:
        return base.fail(f"{unused[0]} is for a fit with --scenario; a board's numbers are all found together")
    board = read_board(options.board)
    rows = read_rows(options.table, board)
    with base.progress(f"fitting {board.name} to {len(rows)} rows"):
        found = OwnFit.of(board, rows, options.table.name)
    base.deliver(base.Answer("fit", found.to_json(), partial(show_board_fit, found)), options)
    if options.sections is not None:
        base.write_files({options.sections: presets_file(found.fit, found.preset_name)})
    return 0


def _fit_scenario(options: argparse.Namespace) -> int:
    from prism_sim.calibration.fit import fit
    from prism_sim.calibration.fragment import fragment
    from prism_sim.calibration.table import read_table
    from prism_sim.reports.fit import show_fit

    table = read_table(options.table)
    scenario = base.load(options)
    free = None if options.free is None else [name.strip() for name in options.free.split(",")]
    with base.progress(f"fitting {scenario.name} to {table.n_numbers} measured numbers"):
        found = fit(table, scenario, free)
    base.deliver(base.Answer("fit", found.to_json(), partial(show_fit, found)), options)
    if options.sections is not None:
        base.write_files({options.sections: fragment(found)})
    return 0


COMMAND = base.Command("fit", "a device's and a network's numbers from measured rows", prepare, run, base.TRUST, 1)
