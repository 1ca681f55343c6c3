"""The input of a forward pass: seeded noise, a picture, or a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.loading import LoadError, quiet


@dataclass(frozen=True, slots=True)
class InputSource:
    """batch samples of n_tokens from a file, repeated or cut; path None: seeded noise.

    place: hub id or folder whose image processor or tokenizer is used; None: the family's usual one, bytes for text.
    """

    batch: int
    n_tokens: int
    path: Path | None
    place: str | None
    seed: int


def make_inputs(model: nn.Module, source: InputSource) -> dict[str, Tensor]:
    """What the model's forward takes. Raises LoadError if the file is missing or not what the model reads."""
    config: Any = model.config
    family = families.find(str(config.model_type))
    if family.input_name == "pixel_values":
        return {"pixel_values": _pixels(config, source).to(next(model.parameters()).dtype)}
    return {"input_ids": _token_ids(int(config.vocab_size), source)}


def _pixels(config: Any, source: InputSource) -> Tensor:
    sides = config.image_size if isinstance(config.image_size, (list, tuple)) else (config.image_size,) * 2
    if source.path is None:
        generator = torch.Generator().manual_seed(source.seed)
        return torch.randn(source.batch, config.num_channels, *sides, generator=generator)
    try:
        with Image.open(source.path) as picture:
            pixels = _image_processor(source.place)(
                picture.convert("RGB"), size={"height": sides[0], "width": sides[1]}, return_tensors="pt"
            )["pixel_values"]
    except (OSError, UnidentifiedImageError) as error:
        raise LoadError(f"workload.input {source.path.name!r} is no readable picture: {error}") from error
    if pixels.shape[1] != config.num_channels:
        raise LoadError(f"the picture has {pixels.shape[1]} channels, but the model reads {config.num_channels}")
    return pixels.expand(source.batch, -1, -1, -1).contiguous()  # type: ignore[no-any-return]


def _image_processor(place: str | None) -> Any:
    if place is None:
        return transformers.ViTImageProcessorPil()
    return _from_place(transformers.AutoImageProcessor.from_pretrained, place) or transformers.ViTImageProcessorPil()


def _token_ids(vocabulary: int, source: InputSource) -> Tensor:
    wanted = source.batch * source.n_tokens
    if source.path is None:
        generator = torch.Generator().manual_seed(source.seed)
        return torch.randint(vocabulary, (source.batch, source.n_tokens), generator=generator)
    try:
        text = source.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"workload.input {source.path.name!r} is no readable UTF-8 text: {error}") from error
    tokenizer = None if source.place is None else _from_place(transformers.AutoTokenizer.from_pretrained, source.place)
    with quiet():
        ids = list(text.encode()) if tokenizer is None else tokenizer.encode(text)
    if not ids:
        raise LoadError(f"workload.input {source.path.name!r} is empty")
    if max(ids) >= vocabulary:
        raise LoadError(f"workload.input {source.path.name!r} gives token {max(ids)}, but the model knows {vocabulary}")
    repeated = ids * -(-wanted // len(ids))
    return torch.tensor(repeated[:wanted]).view(source.batch, source.n_tokens)


def _from_place(load: Callable[..., Any], place: str) -> Any | None:
    """A processor or tokenizer, or None where the place holds none."""
    try:
        with quiet():
            return load(place, trust_remote_code=False)
    except (OSError, ValueError):
        return None
