"""A board and rows of one's own: read, checked, and refused with the place of what is wrong.

Rows are a CSV file with the columns of `data/boards.csv`; those that a row need not say may be left out. A board is one
of the ready ones, or a YAML file with one entry as `data/facts.yaml` has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from prism_sim import families
from prism_sim.boards.cases import job_of_row, measured_models, model_type
from prism_sim.boards.facts import Board, boards, unit_of
from prism_sim.boards.rows import PHASES, BoardRow
from prism_sim.catalogue import nearest
from prism_sim.scenario import ScenarioError
from prism_sim.scenario.hardware_presets import stated_numbers
from prism_sim.scenario.preset_checks import check_has, check_key, check_mapping, check_name, check_text
from prism_sim.syntax import presets, units
from prism_sim.syntax.csv_source import CsvRow, read_csv
from prism_sim.syntax.errors import FieldPath, Place, shown
from prism_sim.syntax.sections import DeviceSection
from prism_sim.syntax.yaml_source import Source, read_source

FACTS = ("memory", "idle_power", "busy_power", "radio_power")
# of a runtime, that no row of a single device shows
UNFITTED = (
    *("dispatch_restart", "handling_bandwidth", "staging_bandwidth", "staging_latency", "staging_ramp"),
    *("message_overhead", "storage_bandwidth"),
)
NEEDED = ("runtime", "model", "phase", "tokens", "seconds")
SILENT = dict.fromkeys(("head", "weight_dtype", "left_out", "far_because", "measured"), "") | {
    "dtype": "float32",
    "batch": "1",
    "confidence": "own",
    "source": "own",
}


def read_rows(path: Path, board: Board) -> tuple[BoardRow, ...]:
    """Of this board. Raises ScenarioError with file, line, value and rule; OSError if there is no such file."""
    table = read_csv(path, [field.name for field in fields(BoardRow)], NEEDED, "a board's rows")
    rows = tuple(_row(stated, board) for stated in table.rows)
    if not any(row.left_out is None for row in rows):
        raise table.error("holds no rows to fit under its columns; add measured ones")
    return rows


def _row(stated: CsvRow, board: Board) -> BoardRow:
    if (device := stated.texts.get("device", board.name)) != board.name:
        raise stated.error(f"device: {shown(device)} is not {board.name}, which is fitted; keep its rows in a file")
    stated.check_word("runtime", board.fitted_runtimes)
    stated.check_word("model", (*presets.names("models"), *measured_models()))
    stated.check_word("phase", PHASES)
    for name in ("batch", "tokens"):
        stated.whole(name)
    seconds = repr(_seconds(stated))
    row = BoardRow.of(SILENT | {"device": board.name} | stated.texts | {"seconds": seconds})
    _check_simulated(stated, row)
    if row.rate_type not in board.rate_types:
        rule = f"{board.name} has no rate that is expected with {row.rate_type}; add it under expected"
        raise stated.error(f"weight_dtype: {rule} (it has: {', '.join(board.rate_types)})")
    return row


def _check_simulated(stated: CsvRow, row: BoardRow) -> None:
    """What a scenario of it refuses, said of the row."""
    if row.phase != "forward" and not families.find(model_type(row.model)).causal:
        raise stated.error(f"phase: {row.model} is an encoder, which has no {row.phase}; write forward")
    try:
        job = job_of_row(row)
    except ScenarioError as error:
        raise stated.error(error.reason) from None
    if row.phase != "decode" and job.n_tokens != row.tokens:
        raise stated.error(f"tokens: {row.tokens}, but {row.model} has {job.n_tokens}: its pictures give them")


def _seconds(stated: CsvRow) -> float:
    """A bare number is in seconds."""
    text = stated.texts["seconds"]
    try:
        seconds = float(text)
    except ValueError:
        seconds = stated.quantity("seconds", units.TIME)
    if not (0 < seconds < math.inf):
        raise stated.error(f"seconds: {shown(text)} must be above 0 and finite")
    return seconds


def read_board(named: str) -> Board:
    """A ready board, or the one of a file. Raises ScenarioError, OSError."""
    if named in boards():
        return boards()[named]
    if not named.endswith((".yaml", ".yml")):
        hint = nearest(named, boards()) or f"; known: {', '.join(boards())}"
        raise ScenarioError(f"{shown(named)} is neither a board nor a YAML file{hint}", "--board", Place("--board"))
    source = read_source(Path(named), "file of a board")
    if len(source.tree) != 1:
        raise source.error((), f"holds {len(source.tree)} boards; a fit is of one")
    ((name, entry),) = source.tree.items()
    here: FieldPath = (name,)
    check_name(name, here, source)
    check_mapping(entry, here, source)
    _check_entry(entry, here, source)
    return Board(name, entry)


def _check_entry(entry: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    for key in entry:
        check_key(key, ("summary", "runtime", "expected", "runtimes", *FACTS), "no fact of a board", here, source)
    stated_numbers(DeviceSection, {key: entry[key] for key in FACTS if key in entry}, here, source)
    check_text(entry, "summary", here, source)
    check_has(entry, ("expected", "runtimes", "runtime"), here, source)
    expected = (*here, "expected")
    check_mapping(entry["expected"], expected, source)
    check_has(entry["expected"], ("memory_bandwidth", "float32"), expected, source)
    known = ("memory_bandwidth", "float32", "float16", "int8", "integers")
    for name, figure in entry["expected"].items():
        check_key(name, known, "no number that is expected of a board", expected, source)
        _check_figure(figure, unit_of(name), (*expected, name), source)
    check_mapping(entry["runtimes"], (*here, "runtimes"), source)
    for runtime, stated in entry["runtimes"].items():
        inside: FieldPath = (*here, "runtimes", runtime)
        check_name(runtime, inside, source)
        check_mapping(stated, inside, source)
        _check_launch(stated, inside, source)
    check_text(entry, "runtime", here, source)
    if entry["runtime"] not in entry["runtimes"]:
        rule = f"{shown(entry['runtime'])} is not among its runtimes{nearest(entry['runtime'], entry['runtimes'])}"
        raise source.error((*here, "runtime"), rule)


def _check_launch(stated: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    """Exactly one of both, and numbers that no row shows, each with its source."""
    for name in stated:
        check_key(name, ("launch", "fed", *UNFITTED), "no number of a runtime that is stated", here, source)
    stated_numbers(DeviceSection, {name: stated[name] for name in UNFITTED if name in stated}, here, source)
    both = [name for name in ("launch", "fed") if name in stated]
    if len(both) != 1:
        rule = "states launch and fed; keep one" if both else "lacks launch (or fed, where a host feeds an accelerator)"
        raise source.error(here, f"{rule}: what a kernel is expected to cost, such as launch: 10 us")
    try:
        launch_s = units.TIME.parse(stated[both[0]])
    except ValueError as error:
        raise source.error((*here, both[0]), str(error)) from None
    if not launch_s > 0:
        raise source.error((*here, both[0]), f"{shown(stated[both[0]])} must be above 0; 1 us is next to nothing")


def _check_figure(figure: Any, unit: units.Unit, here: FieldPath, source: Source) -> None:
    check_mapping(figure, here, source)
    for key in figure:
        check_key(key, ("value", "source"), "neither value nor source", here, source)
    check_has(figure, ("value",), here, source)
    check_text(figure, "source", here, source)
    try:
        unit.parse(figure["value"])
    except ValueError as error:
        raise source.error((*here, "value"), str(error)) from None
