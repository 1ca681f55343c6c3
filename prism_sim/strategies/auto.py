"""No strategy of its own: leaves the choice to the simulator, which plays them all and takes the fastest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NoReturn

from annotated_types import Ge, doc

from prism_sim.strategies.base import Model, Role, Strategy


@dataclass(frozen=True, slots=True)
class Options:
    max_loss: Annotated[
        Annotated[float, Ge(0.0)] | None,
        doc("auto may take a lossy strategy whose outputs' cosine to the exact ones is at least 1 - max_loss"),
    ] = None


def _unresolved(me: Role, model: Model, options: Options) -> NoReturn:
    raise ValueError("auto stands for a choice that has not been made")


# not STRATEGY: the catalogue holds what can be played
AUTO = Strategy(
    name="auto",
    summary="the fastest exact strategy, or a lossy one within max_loss",
    source="",
    options=Options,
    rank=_unresolved,
    terminal=_unresolved,
    lossless=lambda options: options.max_loss is None,
    splits_tokens=False,  # not all that it chooses among do
)
