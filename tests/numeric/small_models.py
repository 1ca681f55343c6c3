"""Small models of every family and head, in float64, no parameter of which is zero or one, and their inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from prism_sim import families, strategies
from prism_sim.strategies.base import Strategy
from prism_sim.strategies.options import CheckedText, SameAsNone, marks, minima

VOCABULARY, LABELS, PATCH = 37, 5, 4
MAX_TOKENS = 48

PICTURE = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 35,
    "patch_size": PATCH,
    "num_labels": LABELS,
}
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 35,
    "max_position_embeddings": MAX_TOKENS,
    "num_labels": LABELS,
}
# heads whose keys and values three share, and together are wider than the model
GROUPED = {**TEXT, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 6, "pad_token_id": VOCABULARY - 1}
# sizes of a small model, under each family's own names; the feed-forward width divides by neither 2 nor 3
CONFIGS: dict[str, dict[str, Any]] = {
    "vit": PICTURE,
    "bert": TEXT,
    "gpt2": {
        "vocab_size": VOCABULARY,
        "n_embd": 24,
        "n_layer": 3,
        "n_head": 3,
        "n_inner": 35,
        "n_positions": MAX_TOKENS,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": VOCABULARY - 1,
        "num_labels": LABELS,
    },
    "llama": {**GROUPED, "attention_bias": True, "mlp_bias": True},
    "mistral": GROUPED,
    "qwen2": GROUPED,
    "qwen3": GROUPED,
    "qwen3_moe": {
        **GROUPED,
        "num_experts": 5,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 11,
        "norm_topk_prob": True,
        "experts_implementation": "eager",  # torch counts no FLOPs of the grouped products that are usual
    },
    "roberta": {**TEXT, "max_position_embeddings": MAX_TOKENS + 2},
    "distilbert": {
        "vocab_size": VOCABULARY,
        "dim": 24,
        "n_layers": 3,
        "n_heads": 3,
        "hidden_dim": 35,
        "max_position_embeddings": MAX_TOKENS,
        "num_labels": LABELS,
    },
    "deit": PICTURE,
    "dinov2": {**{key: size for key, size in PICTURE.items() if key != "intermediate_size"}, "mlp_ratio": 2},
}
# five of everything, so that five ranks can share heads and blocks
FIVE: dict[str, dict[str, int]] = {
    "vit": {"hidden_size": 20, "num_hidden_layers": 5, "num_attention_heads": 5},
    "bert": {"hidden_size": 20, "num_hidden_layers": 5, "num_attention_heads": 5},
    "gpt2": {"n_embd": 20, "n_layer": 5, "n_head": 5},
    "llama": {"hidden_size": 20, "num_hidden_layers": 5, "num_attention_heads": 10},
}
# one of each kind, crossed with all that there is; their kin differ from them in their borders alone
FAMILIES = ("vit", "bert", "gpt2", "llama")
EVERY_MODEL = [(family, head.name) for family, found in families.catalogue().items() for head in found.heads]
MODELS = [(family, head) for family, head in EVERY_MODEL if family in FAMILIES]
KIN = [(family, head) for family, head in EVERY_MODEL if family not in FAMILIES]
PICTURES = [family for family, found in families.catalogue().items() if found.input_name == "pixel_values"]
TEXT_MODELS = [(family, head) for family, head in MODELS if family not in PICTURES]


def build(family: str, head: str = "none", n_tokens: int = 9, seed: int = 0, **changes: Any) -> nn.Module:
    """A model in evaluation mode. n_tokens: of a model of pictures; others take what comes."""
    sides = {"image_size": sides_of(family, n_tokens)} if family in PICTURES else {}
    labels = {"num_labels": 2} if head == "question_answering" else {}
    config = transformers.AutoConfig.for_model(family, **{**CONFIGS[family], **labels, **sides, **changes})
    model: nn.Module = getattr(transformers, families.find(family).head(head).hf_class)(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms too: what is left out must show
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return in_full_precision(model.double()).eval()


def sides_of(family: str, n_tokens: int) -> tuple[int, int]:
    """Height and width of a picture of so many tokens, one patch high; of a dinov2 the square that comes nearest."""
    if family == "dinov2":
        return (PATCH * max(1, round((n_tokens - 1) ** 0.5)),) * 2
    return PATCH, PATCH * (n_tokens - (2 if family == "deit" else 1))


def in_full_precision(model: nn.Module) -> nn.Module:
    """Hugging Face's RMSNorms compute in float32 whatever the model's type; torch's own, of the same weights, do not.

    So sums in another order, and gradients, differ by roundings of float64 here too.
    """
    for name, module in list(model.named_modules()):
        if type(module).__name__.endswith("RMSNorm"):
            exact = nn.RMSNorm(module.weight.shape[0], eps=module.variance_epsilon, dtype=torch.float64)
            exact.weight = module.weight
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, exact)
    return model


@cache
def model_of(family: str, head: str = "none", n_tokens: int = 9, five: bool = False) -> nn.Module:
    """`build`, kept: for tests that leave the model as it is. Text models serve any number of tokens."""
    if family not in PICTURES and n_tokens:
        return model_of(family, head, 0, five)
    return build(family, head, n_tokens, **(FIVE[family] if five else {}))


def inputs_of(family: str, batch: int = 2, n_tokens: int = 9, seed: int = 1, padding: str = "none") -> dict[str, Any]:
    """Seeded noise. padding: none, right, left, or holes (a rank's part is all padding, and some in between)."""
    generator = torch.Generator().manual_seed(seed)
    if family in PICTURES:
        shape = (batch, 3, *sides_of(family, n_tokens))
        return {"pixel_values": torch.randn(shape, generator=generator, dtype=torch.float64)}
    ids = {"input_ids": torch.randint(VOCABULARY, (batch, n_tokens), generator=generator)}
    return ids if padding == "none" else {**ids, "attention_mask": mask_of(batch, n_tokens, padding)}


def mask_of(batch: int, n_tokens: int, padding: str) -> Tensor:
    """(batch, tokens), 0 at padded tokens; each sample has one more of them than the last, the first has two."""
    mask = torch.ones(batch, n_tokens, dtype=torch.long)
    for sample in range(batch):
        n_padded = min(2 + sample, n_tokens - 1)
        match padding:
            case "right":
                mask[sample, n_tokens - n_padded :] = 0
            case "left":
                mask[sample, :n_padded] = 0
            case "holes":
                mask[sample, n_tokens // 2 :] = 0
                mask[sample, 1] = 0
            case _:
                raise ValueError(f"padding {padding!r} is not right, left or holes")
    return mask


def reference(model: nn.Module, inputs: dict[str, Any]) -> Tensor:
    """The undistributed model's own logits (of question answering, start above end), or last hidden state."""
    output = model(**inputs, **without_cache(model))
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], dim=1)
    found = getattr(output, "logits", None)
    return output.last_hidden_state if found is None else found


