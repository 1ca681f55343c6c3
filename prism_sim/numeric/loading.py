"""Hugging Face models from a configuration (seeded random weights) or from safetensors; never remote code or pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import Tensor, nn

from prism_sim import families, hub
from prism_sim.element_types import ELEMENT_TYPES, ElementType, head_type
from prism_sim.families import Family
from prism_sim.numeric.quantised import rounded

# What a folder may ask for that changes no number, only what a forward pass hands over besides, or how it is cut up
PLAIN = {
    "return_dict": True,
    "output_hidden_states": False,
    "output_attentions": False,
    "chunk_size_feed_forward": 0,
    "experts_implementation": "eager",  # the usual one, grouped, refuses float64 and some widths
}


GGUF = ".gguf"
GGUF_RULE = "files of the GGUF format need an extra: pip install 'prism-sim[gguf]'"


class LoadError(ValueError):
    """Weights or an input that cannot be loaded: says what, why, and what would do. about: the part at fault."""

    def __init__(self, message: str, about: Literal["model", "input"] = "model") -> None:
        super().__init__(message)
        self.about = about


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Which model to load.

    config: as in config.json, with model_type. place: hub id or folder of pretrained weights; None: random, by seed.
    head: one of the family's; None: its usual one. dtype: a torch dtype's name. weight_dtype: int8 rounds the blocks'
    weight matrices to 8 bits and a scale a row; q8_0 and q4_0 round them in groups, and token tables.
    """

    config: Mapping[str, Any] = field(hash=False)  # no dictionary has one
    place: str | None
    head: str | None
    dtype: str
    seed: int
    weight_dtype: str | None = None


def load(source: ModelSource) -> nn.Module:
    """The model, ready for inference. Raises LoadError."""
    family = families.find(str(source.config.get("model_type")))
    if reason := family.refuse(source.config):
        raise LoadError(reason)
    head = family.head(source.head)
    kind = getattr(transformers, head.hf_class)
    with quiet():
        made: Any = _random(kind, source) if source.place is None else _pretrained(kind, source.place, family)
    if head.name == "lm" and made.loss_type is None:
        made.loss_type = "ForCausalLM"  # what transformers takes then, but with a warning at the first loss
    model: nn.Module = made.to(getattr(torch, source.dtype)).eval()
    if source.weight_dtype == "int8":
        round_to_int8(model, family)
    elif source.weight_dtype is not None:
        round_in_groups(model, family, ELEMENT_TYPES[source.weight_dtype])
    return model


@torch.no_grad()
def round_to_int8(model: nn.Module, family: Family) -> None:
    """Gives the blocks' weight matrices the values that int8 with a scale an output row keeps (symmetric, absmax)."""
    for layer in family.layers(model):
        for affine in family.parts(layer).matrices:
            scale = affine.weight.abs().amax(dim=-1, keepdim=True).clamp(min=1e-12) / 127
            affine.weight.copy_((affine.weight / scale).round() * scale)  # a view of the model's own weight


@torch.no_grad()
def round_in_groups(model: nn.Module, family: Family, kept: ElementType) -> None:
    """Gives weight matrices and token tables the values that they keep in groups along their rows.

    As files of the GGUF format have them: norms, biases and positions stay, and a head has the type of `head_type`, and
    so has a token table that serves as one. Raises ValueError for rows that are no whole groups.
    """
    for layer in family.layers(model):
        for affine in family.parts(layer).matrices:
            affine.weight.copy_(rounded(affine.weight, kept.name))  # a view of the model's own weight
    for table, is_head in token_tables(model, family):
        table.copy_(rounded(table, (head_type(kept) if is_head else kept).name))


def token_tables(model: nn.Module, family: Family) -> Iterator[tuple[Tensor, bool]]:
    """Parameters with a row for each token, the model's own, and whether a head multiplies with it."""
    of_model: Any = model
    sizes = family.dimensions(of_model.config.to_dict())
    if not sizes.vocabulary:
        return
    table = of_model.get_input_embeddings().weight
    yield table, sizes.tied
    head = of_model.get_output_embeddings()
    if head is not None and head.weight is not table:
        yield head.weight, True


