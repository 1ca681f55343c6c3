"""A board and rows of one's own: read, checked, and refused with the place of what is wrong.

Rows are a CSV file with the columns of `data/boards.csv`; those that a row need not say may be left out. A board is one
of the ready ones, or a YAML file with one entry as `data/facts.yaml` has them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from prism_sim.boards.cases import measured_models
from prism_sim.boards.facts import FIELDS, Board, boards
from prism_sim.boards.rows import PHASES, BoardRow
from prism_sim.catalogue import nearest
from prism_sim.element_types import ELEMENT_TYPES
from prism_sim.scenario import ScenarioError
from prism_sim.scenario.preset_checks import check_has, check_key, check_mapping, check_name, check_text
from prism_sim.syntax import presets, units
from prism_sim.syntax.errors import FieldPath, Place, shown
from prism_sim.syntax.sections import DeviceSection
from prism_sim.syntax.yaml_source import Source, read_source

NEEDED = ("runtime", "model", "phase", "tokens", "seconds")
SILENT = dict.fromkeys(("head", "weight_dtype", "left_out", "far_because", "measured"), "") | {
    "dtype": "float32",
    "batch": "1",
    "confidence": "own",
    "source": "own",
}


def read_rows(path: Path, board: Board) -> tuple[BoardRow, ...]:
    """Of this board. Raises ScenarioError with file, line, column, value and rule; OSError if there is no such file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    columns = [name.strip() for name in next(csv.reader([kept[0][1]]))] if kept else []
    _check_columns(path, kept[0][0] if kept else 1, columns)
    cells = csv.reader(line for _, line in kept[1:])
    rows = tuple(_row(path, line, columns, each, board) for (line, _), each in zip(kept[1:], cells, strict=True))
    if not rows:
        raise _wrong(path, kept[0][0], "holds no rows under its columns; add measured ones")
    return rows


def _check_columns(path: Path, line: int, columns: list[str]) -> None:
    known = [field.name for field in fields(BoardRow)]
    for name in columns:
        if name not in known:
            hint = nearest(name, known) or f"; known: {', '.join(known)}"
            raise _wrong(path, line, f"{shown(name)} is not a column of a board's rows{hint}")
        if columns.count(name) > 1:
            raise _wrong(path, line, f"the column {shown(name)} is there twice; keep one")
    if missing := next((name for name in NEEDED if name not in columns), None):
        raise _wrong(path, line, f"the column {missing} is missing; needed: {', '.join(NEEDED)}")


def _row(path: Path, line: int, columns: list[str], cells: list[str], board: Board) -> BoardRow:
    if len(cells) != len(columns):
        raise _wrong(path, line, f"has {len(cells)} values for {len(columns)} columns; leave unknown ones empty")
    stated = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    if missing := next((name for name in NEEDED if name not in stated), None):
        raise _wrong(path, line, f"{missing}: is empty; every row must state it")
    record = SILENT | stated
    record["device"] = board.name
    words = {
        "runtime": board.fitted_runtimes,
        "model": (*presets.names("models"), *measured_models()),
        "phase": PHASES,
        "dtype": tuple(ELEMENT_TYPES),
        "weight_dtype": ("", *ELEMENT_TYPES),
    }
    for name, known in words.items():
        if record[name] not in known:
            hint = nearest(record[name], known) or f"; known: {', '.join(one for one in known if one)}"
            raise _wrong(path, line, f"{name}: {shown(record[name])} is unknown{hint}")
    for name in ("batch", "tokens"):
        if not record[name].isdecimal() or int(record[name]) < 1:
            raise _wrong(path, line, f"{name}: {shown(record[name])} is not a whole number >= 1")
    record["seconds"] = repr(_seconds(path, line, record["seconds"]))
    row = BoardRow.of(record)
    if row.rate_type not in board.rate_types:
        rule = f"{board.name} has no rate that is expected with {row.rate_type}; add it under expected"
        raise _wrong(path, line, f"weight_dtype: {rule} (it has: {', '.join(board.rate_types)})")
    return row


def _seconds(path: Path, line: int, text: str) -> float:
    """A bare number is in seconds."""
    try:
        return units.TIME.parse(f"{text} s" if text.replace(".", "", 1).isdecimal() else text)
    except ValueError as error:
        raise _wrong(path, line, f"seconds: {error}") from None


def _wrong(path: Path, line: int, message: str) -> ScenarioError:
    return ScenarioError(message, str(path), Place(str(path), line))


def read_board(named: str) -> Board:
    """A ready board, or the one of a file. Raises ScenarioError, OSError."""
    if named in boards():
        return boards()[named]
    if not named.endswith((".yaml", ".yml")):
        hint = nearest(named, boards()) or f"; known: {', '.join(boards())}"
        raise ScenarioError(f"{shown(named)} is neither a board nor a YAML file{hint}", "--board", Place("--board"))
    source = read_source(Path(named))
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
        check_key(key, ("summary", "default", "expected", "runtimes", *FIELDS), "no fact of a board", here, source)
    check_text(entry, "summary", here, source)
    check_has(entry, ("expected", "runtimes", "default"), here, source)
    expected = (*here, "expected")
    check_mapping(entry["expected"], expected, source)
    check_has(entry["expected"], ("memory_bandwidth", "float32"), expected, source)
    known = ("memory_bandwidth", "float32", "float16", "int8", "integers")
    for name, figure in entry["expected"].items():
        check_key(name, known, "no number that is expected of a board", expected, source)
        unit = units.MEMORY_RATE if name == "memory_bandwidth" else units.COMPUTE
        _check_figure(figure, unit, (*expected, name), source)
    check_mapping(entry["runtimes"], (*here, "runtimes"), source)
    for runtime, stated in entry["runtimes"].items():
        inside: FieldPath = (*here, "runtimes", runtime)
        check_name(runtime, inside, source)
        check_mapping(stated, inside, source)
        _check_launch(stated, inside, source)
    if entry["default"] not in entry["runtimes"]:
        rule = f"{shown(entry['default'])} is not among its runtimes{nearest(str(entry['default']), entry['runtimes'])}"
        raise source.error((*here, "default"), rule)


def _check_launch(stated: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    """Exactly one of both, and numbers that no row shows, each with its source."""
    for name, figure in stated.items():
        check_key(name, ("launch", "fed", *DeviceSection.model_fields), "no number of a runtime", here, source)
        if name not in ("launch", "fed"):
            check_mapping(figure, (*here, name), source)
            check_has(figure, ("value",), (*here, name), source)
            check_text(figure, "source", (*here, name), source)
    both = [name for name in ("launch", "fed") if name in stated]
    if len(both) != 1:
        rule = "states launch and fed; keep one" if both else "lacks launch (or fed, where a host feeds an accelerator)"
        raise source.error(here, f"{rule}: what a kernel is expected to cost, such as launch: 10 us")
    try:
        units.TIME.parse(stated[both[0]])
    except ValueError as error:
        raise source.error((*here, both[0]), str(error)) from None


def _check_figure(figure: Any, unit: units.Unit, here: FieldPath, source: Source) -> None:
    check_mapping(figure, here, source)
    check_has(figure, ("value",), here, source)
    check_text(figure, "source", here, source)
    try:
        unit.parse(figure["value"])
    except ValueError as error:
        raise source.error((*here, "value"), str(error)) from None
