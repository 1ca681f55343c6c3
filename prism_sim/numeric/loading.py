"""Hugging Face models from a configuration (seeded random weights) or from safetensors; never remote code or pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import nn

from prism_sim import families


class LoadError(ValueError):
    """Weights or an input that cannot be loaded: says what, why, and what would do."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Which model to load.

    config: as in config.json, with model_type. place: hub id or folder of pretrained weights; None: random, by seed.
    head: one of the family's; None: its usual one. dtype: a torch dtype's name.
    """

    config: Mapping[str, Any]
    place: str | None
    head: str | None
    dtype: str
    seed: int


def load(source: ModelSource) -> nn.Module:
    """The model, ready for inference. Raises LoadError."""
    family = families.find(str(source.config.get("model_type")))
    if reason := family.refuse(source.config):
        raise LoadError(reason)
    kind = getattr(transformers, family.head(source.head).hf_class)
    with quiet():
        model: nn.Module = _random(kind, source) if source.place is None else _pretrained(kind, source.place)
    return model.to(getattr(torch, source.dtype)).eval()


def _random(kind: Any, source: ModelSource) -> Any:
    config = transformers.AutoConfig.for_model(**source.config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(source.seed)
        return kind(config)


def _pretrained(kind: Any, place: str) -> Any:
    try:
        model, found = kind.from_pretrained(
            place, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise LoadError(
            f"weights of {place!r} cannot be loaded: {reason} (a complete model.safetensors is needed)"
        ) from error
    if missing := sorted(found["missing_keys"]):
        raise LoadError(
            f"weights of {place!r} lack {missing[0]} and {len(missing) - 1} more that {kind.__name__} needs; "
            f"choose another model.head, or weights: random"
        )
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers' advice and progress bars off the terminal; errors still raise."""
    log = transformers.utils.logging
    before, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()  # type: ignore[no-untyped-call]
    log.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        log.set_verbosity(before)
        if bars:
            log.enable_progress_bar()  # type: ignore[no-untyped-call]
