"""A language model's head split over ranks by vocabulary, as Megatron and those who serve text do.

Each rank has the rows of the vocabulary's matrix that belong to its part of it, and so gets that part of the logits,
from which the terminal, which picks the token, puts all together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import doc

from prism_sim.effects import Gather, Mark, Program
from prism_sim.strategies.base import HEAD, Model, Role, Rows
from prism_sim.strategies.model_split import ModelSplit, portions


@dataclass(frozen=True, slots=True)
class TensorSplit(ModelSplit):
    """Options of every strategy under which all ranks have all rows at the end, and a part of every matrix."""

    head: Annotated[
        Literal["terminal", "split"] | None,
        doc(
            "where a language model's head runs: at the terminal, or split over the ranks by vocabulary, each with its "
            "part of the matrix; the terminal then gathers the logits. By default split where text is generated"
        ),
    ] = None


def is_split(me: Role, model: Model, options: TensorSplit) -> bool:
    """Whether ranks run the head. Raises ValueError where they are to, and no head runs, or one that has no vocabulary.

    Unless asked for, it is left at the terminal in a single pass: of that it is a small part, and the logits that would
    cross are no part of what the papers count.
    """
    if options.head != "split":
        return options.head is None and model.prompt_tokens > 0 and model.vocabulary > 0
    if me.placement.output == "in_place":
        raise ValueError("head(=split) has nothing to split, since output in_place runs no head; leave one of them out")
    if not model.vocabulary:
        raise ValueError("head(=split) needs a language model's head, lm, not this model's; write head: terminal")
    return True


def give_logits(me: Role, model: Model, options: TensorSplit, rows: Rows) -> Program:
    """A rank's part of the head. rows: those of `head_tokens`, of which all ranks have all."""
    yield Mark(HEAD)
    own = portions("tokens of a vocabulary", model.vocabulary, me.n_ranks, options.shares)[me.index]
    yield Gather(model.logits(rows, own), me.terminal, me.everyone, "logits")


def take_logits(me: Role, model: Model) -> Program:
    """The terminal's part."""
    *parts, _ = yield Gather(None, me.terminal, me.everyone, "logits")
    yield Mark(HEAD)
    model.head_from(parts)
