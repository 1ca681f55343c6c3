"""Voltage (Hu and Li, ICDCS 2024): tokens are split over the ranks; all rows are exchanged before every block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import doc

from prism_sim.compressors import EVERY_ROW
from prism_sim.effects import Program
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import Model, Role, Steps, Strategy
from prism_sim.strategies.decoding import step_alone, step_in_parts, step_terminal
from prism_sim.strategies.prism import rank_program
from prism_sim.strategies.token_split import TokenSplit, terminal_program


@dataclass(frozen=True, slots=True)
class Options(TokenSplit):
    cache: Annotated[
        Literal["parts", "whole"],
        doc(
            "where new tokens find the prompt's keys and values: each rank's own rows with it (parts), all of them, "
            "which it computes anyway, with the last rank (whole)"
        ),
    ] = "parts"


def rank(me: Role, model: Model, options: Options) -> Program:
    every_row = [EVERY_ROW] * len(model.blocks)
    return (yield from rank_program(me, model, options, every_row, in_parts=options.cache == "parts"))


def step_rank(me: Role, model: Model, options: Options) -> Program:
    if options.cache == "parts":
        return (yield from step_in_parts(me, model, options))
    return (yield from step_alone(me, model, options, [EVERY_ROW] * len(model.blocks)))


STRATEGY = Strategy(
    name="voltage",
    summary="tokens split over the ranks, all rows exchanged before every block; exact",
    source="Hu, Li (2024), Voltage, ICDCS; as restated in arXiv 2605.25682",
    options=Options,
    rank=AlikeBlocks(rank),
    terminal=terminal_program,
    lossless=lambda options: True,
    compressors=lambda options, n_tokens, n_ranks, n_blocks: (EVERY_ROW,) * n_blocks,
    steps=Steps(AlikeBlocks(step_rank), step_terminal),
)
