"""The input of a forward pass: seeded noise, a picture, or a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.loading import LoadError, located, quiet, why_closed


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
            pixels = image_processor(source.place)(
                picture.convert("RGB"), size={"height": sides[0], "width": sides[1]}, return_tensors="pt"
            )["pixel_values"]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what PIL raises on bad files
        if isinstance(error, LoadError):
            raise
        raise _unfit(source.path, f"is no readable picture: {error}; give for example a PNG or JPEG file") from error
    if pixels.shape[1] != config.num_channels:
        channels = f"{pixels.shape[1]} channels, but the model reads {config.num_channels}"
        raise _unfit(source.path, f"has {channels}; remove the line for seeded noise")
    return pixels.expand(source.batch, -1, -1, -1).contiguous()  # type: ignore[no-any-return]


def image_processor(place: str | None) -> Any:
    """The place's own; ViT's usual one where there is none. Raises LoadError if its files cannot be read."""
    if place is None:
        return transformers.ViTImageProcessorPil()
    found = _from_place(transformers.AutoImageProcessor.from_pretrained, place, ("*processor_config.json",))
    return found or transformers.ViTImageProcessorPil()


def _token_ids(vocabulary: int, source: InputSource) -> Tensor:
    wanted = source.batch * source.n_tokens
    if source.path is None:
        generator = torch.Generator().manual_seed(source.seed)
        return torch.randint(vocabulary, (source.batch, source.n_tokens), generator=generator)
    try:
        text = source.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unfit(source.path, f"is no readable UTF-8 text: {error}; save it as UTF-8") from error
    if not text.strip():
        raise _unfit(source.path, "is empty; give a file that holds text")
    found = tokenizer(source.place)
    with quiet():
        ids = list(text.encode()) if found is None else found.encode(text)
    if not ids:
        raise _unfit(source.path, "holds no token; give a file that holds text")
    if max(ids) >= vocabulary:
        known = f"gives token {max(ids)}, but the model knows only 0 to {vocabulary - 1}"
        remedy = "give plain ASCII, or model.hf with its tokenizer" if found is None else "give its own tokenizer"
        raise _unfit(source.path, f"{known}; {remedy}")
    repeated = ids * -(-wanted // len(ids))
    return torch.tensor(repeated[:wanted]).view(source.batch, source.n_tokens)


def tokenizer(place: str | None) -> Any | None:
    """The place's own; None, and then a token is a byte, where there is none. Raises LoadError as above."""
    if place is None:
        return None
    found = _from_place(transformers.AutoTokenizer.from_pretrained, place, ("tokenizer*", "vocab*", "*.model"))
    # transformers makes a tokenizer of special tokens alone where it finds no vocabulary
    return None if found is None or len(found) <= len(found.all_special_ids) else found


def _from_place(load: Callable[..., Any], place: str, files: Sequence[str]) -> Any | None:
    """A processor or tokenizer, or None where the place holds none. Raises LoadError if its files cannot be read."""
    folder, closed = Path(place), why_closed(place)
    if folder.is_dir() and not any(next(folder.glob(pattern), None) for pattern in files):
        return None
    try:
        with quiet():
            return load(**located(place), trust_remote_code=False, local_files_only=closed is not None)
    except Exception as error:  # tokenizers raises no narrower kind
        if closed is not None and isinstance(error, (OSError, ValueError)):
            what = f"tokenizer or image processor of {place!r} cannot be had: not in the local cache, and {closed}"
            raise LoadError(f"{what}; give a folder that holds it, or remove workload.input") from error
        if not folder.is_dir() and isinstance(error, (OSError, ValueError)):
            return None
        reason = str(error).strip().split("\n")[0]
        raise LoadError(f"tokenizer or image processor in {place!r} cannot be read: {reason}; save it again") from error


def _unfit(path: Path, message: str) -> LoadError:
    return LoadError(f"{path.name!r} {message}", "input")
