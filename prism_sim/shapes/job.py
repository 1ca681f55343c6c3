"""What is to be computed, in sizes alone: everything that determines a Plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Any

from prism_sim import families, strategies
from prism_sim.effects import Program
from prism_sim.element_types import ELEMENT_TYPES, ElementType
from prism_sim.families.base import Dimensions, Head
from prism_sim.plan import participants
from prism_sim.strategies.base import Placement, Role, Steps, Strategy


class CannotGenerateError(ValueError):
    """What a request for text asks cannot be had. field: of a scenario, that at fault, from the section on."""

    def __init__(self, field: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Job:
    """One forward pass: model, input sizes, and how it is spread over ranks.

    Of a request that generates text it is the pass over the prompt, or a step, over one new row a sample, or several.

    padded: the input has a padding mask that travels. head_tokens: the rows that the head reads.
    dtype: of weights and activations; weight_dtype: of the blocks' weight matrices, wire_dtype: of rows that cross;
    None: as dtype. options: an instance of the strategy's Options. prompt_tokens: of a request that generates text,
    whose keys and values are kept; 0: nothing is. past: tokens before this pass's, 0: it is the prompt's.
    new_tokens: of a prompt, those that shall follow it, the first of which comes with it.
    Raises ValueError where the sizes do not fit together.
    """

    sizes: Dimensions
    head: Head
    batch: int
    n_tokens: int
    head_tokens: range
    n_ranks: int
    strategy: str
    options: Any
    placement: Placement = field(default_factory=Placement)
    padded: bool = False
    dtype: str = "float32"
    weight_dtype: str | None = None
    wire_dtype: str | None = None
    prompt_tokens: int = 0
    past: int = 0
    new_tokens: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "n_tokens", "n_ranks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}(={getattr(self, name)}) must be >= 1")
        if reason := self.sizes.too_long(self.past + self.n_tokens):
            raise ValueError(reason)
        fixed = families.find(self.sizes.family).fixed_tokens(self.sizes)
        if fixed is not None and self.n_tokens != fixed:
            raise ValueError(f"{self.n_tokens} tokens do not fit the model: its images give {fixed}")
        for reason in (self.sizes.ungrouped_weights(self.weight_type), self.sizes.ungrouped_rows(self.wire_type)):
            if reason:
                raise ValueError(reason)

    def prompt(self, new_tokens: int) -> Job:
        """The pass over the prompt of a request that generates text, for what is this pass alone.

        Raises CannotGenerateError where the model or the strategy cannot.
        """
        for at_fault, reason in self._obstacles(new_tokens):
            raise CannotGenerateError(at_fault, reason)
        last = range(self.n_tokens - 1, self.n_tokens)
        return replace(self, prompt_tokens=self.n_tokens, head_tokens=last, new_tokens=new_tokens)

    def _obstacles(self, new_tokens: int) -> Iterator[tuple[tuple[str, ...], str]]:
        """Why no text can be generated, each with the field of a scenario that is the cause."""
        if not families.find(self.sizes.family).causal:
            yield ("model",), f"{self.sizes.family} is an encoder: it cannot generate text, only causal models can"
        if self.head.reads != "last":
            yield ("model", "head"), f"head {self.head.name} cannot generate text: it needs a language model's"
        if (output := self.placement.output) != "terminal":
            yield ("placement", "output"), f"output {output} cannot generate text: the terminal picks the tokens"
        steps = strategies.find(self.strategy).steps
        if steps is None:
            able = ", ".join(name for name, found in strategies.catalogue().items() if found.steps is not None)
            rule = f"{self.strategy} has no step: it cannot generate text; those that can: {able}"
            yield ("strategy", "name"), rule
        elif (no_step := steps.refuse(self.options)) is not None:
            yield ("strategy", no_step.option), no_step.reason
        if reason := self.sizes.too_long(self.n_tokens + new_tokens):
            yield ("workload", "new_tokens"), f"a prompt of {self.n_tokens} and {new_tokens} new: {reason}"

    def step(self, past: int, n_tokens: int = 1) -> Job:
        """The pass over the new tokens that follow `past` tokens, of the prompt that this is.

        n_tokens: one that was just picked, or several that are known. Rows come from the terminal, wherever the prompt
        was, and the head reads them all.
        """
        if not self.prompt_tokens or past < self.prompt_tokens:
            raise ValueError(f"no step over token {past} can follow a prompt of {self.prompt_tokens} tokens")
        return replace(
            self, n_tokens=n_tokens, head_tokens=range(n_tokens), placement=Placement(), past=past, new_tokens=0
        )

    @property
    def step_pasts(self) -> range:
        """Of each step that follows the pass over this prompt, the tokens before it; empty where none does."""
        return range(self.n_tokens, self.n_tokens + max(0, self.new_tokens - 1))

    @property
    def element_bytes(self) -> int:
        return ELEMENT_TYPES[self.dtype].group_bytes

    @property
    def weight_type(self) -> ElementType:
        return ELEMENT_TYPES[self.weight_dtype or self.dtype]

    @property
    def wire_type(self) -> ElementType:
        return ELEMENT_TYPES[self.wire_dtype or self.dtype]

    @property
    def together(self) -> dict[str, int]:
        """How many neighbouring heads and columns no split parts, since their weights share a scale."""
        group = self.weight_type.group
        return {"heads": group // gcd(group, self.sizes.head_width), "columns": group}

    def alone(self) -> Job:
        """The same pass by one device that has the whole model."""
        single = strategies.find("single")
        return replace(self, n_ranks=1, strategy=single.name, options=single.options())

    @property
    def crosses_as_it_is(self) -> bool:
        """Whether rows cross in the element type in which they are computed with."""
        return self.wire_dtype in (None, self.dtype)

    def roles(self) -> list[Role]:
        """The participants: ranks, then the terminal."""
        return [Role(index, self.n_ranks, self.placement) for index in participants(self.n_ranks)]

    @property
    def _of_pass(self) -> Strategy | Steps:
        strategy = strategies.find(self.strategy)
        of_pass = strategy.steps if self.past else strategy
        assert of_pass is not None
        return of_pass

    @property
    def rank_program(self) -> Callable[[Role, Any, Any], Program]:
        """What the strategy offers as a rank's program of this pass."""
        return self._of_pass.rank

    def programs(self, models: list[Any]) -> list[Any]:
        """The strategy's program for each participant, on the model that each computes with."""
        of_pass = self._of_pass
        return [
            (of_pass.terminal if me.index == me.terminal else of_pass.rank)(me, model, self.options)
            for me, model in zip(self.roles(), models, strict=True)
        ]


class OfJob:
    """The sizes that a program asks its model for, whichever interpreter runs it; see `strategies.base.Model`."""

    job: Job

    @property
    def batch(self) -> int:
        return self.job.batch

    @property
    def n_tokens(self) -> int:
        return self.job.n_tokens

    @property
    def past(self) -> int:
        return self.job.past

    @property
    def prompt_tokens(self) -> int:
        return self.job.prompt_tokens

    @property
    def causal(self) -> bool:
        return families.find(self.job.sizes.family).causal

    @property
    def n_heads(self) -> int:
        return self.job.sizes.n_heads

    @property
    def n_columns(self) -> int:
        return self.job.sizes.feed_forward_width

    @property
    def heads_together(self) -> int:
        return self.job.together["heads"]

    @property
    def columns_together(self) -> int:
        return self.job.together["columns"]

    @property
    def head_tokens(self) -> range:
        return self.job.head_tokens

    @property
    def vocabulary(self) -> int:
        return self.job.sizes.vocabulary if self.job.head.vocabulary else 0
