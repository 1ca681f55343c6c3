"""`infer`: one call from a Hugging Face model and its inputs to the distributed output and its Plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim import families, strategies
from prism_sim.families.base import Dimensions, Family, Head
from prism_sim.numeric.codebooks import Codebooks, fitted
from prism_sim.numeric.interpreter import execute, padding_mask
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.strategies.options import Excludes, choices, declared, marks, minima
from prism_sim.strategies.prism import DEFAULT_SEGMENTS

REFUSED = (
    *("output_hidden_states", "output_attentions", "output_router_logits"),
    *("past_key_values", "encoder_hidden_states", "inputs_embeds"),
)


@dataclass(frozen=True, slots=True)
class Inference:
    """output: logits, or the last hidden state of a model without head. plan: predicted, or as observed.

    hf_output: all that the model's own forward returned (its loss, if labels were given).
    """

    output: Any
    plan: Plan
    hf_output: Any


def infer(
    model: nn.Module,
    inputs: Mapping[str, Any],
    ranks: int = 2,
    strategy: str = "prism",
    segments: int | Sequence[int] = DEFAULT_SEGMENTS,
    compressor: str | None = None,
    shares: Sequence[float] | None = None,
    observe: bool = False,
    placement: Placement | None = None,
    codebooks: Sequence[Tensor] | None = None,
    **options: Any,
) -> Inference:
    """Runs a Hugging Face model as `strategy` spreads it over `ranks`, all in this process.

    model: of a family in `families.catalogue()`, such as ViT, BERT, GPT-2 or Llama, bare or with a head of theirs; it
    stays untouched, and gradients reach its parameters.
    inputs: what the model's forward takes. ranks: 1 whatever is asked for where the strategy knows only one.
    segments (L, or a list of one for each block), compressor, shares (of what is split, summing to 1) and further
    options are the strategy's; of those that it does not know only segments is ignored, which has a default.
    observe: count FLOPs as they happen and give the observed Plan in place of the predicted one.
    codebooks: of vector quantisation, from `fit_codebooks`; by default they are fitted to seeded noise, anew whenever
    the model's parameters have changed.
    Raises ValueError for what is not supported, saying what and why.
    """
    chosen = options_of(strategy, segments, shares, {**options, "compressor": compressor})
    job = job_for(model, inputs, ranks, strategy, chosen, placement or Placement())
    outcome = execute(model, plain(model, inputs), job, observe, codebooks=codebooks)
    return Inference(main_output(outcome.output), outcome.plan or predict(job), outcome.output)


def fit_codebooks(
    model: nn.Module,
    batches: Sequence[Mapping[str, Any]],
    ranks: int = 2,
    strategy: str = "prism",
    segments: int | Sequence[int] = DEFAULT_SEGMENTS,
    compressor: str = "vector_quantisation",
    shares: Sequence[float] | None = None,
    **options: Any,
) -> Codebooks:
    """Codebooks for `infer(..., codebooks=...)` of the same model, ranks and options, by k-means on the inputs' rows.

    batches: inputs to calibrate on, each as `infer` takes them. The same batches give the same codebooks, to the bit.
    Returns a tensor (codebook_size, width) for each block. Raises ValueError as `infer`, and if no codebook is needed.
    """
    if not batches:
        raise ValueError("codebooks need at least one batch of inputs to be fitted to")
    chosen = options_of(strategy, segments, shares, {**options, "compressor": compressor})
    return fitted(model, batches, job_for(model, batches[0], ranks, strategy, chosen, Placement()))


def options_of(
    strategy: str, segments: int | Sequence[int], shares: Sequence[float] | None, further: Mapping[str, Any]
) -> Any:
    """The strategy's Options from what was given. Raises ValueError for what it does not know or cannot serve."""
    numbers = shares if shares is None or isinstance(shares, str) else tuple(shares)  # a word is refused later
    given = {**further, "shares": numbers}
    if further.get("compression_rate") is None or segments != DEFAULT_SEGMENTS:  # a rate stands in for the default
        given["segments"] = tuple(segments) if isinstance(segments, Iterable) else segments
    if strategy == strategies.AUTO.name:
        raise ValueError(f"{strategy} needs a scenario's devices; name a strategy: {', '.join(strategies.catalogue())}")
    kind = strategies.find(strategy).options
    known, excludes = declared(kind), marks(kind, Excludes)
    stated = {name: value for name, value in given.items() if value is not None}
    if strange := set(stated) - set(known) - {"segments"}:
        listed = ", ".join(sorted(known)) or "none"
        raise ValueError(f"{strategy} does not know {', '.join(sorted(strange))}; its options: {listed}")
    for name, words in choices(kind).items():
        if (word := stated.get(name, words[0])) not in words:
            raise ValueError(f"{name}(={word!r}) is not one of {', '.join(words)}")
    for name in stated.keys() & known.keys():
        minimum = minima(kind).get(name)
        for value in stated[name] if isinstance(stated[name], tuple) else (stated[name],):
            if minimum is not None and not value >= minimum:  # and so not NaN
                raise ValueError(f"{name}(={value}) must be >= {minimum}")
        if name in excludes and (rival := excludes[name].other) in stated:
            raise ValueError(f"{name} and {rival} say the same thing: give one of them")
    return kind(**{name: value for name, value in stated.items() if name in known})