def _random(kind: Any, source: ModelSource) -> Any:
    try:
        config = transformers.AutoConfig.for_model(**{**source.config, **PLAIN})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(source.seed)
            return kind(config)
    except Exception as error:  # transformers raises every kind on what a configuration may hold
        raise LoadError(f"no {kind.__name__} can be made of this configuration: {_reason(error)}") from error


def _pretrained(kind: Any, place: str, family: Family) -> Any:
    closed, is_gguf = why_closed(place), place.endswith(GGUF)
    try:
        model, found = kind.from_pretrained(
            **located(place),
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported below, with their names
            local_files_only=closed is not None,
            **PLAIN,
        )
    except Exception as error:  # as above, and SafetensorError
        if is_gguf:
            raise LoadError(f"weights of {place!r} cannot be loaded: {_reason(error)} ({GGUF_RULE})") from error
        if closed is not None and isinstance(error, OSError):
            why = f"they are not in the local cache, and {closed}"
            raise LoadError(f"weights of {place!r} cannot be had: {why}; give a folder, or weights: random") from error
        rule = "a complete model.safetensors is needed; pickled weights are never opened"
        raise LoadError(f"weights of {place!r} cannot be loaded: {_reason(error)} ({rule})") from error
    _complain(kind, place, found, family)
    if is_gguf:
        del model.config.quantization_config  # says how the file keeps its weights, which are plain numbers now
    return model


def _complain(kind: Any, place: str, found: Mapping[str, Any], family: Family) -> None:
    """Raises LoadError for weights that are missing, of another size, or left over in a block."""
    if missing := sorted(found["missing_keys"]):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise LoadError(
            f"weights of {place!r} lack {missing[0]}{more} that {kind.__name__} needs; "
            f"choose another model.head, or weights: random"
        )
    if mismatched := sorted(found["mismatched_keys"]):
        name, kept, wanted = mismatched[0]
        raise LoadError(
            f"weights of {place!r} do not fit its config.json: {name} is {tuple(kept)}, but must be {tuple(wanted)}; "
            f"give the config.json that they were saved with, or weights: random"
        )
    if foreign := sorted(filter(family.foreign, found["unexpected_keys"])):
        raise LoadError(
            f"weights of {place!r} hold {foreign[0]}, which {kind.__name__} of its config.json has no use for; "
            f"give the config.json that they were saved with, or weights: random"
        )


def why_closed(place: str) -> str | None:
    """Why nothing can be fetched from the hub for a hub id, in a few words; None if it can, or for a folder."""
    return None if Path(place).exists() else hub.unreachable()


def located(place: str) -> dict[str, str]:
    """How transformers is told of a place: a folder, a hub id, or a GGUF file, which is dequantised."""
    path = Path(place)
    is_file = place.endswith(GGUF)
    named = {"pretrained_model_name_or_path": str(path.parent) if is_file else place}
    return named | ({"gguf_file": path.name} if is_file else {})


def _reason(error: Exception) -> str:
    """The first line of what a library says, or two where the first only announces the second."""
    lines = [line.strip() for line in str(error).strip().split("\n")]
    text = " ".join(lines[: 2 if lines[0].endswith(":") else 1]).removesuffix(".").removeprefix("Error ")
    return text if text and not isinstance(error, KeyError) else f"{type(error).__name__} {text}".strip()


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers' advice and progress bars off the terminal; errors still raise."""
    log = transformers.utils.logging
    before, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()  # type: ignore[no-untyped-call]
    log.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with redirect_stderr(StringIO()):  # of a bar that asks nobody, while a GGUF file is read
            yield
    finally:
        log.set_verbosity(before)
        if bars:
            log.enable_progress_bar()  # type: ignore[no-untyped-call]
