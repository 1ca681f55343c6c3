"""Measured rows: a CSV file with the columns strategy, ranks, segments, batch, bandwidth, and times."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from prism_sim import strategies
from prism_sim.catalogue import nearest
from prism_sim.scenario import ScenarioError
from prism_sim.syntax import units
from prism_sim.syntax.errors import Place, shown

PARTS = ("compute", "staging", "communication")
TIMES = (*PARTS, "total")
NEEDED = ("strategy", "batch")
KNOWN = ("strategy", "ranks", "segments", "batch", "bandwidth", *TIMES)
ORIN_NANO = Path(__file__).parent / "data" / "orin_nano.csv"

ADDS_UP = 0.02  # how far the parts of a row may be from its total: tables are rounded
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")


class MeasuredRow(NamedTuple):
    """One measurement.  times_s: by part or total; what was not measured is absent.  None: as the scenario has it."""

    line: int
    strategy: str
    ranks: int | None
    segments: int | None
    batch: int
    bits_per_s: float | None
    times_s: Mapping[str, float]

    @property
    def name(self) -> str:
        """'prism x2 L=10, batch 8'."""
        return f"{self.mode}, batch {self.batch}"

    @property
    def mode(self) -> str:
        """All but the batch."""
        ranks = "" if self.ranks is None or self.ranks == 1 else f" x{self.ranks}"
        return f"{self.strategy}{ranks}{'' if self.segments is None else f' L={self.segments}'}"

    @property
    def numbers(self) -> tuple[str, ...]:
        """The times that say something of their own: above zero, and no total of parts that are all there."""
        said = [part for part in PARTS if self.times_s.get(part)]
        whole = all(part in self.times_s for part in PARTS) or not self.times_s.get("total")
        return tuple(said) if whole else (*said, "total")

    @property
    def total_s(self) -> float | None:
        """Measured, or the sum of its parts if all are there."""
        if "total" in self.times_s:
            return self.times_s["total"]
        return sum(self.times_s[part] for part in PARTS) if all(part in self.times_s for part in PARTS) else None


@dataclass(frozen=True)
class MeasuredTable:
    """The rows of a file."""

    path: Path
    rows: tuple[MeasuredRow, ...] = field(repr=False)

    @property
    def n_numbers(self) -> int:
        return sum(len(row.numbers) for row in self.rows)

    def error(self, message: str, line: int | None = None) -> ScenarioError:
        return _error(self.path, self.rows[-1].line if line is None else line, message)


def read_table(path: Path) -> MeasuredTable:
    """Times are in milliseconds, or carry a unit; a bandwidth carries one; lines that begin with # are comments.

    Raises ScenarioError with file, line, column, value and rule; OSError if there is no such file.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not kept:
        raise _error(path, 1, f"holds no rows; its first line must name columns: {', '.join(KNOWN)}")
    cells = [[cell.strip() for cell in record] for record in csv.reader((line for _, line in kept), strict=False)]
    columns = cells[0]
    _check_columns(path, kept[0][0], columns)
    rows = [_row(path, line, columns, record) for (line, _), record in zip(kept[1:], cells[1:], strict=True)]
    if not rows:
        raise _error(path, kept[0][0], "holds no rows under its columns; add measured ones")
    return MeasuredTable(path, tuple(rows))


def _error(path: Path, line: int, message: str) -> ScenarioError:
    return ScenarioError(message, str(path), Place(str(path), line))


def _check_columns(path: Path, line: int, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in KNOWN:
            hint = nearest(name, KNOWN) or f"; known: {', '.join(KNOWN)}"
            raise _error(path, line, f"{shown(name)} is not a column of measured rows{hint}")
        if columns.count(name) > 1:
            raise _error(path, line, f"the column {shown(name)} is there twice; keep one")
    for name in NEEDED:
        if name not in columns:
            raise _error(path, line, f"the column {name} is missing; known: {', '.join(KNOWN)}")
    if not set(TIMES) & set(columns):
        raise _error(path, line, f"no column of times: at least one of {', '.join(TIMES)} is needed")


def _row(path: Path, line: int, columns: Sequence[str], cells: Sequence[str]) -> MeasuredRow:
    if len(cells) != len(columns):
        raise _error(path, line, f"has {len(cells)} values for {len(columns)} columns; leave unknown ones empty")
    text = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}

    def parsed(name: str, parse: units.Unit) -> float:
        try:
            return parse.parse(text[name])
        except ValueError as error:
            raise _error(path, line, f"{name}: {error}") from None

    def whole(name: str) -> int | None:
        if name not in text:
            return None
        if not text[name].isdecimal() or int(text[name]) < 1:
            raise _error(path, line, f"{name}: {shown(text[name])} is not a whole number >= 1")
        return int(text[name])

    for name in NEEDED:
        if name not in text:
            raise _error(path, line, f"{name}: is empty; every row must state it")
    known = strategies.catalogue()
    if text["strategy"] not in known:
        hint = nearest(text["strategy"], known) or f"; known: {', '.join(known)}"
        raise _error(path, line, f"strategy: {shown(text['strategy'])} is unknown{hint}")
    for name in set(TIMES) & text.keys():
        if _NUMBER.fullmatch(text[name]):
            text[name] += " ms"
    times_s = {name: parsed(name, units.TIME) for name in TIMES if name in text}
    if not any(times_s.values()):
        raise _error(path, line, f"holds no time; state at least one of {', '.join(TIMES)}")
    batch = whole("batch")
    assert batch is not None
    row = MeasuredRow(
        line=line,
        strategy=text["strategy"],
        ranks=whole("ranks"),
        segments=whole("segments"),
        batch=batch,
        bits_per_s=parsed("bandwidth", units.BIT_RATE) if "bandwidth" in text else None,
        times_s=times_s,
    )
    _check_sum(path, row)
    return row


def _check_sum(path: Path, row: MeasuredRow) -> None:
    if not set(TIMES) <= row.times_s.keys():
        return
    total_s, sum_s = row.times_s["total"], sum(row.times_s[part] for part in PARTS)
    if abs(total_s - sum_s) > ADDS_UP * total_s:
        rule = f"total: {1e3 * total_s:.6g} ms, but {', '.join(PARTS)} add up to {1e3 * sum_s:.6g} ms"
        raise _error(path, row.line, f"{rule}; leave one of them empty, or correct it")
