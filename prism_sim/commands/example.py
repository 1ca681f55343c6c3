"""prism-sim example: the ready scenarios, and a copy of one to run and change."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path

from prism_sim.commands import base


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_name(parser, "the scenario to write; without: lists all of them", _names)
    text = "where to: a file, a folder (a name without suffix), or '-' for standard output; default NAME.yaml here"
    parser.add_argument("-o", "--out", metavar="FILE|DIR", type=base.file_path, help=text)
    parser.add_argument("--force", action="store_true", help="write over what is there")


def _names() -> Iterable[str]:
    from prism_sim.ready import examples

    return examples.catalogue()


def run(options: argparse.Namespace) -> int:
    from prism_sim.ready import copies, examples

    if options.name is None:
        if options.out is not None or options.force:
            return base.fail("example: says where to write, but not which; give a name (prism-sim example lists them)")
        return _list()
    try:
        found = examples.find(options.name)
    except ValueError as error:
        return base.fail(f"{error} (prism-sim example lists them)")
    if options.out == base.STANDARD_OUTPUT:
        print(found.path.read_text(encoding="utf-8"), end="")
        return 0
    place = _place(options.out or Path(), found.path.name)
    try:
        base.tell_written(copies.write(found.copies(place), options.force))
    except copies.WouldOverwriteError as error:
        return base.fail(error)
    print(f"{found.question}\n  prism-sim run {shlex.quote(str(place))} --no-numerics")
    return 0


def _place(out: Path, name: str) -> Path:
    return out / name if out.is_dir() or not out.suffix else out


def _list() -> int:
    from rich.console import Console

    from prism_sim.reports.listings import examples_listing

    Console().print(examples_listing())
    return 0


COMMAND = base.Command("example", "ready scenarios: what each asks, and a copy to change", prepare, run, base.BEGIN, 1)
