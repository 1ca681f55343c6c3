"""prism-sim report: a scenario's answers, or a command's results, as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from prism_sim.commands import base

SCENARIOS, PAGES = (".yaml", ".yml"), (".html", ".htm")


def prepare(parser: argparse.ArgumentParser) -> None:
    text = "a scenario file (YAML), a sweep's table (CSV, Parquet), or the JSON of run, compare or breakeven"
    parser.add_argument("source", metavar="SCENARIO|RESULTS", type=base.file_path, help=text)
    base.takes_overrides(parser, "change a field of the scenario; may be repeated")
    base.takes_no_numerics(parser)
    base.takes_jobs(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=base.file_path,
        help="ends in .html ('-': to standard output; default: NAME-report.html in the current folder)",
    )


def run(options: argparse.Namespace) -> int:
    base.needs("altair", "vl_convert")
    source: Path = options.source
    output = options.output or Path(f"{source.stem}-report.html")
    if output != base.STANDARD_OUTPUT and output.suffix.lower() not in PAGES:
        return base.fail(f"{output.name!r} ends in {output.suffix!r}; a report ends in {', '.join(PAGES)}")
    if source.suffix.lower() in SCENARIOS:
        text = _of_scenario(options)
    else:
        if given := _given(options):
            return base.fail(f"{given} changes a scenario, but {source} holds results; give the scenario's file")
        from prism_sim.pages.results_report import results_report

        try:
            text = results_report(source)
        except ValueError as error:
            return base.fail(error)
    base.write_files({output: text})
    return 0


def _of_scenario(options: argparse.Namespace) -> str:
    from prism_sim.pages.scenario_report import scenario_report
    from prism_sim.scenario import load_scenario

    scenario = load_scenario(options.source, options.overrides)
    with base.progress(f"reporting on {scenario.name}") as tell:
        return scenario_report(scenario, not options.no_numerics, options.jobs, tell)


def _given(options: argparse.Namespace) -> str:
    return "--set" if options.overrides else "--no-numerics" if options.no_numerics else ""


COMMAND = base.Command("report", "all of it in one HTML file, for a colleague", prepare, run, base.ASK, 6)
