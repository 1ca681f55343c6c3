"""What a rank's program may say of itself: that it does the same in every block, so that few tell what many do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prism_sim.effects import Program
from prism_sim.strategies.base import Model, Role


@dataclass(frozen=True, slots=True)
class AlikeBlocks:
    """A rank's program that iterates over its model's blocks once, and does the same in each, however many there are.

    But for the first two and the last of them, and for their numbers in labels ("block 7"). unless(options): not with
    these. turns(ranks): where ranks run ahead of each other in turn, the blocks until it is the same rank's turn.
    A program that does not say so of itself is asked about every block.
    """

    program: Callable[[Role, Model, Any], Program]
    unless: Callable[[Any], bool] = lambda options: False
    turns: Callable[[int], int] = lambda n_ranks: 1

    def __call__(self, me: Role, model: Model, options: Any) -> Program:
        return self.program(me, model, options)
