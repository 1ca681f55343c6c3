"""prism-sim plot: a picture of results."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prism_sim.commands import base

if TYPE_CHECKING:
    from pandas import DataFrame

    from prism_sim.figures.base import Plot


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="a plot of `prism-sim list plots`")
    parser.add_argument(
        "results",
        metavar="RESULTS",
        type=base.file_path,
        help="a sweep's table (CSV, Parquet), the JSON of run, compare or breakeven, a trace, or the folder of one",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=base.file_path,
        help="ends in .png, .svg or .pdf (default: KIND.png by RESULTS)",
    )
    parser.add_argument("--x", metavar="COLUMN", help="what lies across; of plots that leave the choice")
    parser.add_argument("--y", metavar="COLUMN", help="what goes up; of plots that leave the choice")
    parser.add_argument("--by", metavar="COLUMN", help="what decides who is best (default latency_s)")
    parser.add_argument("--limit", metavar="VALUE", help="of what lies across, as in --limit '200 ms'")
    text = "only rows with this value, as in --where network.bandwidth='50 Mbit/s', or without it: "
    base.takes_many(parser, "--where", "COLUMN=VALUE", f"{text}--where 'strategy!=prism'; may be repeated")
    parser.add_argument("--title", default="", help="above the picture")


def run(options: argparse.Namespace) -> int:
    from prism_sim import figures
    from prism_sim.catalogue import look_up
    from prism_sim.figures.results import read_results
    from prism_sim.figures.rows import canonical
    from prism_sim.figures.style import check_ending, saved

    try:
        plot = look_up("plot", options.kind, figures.catalogue())
        folder = options.results if options.results.is_dir() else options.results.parent
        output = options.output or folder / f"{plot.name}.png"
        check_ending(output)
        told = _told(plot, options)
        table = read_results(options.results, plot.reads)
        if plot.reads == "rows":
            table = canonical(table)
        for condition in options.where:
            table = _kept(table, condition)
        figure = plot.draw(table, title=options.title, **told)
        base.write_files({output: saved(figure)})
    except ValueError as error:
        return base.fail(error)
    return 0


def _told(plot: Plot, options: argparse.Namespace) -> dict[str, Any]:
    """What the plot is told. Raises ValueError for an option that it has no use for."""
    names = ("x", "y", "by", "limit")
    told = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    for name in told:
        if name not in plot.options:
            known = ", ".join(f"--{option}" for option in plot.options) or "no columns to choose"
            raise ValueError(f"--{name}: {plot.name} takes {known}")
    if "limit" in told:
        told["limit"] = _limit(told["limit"])
    return told


def _limit(text: str) -> float:
    """A plain number, or a time."""
    from prism_sim.syntax import units

    with suppress(ValueError):
        return float(text)
    try:
        return units.TIME.parse(text)
    except ValueError as error:
        raise ValueError(f"--limit {text}: {error}") from None


def _kept(table: DataFrame, condition: str) -> DataFrame:
    """Rows that have the value, or another one, given with or without its unit. Raises ValueError if none are left."""
    left, equals, text = condition.partition("=")
    without, column = left.endswith("!"), left.removesuffix("!").strip()
    if not equals:
        raise ValueError(f"--where {condition}: has no '='; write COLUMN=VALUE or COLUMN!=VALUE")
    if column not in table:
        from prism_sim.catalogue import nearest

        raise ValueError(f"--where {condition}: no column {column!r}{nearest(column, map(str, table.columns))}")
    wanted = _amount(column, text.strip())
    rows = table[[_is(value, wanted) != without for value in table[column]]]
    if rows.empty:
        values = ", ".join(dict.fromkeys(str(value) for value in table[column]))
        raise ValueError(f"--where {condition}: leaves no row; there are {values[:200]}")
    return rows


def _amount(column: str, text: str) -> Any:
    """The number that is meant, in SI if the field has a unit, else the text."""
    from prism_sim.syntax import schema
    from prism_sim.syntax.errors import Place
    from prism_sim.syntax.overrides import path_of

    with suppress(ValueError):
        return float(text)
    with suppress(ValueError):  # no field, or no quantity
        unit = schema.unit_of(path_of(column, Place(""), ""))
        return text if unit is None else unit.parse(text)
    return text


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and not isinstance(value, str):
        return abs(float(value) - wanted) <= 1e-9 * abs(wanted)
    return str(value) == str(wanted)


COMMAND = base.Command(
    "plot", "a picture of what a sweep or another command has written", prepare, run, base.EXPLORE, 2
)
