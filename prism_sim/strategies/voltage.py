"""Voltage (Hu and Li, ICDCS 2024): tokens are split over the ranks; all rows are exchanged before every block."""

from __future__ import annotations

from prism_sim.compressors import EVERY_ROW
from prism_sim.effects import Program
from prism_sim.strategies.base import Model, Role, Strategy
from prism_sim.strategies.prism import rank_program
from prism_sim.strategies.token_split import TokenSplit, terminal_program


def rank(me: Role, model: Model, options: TokenSplit) -> Program:
    return (yield from rank_program(me, model, options, [EVERY_ROW] * len(model.blocks)))


STRATEGY = Strategy(
    name="voltage",
    summary="tokens split over the ranks, all rows exchanged before every block; exact",
    source="Hu and Li, ICDCS 2024, as restated in arXiv 2605.25682",
    options=TokenSplit,
    rank=rank,
    terminal=terminal_program,
    lossless=lambda options: True,
    compressors=lambda options, n_tokens, n_ranks, n_blocks: (EVERY_ROW,) * n_blocks,
)
