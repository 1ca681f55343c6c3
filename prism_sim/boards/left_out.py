"""How near a fit comes to rows that it has not seen: each model of a board is left out in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prism_sim.boards.facts import Board, boards
from prism_sim.boards.fit import fit_board
from prism_sim.boards.rows import BoardRow, board_rows


@dataclass(frozen=True, slots=True)
class Unseen:
    """A row, what the board's fit says of it, and what it says without the rows of this model.

    unseen_s: None where no other model was measured in this runtime.
    """

    row: BoardRow
    fitted_s: float
    unseen_s: float | None


def unseen_rows() -> Iterator[Unseen]:
    """Of all boards, those rows that fits are made of."""
    for name, board in boards().items():
        yield from unseen_of(board, [row for row in board_rows() if row.device == name])


def unseen_of(board: Board, rows: Sequence[BoardRow]) -> Iterator[Unseen]:
    """Of one board."""
    if not board.fitted_runtimes:
        return
    whole = fit_board(board, rows)
    for model in dict.fromkeys(row.model for row in whole.rows):
        others = [row for row in whole.rows if row.model != model]
        without = fit_board(board, others)
        for row in whole.rows:
            if row.model == model:
                alone = all(other.runtime != row.runtime for other in others)
                yield Unseen(row, whole.predicted_s(row), None if alone else without.predicted_s(row))
