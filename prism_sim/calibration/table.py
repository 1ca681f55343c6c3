"""Measured rows: a CSV file with the columns strategy, ranks, segments, batch, bandwidth, and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from prism_sim import strategies
from prism_sim.scenario import ScenarioError
from prism_sim.syntax import units
from prism_sim.syntax.csv_source import CsvRow, error_at, read_csv

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
        return error_at(self.path, self.rows[-1].line if line is None else line, message)


def read_table(path: Path) -> MeasuredTable:
    """Times are in milliseconds, or carry a unit; a bandwidth carries one; lines that begin with # are comments.

    Raises ScenarioError with file, line, column, value and rule; OSError if there is no such file.
    """
    table = read_csv(path, KNOWN, NEEDED, "measured rows")
    if not set(TIMES) & set(table.columns):
        raise table.error(f"no column of times: at least one of {', '.join(TIMES)} is needed")
    return MeasuredTable(path, tuple(map(_row, table.rows)))


def _row(stated: CsvRow) -> MeasuredRow:
    stated.check_word("strategy", strategies.catalogue())
    for name in set(TIMES) & stated.texts.keys():
        if _NUMBER.fullmatch(stated.texts[name]):
            stated.texts[name] += " ms"
    times_s = {name: stated.quantity(name, units.TIME) for name in TIMES if name in stated.texts}
    if not any(times_s.values()):
        raise stated.error(f"holds no time; state at least one of {', '.join(TIMES)}")
    batch = stated.whole("batch")
    assert batch is not None
    row = MeasuredRow(
        line=stated.line,
        strategy=stated.texts["strategy"],
        ranks=stated.whole("ranks"),
        segments=stated.whole("segments"),
        batch=batch,
        bits_per_s=stated.quantity("bandwidth", units.BIT_RATE) if "bandwidth" in stated.texts else None,
        times_s=times_s,
    )
    _check_sum(stated, row)
    return row


def _check_sum(stated: CsvRow, row: MeasuredRow) -> None:
    if not set(TIMES) <= row.times_s.keys():
        return
    total_s, sum_s = row.times_s["total"], sum(row.times_s[part] for part in PARTS)
    if abs(total_s - sum_s) > ADDS_UP * total_s:
        rule = f"total: {1e3 * total_s:.6g} ms, but {', '.join(PARTS)} add up to {1e3 * sum_s:.6g} ms"
        raise stated.error(f"{rule}; leave one of them empty, or correct it")
