"""A fit of a board to rows of one's own, as it is told and written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from prism_sim.boards.facts import Board
from prism_sim.boards.fit import BoardFit, fit_board
from prism_sim.boards.left_out import Unseen, unseen_of
from prism_sim.boards.presets import amount_text
from prism_sim.boards.rows import BoardRow
from prism_sim.syntax import presets


@dataclass(frozen=True, slots=True)
class BoardNumber:
    """One number of a runtime, as texts with units. interval: 90 %; n_rows: of whose time a fifth depends on it."""

    runtime: str
    name: str
    expected: str
    fitted: str
    interval: str
    n_rows: int


@dataclass(frozen=True)
class OwnFit:
    """numbers: those of runtimes that have rows. unseen: each row, fitted and left out."""

    fit: BoardFit
    numbers: tuple[BoardNumber, ...]
    unseen: tuple[Unseen, ...]

    @staticmethod
    def of(board: Board, rows: Sequence[BoardRow], rows_file: str) -> OwnFit:
        fit = fit_board(board, rows, rows_file, date.today().year)
        return OwnFit(fit, tuple(_numbers(fit)), tuple(unseen_of(board, rows)))

    @property
    def preset_name(self) -> str:
        """The board's, unless a ready preset has it."""
        name = self.fit.board.name
        return f"my-{name}" if name in presets.names("devices") else name

    def to_json(self) -> dict[str, Any]:
        return {
            "board": self.fit.board.name,
            "preset": self.preset_name,
            "numbers": [asdict(number) for number in self.numbers],
            "rows": [
                {"row": one.row.name, "measured_s": one.row.seconds, "fitted_s": one.fitted_s, "unseen_s": one.unseen_s}
                for one in self.unseen
            ],
        }


def _numbers(fit: BoardFit) -> Iterator[BoardNumber]:
    measured = {row.runtime for row in fit.rows}
    for runtime, name in fit.found:
        if runtime in measured:
            key = runtime, name
            ends = " to ".join(amount_text(name, end) for end in fit.interval(key))
            expected, fitted = (amount_text(name, numbers[key]) for numbers in (fit.expected, fit.found))
            yield BoardNumber(runtime, name, expected, fitted, ends, len(fit.telling(key)))
