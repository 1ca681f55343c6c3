"""`generate`: text token by token from a Hugging Face model whose blocks a strategy spreads over ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim.numeric.cache import Cache
from prism_sim.numeric.infer import job_for, main_output, options_of, plain
from prism_sim.numeric.interpreter import execute, padding_mask
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.strategies.prism import DEFAULT_SEGMENTS

KNOWN_INPUTS = frozenset({"input_ids", "attention_mask"})


@dataclass(frozen=True, slots=True)
class Generated:
    """tokens: (batch, new tokens); after its end of text a sequence goes on with the padding token. logits: what each
    was picked by, (batch, new tokens, vocabulary). prompt, steps: the Plan of the pass over the prompt, predicted or as
    observed, and of each step. cache_bytes: per participant, of keys and values after the last step.
    """

    tokens: Tensor
    logits: Tensor
    prompt: Plan
    steps: tuple[Plan, ...]
    cache_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picking:
    """How a token is picked.

    temperature: 0 takes the likeliest. top_k: it is sampled of so many; None: of all. seed: of the sampling.
    end_of_text: tokens after which a sequence has ended; then padding follows.
    """

    temperature: float
    top_k: int | None
    seed: int
    end_of_text: tuple[int, ...]
    padding: int


def generate(
    model: nn.Module,
    inputs: Mapping[str, Any],
    new_tokens: int,
    ranks: int = 2,
    strategy: str = "prism",
    segments: int | Sequence[int] = DEFAULT_SEGMENTS,
    compressor: str | None = None,
    shares: Sequence[float] | None = None,
    observe: bool = False,
    placement: Placement | None = None,
    codebooks: Sequence[Tensor] | None = None,
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int = 0,
    end_of_text: int | Sequence[int] | None = None,
    **options: Any,
) -> Generated:
    """Continues each prompt by at most `new_tokens`, all ranks in this process; everything else as `infer`.

    inputs: input_ids (batch, tokens) and, for prompts of different lengths, attention_mask; padding may stand before or
    after a prompt, and is moved before it. One pass over the prompt leaves keys and values with the ranks, as the
    strategy keeps them; each step is a pass over one new row a sample. Ends early when all sequences have.
    temperature, top_k, seed: of sampling; by default the likeliest token is taken. end_of_text: by default as the
    model's generation configuration has it; an empty list: there is none.
    Raises ValueError for what is not supported, saying what and why.
    """
    if new_tokens < 1:
        raise ValueError(f"new_tokens(={new_tokens}) must be >= 1")
    if strange := set(inputs) - KNOWN_INPUTS:
        raise ValueError(f"generation takes {' and '.join(sorted(KNOWN_INPUTS))}, not {', '.join(sorted(strange))}")
    picking = _picking(model, temperature, top_k, seed, end_of_text)
    chosen = options_of(strategy, segments, shares, {**options, "compressor": compressor})
    given = padded_before(inputs)
    prompt = job_for(model, given, ranks, strategy, chosen, placement or Placement()).prompt(new_tokens)
    with torch.no_grad():
        return _Run(model, prompt, given, picking, observe, codebooks).generate()


class _Run:
    def __init__(
        self,
        model: nn.Module,
        prompt: Job,
        given: Mapping[str, Tensor],
        picking: Picking,
        observe: bool,
        codebooks: Sequence[Tensor] | None,
        caches: Sequence[Cache] | None = None,
    ) -> None:
        self.model, self.prompt, self.given, self.picking = model, prompt, given, picking
        self.observe, self.codebooks = observe, codebooks
        self.caches = [Cache() for _ in range(prompt.n_ranks + 1)] if caches is None else caches
        self.random = torch.Generator().manual_seed(picking.seed)
        self.ended = torch.zeros(prompt.batch, dtype=torch.bool)

    def generate(self, forced: Tensor | None = None) -> Generated:
        """forced: tokens (batch, new) to go on with, whatever is picked."""
        logits, plan = self._pass(self.prompt, prompt_inputs(self.given))
        plans, all_logits, tokens = [plan], [logits], [self._pick(logits)]
        lengths = prompt_lengths(self.given)
        for step, past in enumerate(self.prompt.step_pasts):
            if bool(self.ended.all()):
                break
            fed = tokens[-1] if forced is None else forced[:, step]
            logits, plan = self._pass(self.prompt.step(past), step_inputs(fed[:, None], lengths + step))
            plans.append(plan)
            all_logits.append(logits)
            tokens.append(self._pick(logits))
        return Generated(
            tokens=torch.stack(tokens, dim=1),
            logits=torch.stack(all_logits, dim=1),
            prompt=plans[0],
            steps=tuple(plans[1:]),
            cache_bytes=tuple(cache.nbytes for cache in self.caches),
        )

    def _pass(self, job: Job, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Plan]:
        """The logits (batch, vocabulary) of the last token, and the pass's Plan."""
        logits, plan = pass_of(self.model, job, inputs, self.observe, self.codebooks, self.caches)
        return logits[:, -1], plan

    def _pick(self, logits: Tensor) -> Tensor:
        """A token for each sequence, (batch,)."""
        if self.picking.temperature == 0:
            found = logits.argmax(-1)
        else:
            scaled = logits.double() / self.picking.temperature
            if self.picking.top_k is not None:
                least = scaled.topk(min(self.picking.top_k, scaled.shape[-1])).values[:, -1:]
                scaled = scaled.masked_fill(scaled < least, -torch.inf)
            found = torch.multinomial(scaled.softmax(-1), 1, generator=self.random)[:, 0]
        found = found.masked_fill(self.ended, self.picking.padding)
        self.ended |= torch.isin(found, torch.tensor(self.picking.end_of_text, dtype=found.dtype))
        return found


