"""Tables of measurements as users write them: CSV files, and the place of whatever is wrong in one."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from prism_sim.catalogue import nearest
from prism_sim.syntax import units
from prism_sim.syntax.errors import Place, ScenarioError, shown


@dataclass(frozen=True)
class CsvRow:
    """A line under the columns. texts: by column, of those cells that are not empty."""

    path: Path
    line: int
    texts: dict[str, str]

    def error(self, message: str) -> ScenarioError:
        return error_at(self.path, self.line, message)

    def check_word(self, name: str, known: Collection[str]) -> None:
        """Raises ScenarioError for a stated one that is none of these, as the others do for what they cannot read."""
        if name in self.texts and self.texts[name] not in known:
            hint = nearest(self.texts[name], known) or f"; known: {', '.join(known)}"
            raise self.error(f"{name}: {shown(self.texts[name])} is unknown{hint}")

    def whole(self, name: str) -> int | None:
        """None: not stated."""
        if (text := self.texts.get(name)) is None:
            return None
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            raise self.error(f"{name}: {shown(text)} is not a whole number >= 1")
        return int(text)

    def quantity(self, name: str, unit: units.Unit) -> float:
        """Of a stated one."""
        try:
            return unit.parse(self.texts[name])
        except ValueError as error:
            raise self.error(f"{name}: {error}") from None


@dataclass(frozen=True)
class CsvTable:
    """line: of the columns. rows: at least one."""

    path: Path
    line: int
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]

    def error(self, message: str) -> ScenarioError:
        return error_at(self.path, self.line, message)


def error_at(path: Path, line: int, message: str) -> ScenarioError:
    return ScenarioError(message, str(path), Place(str(path), line))


def read_csv(path: Path, known: Sequence[str], needed: Sequence[str], rows: str) -> CsvTable:
    """A line is a row; empty ones and those that begin with # are none. rows: what they are of, for humans.

    Raises ScenarioError with file, line and rule for a file that is no such table, columns that are not known, missing
    or there twice, and rows without what each needs; OSError if there is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise error_at(path, 1, "is not UTF-8 text; save it as CSV in UTF-8") from None
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not kept:
        raise error_at(path, 1, f"holds no rows; its first line must name columns: {', '.join(known)}")
    (first, columns), *under = [(number, _cells(path, number, line)) for number, line in kept]
    _check_columns(path, first, columns, known, needed, rows)
    if not under:
        raise error_at(path, first, "holds no rows under its columns; add measured ones")
    return CsvTable(
        path, first, tuple(columns), tuple(_row(path, line, columns, cells, needed) for line, cells in under)
    )


def _cells(path: Path, number: int, line: str) -> list[str]:
    """No cell holds a line's end."""
    try:
        (cells,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise error_at(path, number, f"is no line of a CSV file: {error}") from None
    return [cell.strip() for cell in cells]


def _check_columns(
    path: Path, line: int, columns: Sequence[str], known: Sequence[str], needed: Sequence[str], rows: str
) -> None:
    for name in columns:
        if name not in known:
            hint = nearest(name, known) or f"; known: {', '.join(known)}"
            raise error_at(path, line, f"{shown(name)} is not a column of {rows}{hint}")
        if columns.count(name) > 1:
            raise error_at(path, line, f"the column {shown(name)} is there twice; keep one")
    for name in needed:
        if name not in columns:
            raise error_at(path, line, f"the column {name} is missing; known: {', '.join(known)}")


def _row(path: Path, line: int, columns: Sequence[str], cells: Sequence[str], needed: Sequence[str]) -> CsvRow:
    if len(cells) != len(columns):
        raise error_at(path, line, f"has {len(cells)} values for {len(columns)} columns; leave unknown ones empty")
    row = CsvRow(path, line, {name: cell for name, cell in zip(columns, cells, strict=True) if cell})
    for name in needed:
        if name not in row.texts:
            raise row.error(f"{name}: is empty; every row must state it")
    return row
