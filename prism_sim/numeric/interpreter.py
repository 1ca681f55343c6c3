"""Runs all ranks in lock step on a Hugging Face model: the real mathematics, and the Plan that it followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim import driver, families
from prism_sim.driver import Driven
from prism_sim.effects import Program
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.cache import Cache
from prism_sim.numeric.codebooks import Codebooks, codebooks_for
from prism_sim.numeric.meter import FlopMeter, SilentMeter, flop_counter
from prism_sim.numeric.model import Input, TensorModel
from prism_sim.numeric.vocabulary import LastProduct, no_rows, vocabulary_head, with_last_product, with_module
from prism_sim.plan import Compute, Kernel, Plan
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import HEAD
from prism_sim.wire import at_the_border

Watch = Callable[[int, Sequence[TensorBlock]], Sequence[TensorBlock]]  # the blocks that a participant is to run


@dataclass(frozen=True, slots=True)
class TensorPass:
    """output: what the model's own forward returned. plan: as observed, if asked for."""

    output: Any
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class _How:
    """What a run is to be done with beside its job. counter: of FLOPs, None: they are not counted."""

    counter: Any
    watch: Watch | None
    codebooks: Codebooks | None
    caches: Sequence[Cache] | None


class Ranks(nn.Module):
    """Stands in place of a model's layer list: all participants run in it, one forward pass.

    last: what stands in place of the model's last product, for logits that the ranks have made.
    """

    def __init__(
        self, job: Job, model: nn.Module, inputs: Mapping[str, Any], how: _How, last: LastProduct | None
    ) -> None:
        super().__init__()
        self.job, self.inputs, self.how, self.counter = job, inputs, how, how.counter
        family = families.find(job.sizes.family)
        trunk = getattr(model, family.trunk, model)
        self.held = trunk, last, vocabulary_head(model, job.head)  # in a tuple: no children of this module
        self.blocks = [TensorBlock(family.parts(layer), trunk.training) for layer in family.layers(trunk)]
        self.real = padding_mask(inputs)
        self.done: Driven | None = None
        self.flops_when_done = 0

    def _flops(self) -> int:
        return self.counter.get_total_flops() if self.counter else 0

    def forward(self, embedded: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if embedded.shape[:2] != (self.job.batch, self.job.n_tokens):
            expected = f"{self.job.batch} x {self.job.n_tokens}"
            raise ValueError(f"the inputs make {tuple(embedded.shape[:2])} samples and tokens, not {expected}")
        trunk, last, vocabulary = self.held
        given = Input(trunk, self.inputs, embedded, self.real, self._flops(), self.how.codebooks, vocabulary)
        meters = [FlopMeter(self.counter) if self.counter else SilentMeter() for _ in range(self.job.n_ranks + 1)]
        models = [
            TensorModel(
                self.job,
                given,
                self.how.watch(number, self.blocks) if self.how.watch else self.blocks,
                meter,
                self.how.caches[number] if self.how.caches else None,
            )
            for number, meter in enumerate(meters)
        ]
        self.done = driver.run(programs(self.job, models), meters)
        self.flops_when_done = self._flops()
        if (logits := models[-1].gathered) is not None:
            assert last is not None
            last.gathered = logits
            return no_rows(self.job, logits)
        return rows_after_blocks(self.job, self.done.results, models[-1].output)


def programs(job: Job, models: Sequence[TensorModel]) -> list[Program]:
    """Every participant's program on its model; rows cross in the element type of the wire."""
    made = job.programs(list(models))
    if job.crosses_as_it_is:
        return made
    return [at_the_border(program, me.send, me.receive) for program, me in zip(made, models, strict=True)]


def rows_after_blocks(job: Job, results: Sequence[Any], gathered: Tensor | None) -> Tensor:
    """What a model's own forward goes on with: (batch, tokens, width), from what the participants end with.

    results: what their programs returned. gathered: the rows that the terminal's head reads; None: nothing was.
    """
    if job.placement.output == "in_place":  # what lies on the ranks is the output: tokens of all samples, or samples
        parts = [rows for rows in results if rows is not None]
        return torch.cat(parts, dim=1 if all(len(rows) == job.batch for rows in parts) else 0)
    assert gathered is not None
    if gathered.shape[1] == job.n_tokens:
        return gathered
    before, after = job.head_tokens.start, job.n_tokens - job.head_tokens.stop
    return nn.functional.pad(gathered, (0, 0, before, after))  # the head reads no other row


def padding_mask(inputs: Mapping[str, Any]) -> Tensor | None:
    """The user's own 2-D mask, true at real tokens; None if nothing is padded. Raises ValueError for another rank."""
    mask = inputs.get("attention_mask")
    if mask is None:
        return None
    if mask.dim() != 2:
        raise ValueError(f"attention_mask must be (batch, tokens), but has shape {tuple(mask.shape)}")
    real = mask != 0
    return None if bool(real.all()) else real


def execute(
    model: nn.Module,
    inputs: Mapping[str, Any],
    job: Job,
    observe: bool = False,
    watch: Watch | None = None,
    codebooks: Sequence[Tensor] | None = None,
    caches: Sequence[Cache] | None = None,
) -> TensorPass:
    """One forward pass of `model`, its blocks run as `job` says; everything else is the model's own code.

    watch: gives each participant blocks in place of the model's, such as show what passes through them.
    codebooks: see `codebooks_for`, which says what is taken where a compressor needs some and none are given.
    caches: of each participant, what earlier passes of a request that generates text have left; this one adds to them.
    The caller's model stays untouched. Gradients reach its parameters. Raises ValueError where the strategy cannot
    serve the job.
    """
    found = codebooks_for(model, job, codebooks)
    family = families.find(job.sizes.family)
    stand_in, last = with_last_product(model, job.head)
    with flop_counter() if observe else nullcontext() as counter:
        ranks = Ranks(job, model, inputs, _How(counter, watch, found, caches), last)
        stand_in = with_module(stand_in, family.path(model), nn.ModuleList([ranks]))
        output = stand_in(**inputs)
        head_flops = counter.get_total_flops() - ranks.flops_when_done if counter else 0
    assert ranks.done is not None
    return TensorPass(output, _observed(job, ranks.done, head_flops) if counter else None)


def _observed(job: Job, done: Driven, head_flops: int) -> Plan:
    programs = list(done.programs)
    if head_flops and job.placement.output == "terminal":
        programs[-1] = (*programs[-1], Compute(HEAD, (Kernel("observed", head_flops, 0),)))
    nothing = (0,) * len(programs)
    return Plan(job.n_ranks, tuple(programs), done.exchanges, nothing, nothing)
