"""The undistributed model on one device: what every strategy is measured against."""

from __future__ import annotations

from dataclasses import dataclass

from prism_sim.compressors import EVERY_ROW
from prism_sim.effects import Program
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import Model, Role, Steps, Strategy
from prism_sim.strategies.decoding import step_alone, step_terminal
from prism_sim.strategies.prism import rank_program
from prism_sim.strategies.token_split import TokenSplit, terminal_program


@dataclass(frozen=True, slots=True)
class Options:
    """None: there is nothing to choose."""


def rank(me: Role, model: Model, options: Options) -> Program:
    return (yield from rank_program(me, model, TokenSplit(), [EVERY_ROW] * len(model.blocks)))


def step_rank(me: Role, model: Model, options: Options) -> Program:
    return (yield from step_alone(me, model, TokenSplit(), [EVERY_ROW] * len(model.blocks)))


def step_at_terminal(me: Role, model: Model, options: Options) -> Program:
    return (yield from step_terminal(me, model, TokenSplit()))


def terminal(me: Role, model: Model, options: Options) -> Program:
    return (yield from terminal_program(me, model, TokenSplit()))


STRATEGY = Strategy(
    name="single",
    summary="the whole model on one device, the terminal unless ranks say otherwise; exact",
    source="prism_sim",
    options=Options,
    rank=AlikeBlocks(rank),
    terminal=terminal,
    lossless=lambda options: True,
    splits_tokens=False,
    one_rank=True,
    steps=Steps(AlikeBlocks(step_rank), step_at_terminal),
)