def job_for(
    model: nn.Module, inputs: Mapping[str, Any], ranks: int, strategy: str, options: Any, placement: Placement
) -> Job:
    """The sizes of this model on these inputs. Raises ValueError for models and inputs that are not supported."""
    family, sizes, head = describe(model)
    _refuse(model, family, sizes, inputs)
    main = inputs[family.input_name]
    if reason := head.refuse(model.config.to_dict(), int(main.shape[0])):  # type: ignore[union-attr,operator]
        raise ValueError(reason)
    n_tokens = family.fixed_tokens(sizes) or int(main.shape[1])
    return Job(
        sizes=sizes,
        head=head,
        batch=int(main.shape[0]),
        n_tokens=n_tokens,
        head_tokens=_head_tokens(head, n_tokens, inputs.get("logits_to_keep", 0)),
        n_ranks=1 if strategies.find(strategy).one_rank else ranks,
        strategy=strategy,
        options=options,
        placement=placement,
        padded=padding_mask(inputs) is not None,
        dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
    )


def _refuse(model: nn.Module, family: Family, sizes: Dimensions, inputs: Mapping[str, Any]) -> None:
    """Raises ValueError for inputs that would be misunderstood."""
    for name in REFUSED:
        given = inputs.get(name)
        asked = getattr(model.config, name, None) if given is None else given
        if asked is not None and asked is not False:
            raise ValueError(f"{name} is not supported: blocks run apart, on several ranks")
    if inputs.get(family.input_name) is None:
        raise ValueError(f"inputs need {family.input_name!r}, but have {', '.join(inputs) or 'nothing'}")
    positions = inputs.get("position_ids")
    unmasked = family.causal and positions is not None and inputs.get("attention_mask") is None
    # Hugging Face takes positions that do not count up for sequences packed into one, and masks each from the others
    if unmasked and bool((positions.diff(dim=-1) != 1).any()):  # type: ignore[union-attr]
        raise ValueError("position_ids that do not count up by one need an attention_mask beside them")
    # ranks know one row of positions, and where a padded sample begins does not matter, only how far apart tokens are
    if sizes.rotary and positions is not None and bool((positions != positions[:1]).any()):
        rule = "position_ids that differ between samples are not supported: queries and keys are turned by them"
        raise ValueError(f"{rule}; leave them out, also of padded samples")


def _head_tokens(head: Head, n_tokens: int, kept: Any) -> range:
    """The tokens whose logits the caller gets: all of a language model, unless it keeps the last ones only."""
    if head.reads != "last":
        return head.tokens(n_tokens)
    return range(max(0, n_tokens - kept) if isinstance(kept, int) and kept > 0 else 0, n_tokens)


def describe(model: nn.Module) -> tuple[Family, Dimensions, Head]:
    """Family, sizes and head of a Hugging Face model. Raises ValueError, naming what is supported, for any other."""
    config = getattr(model, "config", None)
    if config is None:
        raise ValueError(f"{type(model).__name__} is no Hugging Face model: it has no config")
    family = families.find(str(config.model_type))
    described = config.to_dict()
    if reason := family.refuse(described):
        raise ValueError(reason)
    heads = {head.hf_class: head for head in family.heads}
    if type(model).__name__ not in heads:
        raise ValueError(f"{type(model).__name__} is not supported; of this family: {', '.join(heads)}")
    sizes = family.dimensions(described)
    if not hasattr(model, family.trunk) and getattr(model, "pooler", None) is None:
        sizes = dataclasses.replace(sizes, pooler_width=0)
    return family, sizes, heads[type(model).__name__]


def plain(model: nn.Module, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, without a key-value cache: the blocks that would fill it are not there. The output has names."""
    causal = families.find(str(model.config.model_type)).causal  # type: ignore[union-attr]
    return {**inputs, "return_dict": True, **({"use_cache": False} if causal else {})}


def main_output(output: Any) -> Any:
    """Logits, or the last hidden state of a model without head, from what a Hugging Face forward returned.

    Of question answering (batch, 2, tokens): how likely the answer is to start, and to end, at each token.
    """
    if (found := getattr(output, "logits", None)) is not None:
        return found
    if (start := getattr(output, "start_logits", None)) is not None:
        return torch.stack((start, output.end_logits), dim=1)
    return output.last_hidden_state


def has_logits(output: Any) -> bool:
    """Whether `main_output` of it is logits."""
    return any(getattr(output, name, None) is not None for name in ("logits", "start_logits"))