def pass_of(
    model: nn.Module,
    job: Job,
    inputs: Mapping[str, Tensor],
    observe: bool,
    codebooks: Sequence[Tensor] | None,
    caches: Sequence[Cache],
) -> tuple[Tensor, Plan]:
    """The logits (batch, tokens, vocabulary) of one pass of a request, and its Plan, predicted or as observed."""
    done = execute(model, plain(model, inputs), job, observe, None, codebooks, caches)
    return main_output(done.output), done.plan or predict(job)


@torch.no_grad()
def continued(
    model: nn.Module,
    inputs: Mapping[str, Any],
    prompt: Job,
    forced: Tensor | None = None,
    codebooks: Sequence[Tensor] | None = None,
    observe: bool = True,
    caches: Sequence[Cache] | None = None,
) -> Generated:
    """What a job of a prompt generates, the likeliest token each time, to the last of its new tokens.

    forced: tokens (batch, new) that are fed in place of those that are picked, so that logits can be compared.
    observe: as `generate`. caches: empty ones, one a participant, in which keys and values are then found.
    """
    never_ends = Picking(0.0, None, 0, (), 0)
    one = _Run(model, prompt, padded_before(inputs), never_ends, observe, codebooks, caches)
    return one.generate(forced)


def _picking(
    model: nn.Module, temperature: float, top_k: int | None, seed: int, end_of_text: int | Sequence[int] | None
) -> Picking:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature(={temperature}) must be 0 or more, and finite")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k(={top_k}) must be >= 1")
    configured = getattr(model, "generation_config", None)
    ends = getattr(configured, "eos_token_id", None) if end_of_text is None else end_of_text
    found = tuple(ends) if isinstance(ends, Iterable) else () if ends is None else (ends,)
    padding = getattr(configured, "pad_token_id", None)
    return Picking(temperature, top_k, seed, found, padding if padding is not None else found[0] if found else 0)


def padded_before(inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """Prompts whose padding, if any, stands before them, each with its tokens in order. Raises ValueError within one.

    Where all prompts have the same length, nothing is padded.
    """
    ids, mask = inputs.get("input_ids"), inputs.get("attention_mask")
    if ids is None or ids.dim() != 2 or ids.dtype not in (torch.int64, torch.int32):
        raise ValueError("generation needs input_ids: whole numbers, (batch, tokens)")
    real = padding_mask({"attention_mask": mask})
    if real is None:
        return {"input_ids": ids}
    if real.shape != ids.shape:
        raise ValueError(f"attention_mask {tuple(real.shape)} must have the shape of input_ids {tuple(ids.shape)}")
    if not bool(real.any(1).all()):
        raise ValueError("a prompt is all padding: it needs one real token at least")
    if bool((real.long().diff(dim=1) != 0).sum(1).gt(1).any()):
        raise ValueError("padding must stand before or after a prompt, not within it nor on both sides")
    lengths = real.sum(1)
    turns = [0 if keep[-1] else len(keep) - int(keep.sum()) for keep in real]
    n_tokens = int(lengths.max())
    moved = torch.stack([row.roll(turn) for row, turn in zip(ids, turns, strict=True)])[:, -n_tokens:]
    before = torch.arange(n_tokens)[None] >= n_tokens - lengths[:, None]
    return {"input_ids": moved} if bool(before.all()) else {"input_ids": moved, "attention_mask": before.long()}


def prompt_lengths(given: Mapping[str, Tensor]) -> Tensor:
    """Real tokens of each prompt, (batch,)."""
    real = padding_mask(given)
    ids = given["input_ids"]
    return torch.full((len(ids),), ids.shape[1], device=ids.device) if real is None else real.sum(1)


def step_inputs(tokens: Tensor, lengths: Tensor) -> dict[str, Any]:
    """What the model's own forward takes of a step. tokens: (batch, rows), which follow `lengths` (batch,) others."""
    return {"input_ids": tokens, "position_ids": lengths[:, None] + torch.arange(tokens.shape[1], device=tokens.device)}


def prompt_inputs(given: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the model's own forward takes: a padded prompt's positions count its real tokens; logits of the last one."""
    found: dict[str, Any] = {**given, "logits_to_keep": 1}
    if (mask := given.get("attention_mask")) is not None:
        found["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    return found