def without_cache(model: nn.Module) -> dict[str, bool]:
    """What tells a decoder not to keep keys and values."""
    return {"use_cache": False} if families.find(model.config.model_type).causal else {}


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """The largest deviation, in parts of the largest value."""
    assert found.shape == wanted.shape
    return float((found - wanted).detach().abs().max() / wanted.detach().abs().max())


def _choices(option: dataclasses.Field[Any]) -> tuple[str, ...]:
    stated = option.metadata["choices"]
    return tuple(stated() if callable(stated) else stated)


def variants(strategy: Strategy) -> Iterator[dict[str, Any]]:
    """Options to try a strategy with, read from what it declares: the defaults, then each option turned once.

    Of chained names only the first; tests/compressors has them all. Without chunks, which only causal models can be cut
    into: test_predicted_is_observed has them.
    """
    yield {}
    words, texts = marks(strategy.options, SameAsNone), marks(strategy.options, CheckedText)
    for option in dataclasses.fields(strategy.options):
        if option.name in words or option.name in strategy.idle(strategy.options()) or option.name == "chunks":
            continue  # words that only a scenario's devices give a meaning; what means nothing beside the defaults
        if option.name in texts:
            choices = [choice for choice in texts[option.name].choices() if choice != option.default]
            chains = [choice for choice in choices if "+" in choice]
            yield from ({option.name: choice} for choice in choices if choice not in chains[1:])
        elif isinstance(option.default, bool):
            yield {option.name: not option.default}
        elif option.name in minima(strategy.options) and option.default is not None:
            yield {option.name: option.default + 1}


def every_variant() -> list[tuple[str, dict[str, Any]]]:
    """All strategies of the catalogue in all their variants."""
    return [(name, options) for name, strategy in strategies.catalogue().items() for options in variants(strategy)]


def named(value: Any) -> str | None:
    """Test ids that say what is tested."""
    if isinstance(value, tuple):
        return "-".join(filter(None, map(named, value)))
    if isinstance(value, dict):
        return ",".join(f"{name}={part}" for name, part in value.items()) or "defaults"
    return str(value)
