"""prism-sim validate: predictions beside formulas, packets and measurements."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parts", metavar="NAME,NAME", help="only these (default: all)")
    parser.add_argument("--quick", action="store_true", help="a few cases of each part")
    parser.add_argument(
        "--seconds", type=float, default=600.0, metavar="S", help="about how long each part may measure (default 600)"
    )
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="of each measurement (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn at random (default 0)")
    parser.add_argument(
        "--page", metavar="FILE", type=base.file_path, help="write the tables into a Markdown file, between its markers"
    )
    base.takes_out(parser, "validate.csv, validate.json and, where strategies are compared, predicted-measured.png")
    base.takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.reports.validate import filled, read_page, show_validation
    from prism_sim.validation.base import ValidationSettings
    from prism_sim.validation.run import chosen, table, to_json, validate

    try:
        names = None if options.parts is None else [name.strip() for name in options.parts.split(",")]
        parts = chosen(names)
        settings = ValidationSettings(options.quick, options.seconds, options.seed, options.repeats)
        page = "" if options.page is None else read_page(options.page, parts)
    except ValueError as error:
        return base.fail(error)
    with base.progress("validating") as tell:
        report = validate(parts, settings, tell)

    def files() -> base.Files:
        from pandas import DataFrame

        from prism_sim.figures.predicted_measured import draw_predicted_measured
        from prism_sim.figures.style import saved

        rows = DataFrame(table(report))
        found: base.Files = {"validate.csv": rows.to_csv(index=False)}
        if "strategy" in rows and rows["strategy"].notna().any():
            found["predicted-measured.png"] = saved(draw_predicted_measured(rows))
        return found

    base.deliver(base.Answer("validate", to_json(report), partial(show_validation, report), files), options)
    if options.page is not None:
        base.write_files({options.page: filled(page, report)})
    return 0 if report.holds else base.FAILED


COMMAND = base.Command("validate", "predictions beside formulas, packets and measurements", prepare, run, base.TRUST, 4)
