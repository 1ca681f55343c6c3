"""Points handed out in pieces of about a second: what they share is worth it, and they are small enough to lose.

A second of the processor, not of the clock: on a busy machine, smaller pieces would make it busier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

from prism_sim.sweeping.points import Overrides
from prism_sim.sweeping.work import Kind, WorkPiece

WANTED_S = 1.0
FIRST, LARGEST = 2, 8192  # points
GROWTH = 4  # of pieces, one by one, until they take as long as wanted
SMALLEST_PART = 4  # of a piece, at the end, when several takers are to end together


class Pieces:
    """Hands out each point once, to whoever asks; may be asked by several threads."""

    def __init__(self, kind: Kind, points: Sequence[tuple[Any, Overrides]], n_takers: int) -> None:
        self.kind, self.points, self.n_takers = kind, points, n_takers
        self.lock = Lock()
        self.next = 0

    @property
    def what(self) -> str:
        return {"timing": "points", "numerics": "outputs", "accuracy": "accuracies"}[self.kind]

    def taker(self) -> Taker:
        return Taker(self)

    def take(self, wanted: int) -> WorkPiece | None:
        with self.lock:
            if self.n_takers > 1:
                fair = max(-(-(len(self.points) - self.next) // (2 * self.n_takers)), wanted // SMALLEST_PART)
                wanted = max(1, min(wanted, fair))
            points = tuple(self.points[self.next : self.next + wanted])
            self.next += len(points)
        return WorkPiece(self.kind, points) if points else None


class Taker:
    """One who takes pieces, of a size that follows its speed; outputs are taken one by one."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self.wanted = FIRST if pieces.kind == "timing" else 1

    def __call__(self) -> WorkPiece | None:
        return self.pieces.take(self.wanted)

    def took(self, piece: WorkPiece, work_s: float) -> None:
        if self.pieces.kind == "timing":
            fitting = int(len(piece.points) * WANTED_S / work_s) if work_s > 0 else LARGEST
            self.wanted = max(1, min(fitting, GROWTH * self.wanted, LARGEST))

    def __iter__(self) -> Iterator[WorkPiece]:
        while (piece := self()) is not None:
            yield piece
