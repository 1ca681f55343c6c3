"""Pictures as a checkpoint's image processor prepares them, one at a time, when they are asked for."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits
from prism_sim.tasks.examples import Array, Column, Examples, Mapped
from prism_sim.tasks.readers.files import digest, reading
from prism_sim.tasks.readers.labels import LabelOrder

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Preparation:
    """prepare: an RGB picture -> (channels, height, width). described: all that determines it, for digests."""

    prepare: Callable[[Image.Image], Array]
    described: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures, each with a class as the data numbers them.

    files: what they are read from, for the digest. classes: their names, where the data tells them.
    """

    pictures: Column
    labels: Array  # (pictures,)
    files: tuple[Path, ...]
    classes: tuple[str, ...] | None = None


def splits(
    train: Labelled, test: Labelled, order: LabelOrder, source: DataSource, place: Path, validation: int
) -> Splits:
    """Pictures prepared when asked for, labels as the model numbers them. validation: one of so many of training's."""
    prepared = preparation(source)
    trained, tested = (
        Examples({"pixel_values": Mapped(found.pictures, prepared.prepare)}, order.mapped(found.labels))
        for found in (train, test)
    )
    return Splits(
        *trained.held_out(validation),
        tested,
        order.classes,
        stated_digest=digest((*train.files, *test.files), place, prepared.described, str(order.index)),
        notes=order.notes,
    )


def of_pixels(pixels: Array) -> Image.Image:
    """A picture of bytes (channels, height, width)."""
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def opened(path: Path) -> Image.Image:
    """A PNG, JPEG or the like as RGB. Raises DataError if it is damaged."""
    from PIL import Image

    with reading(path):
        try:
            with Image.open(io.BytesIO(path.read_bytes())) as picture:
                return picture.convert("RGB")
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error


def preparation(source: DataSource) -> Preparation:
    """The checkpoint's own image processor; ViT's usual one, to the model's size, where it has none.

    Raises DataError where the processor's files are damaged, or where it makes pictures of another size than the
    model takes.
    """
    from prism_sim.numeric.inputs import image_processor
    from prism_sim.numeric.loading import LoadError

    try:
        processor: Any = image_processor(source.checkpoint)
    except LoadError as error:
        raise DataError(str(error)) from error
    sides = _sides(source.config)
    wanted = None if sides is None else (int(source.config.get("num_channels", 3)), *sides)
    resized = {} if sides is None or _has_own(source.checkpoint) else {"size": {"height": sides[0], "width": sides[1]}}

    def prepare(picture: Image.Image) -> Array:
        pixels: Array = processor(picture, return_tensors="pt", **resized)["pixel_values"][0].numpy()
        if wanted is not None and pixels.shape != wanted:
            wrong = f"the checkpoint's image processor makes pictures of {pixels.shape}, but its model takes {wanted}"
            raise DataError(f"{wrong}; correct size and crop_size in preprocessor_config.json")
        return pixels

    return Preparation(prepare, f"{processor.to_json_string()} {resized}")


def _sides(config: Mapping[str, Any]) -> tuple[int, int] | None:
    found = config.get("image_size")
    if found is None:
        return None
    height, width = found if isinstance(found, (list, tuple)) else (found, found)
    return int(height), int(width)


def _has_own(checkpoint: str | None) -> bool:
    """The processor comes with the checkpoint, so its sizes are those that the model was trained with."""
    folder = Path(checkpoint or "")
    return checkpoint is not None and (not folder.is_dir() or any(folder.glob("*processor_config.json")))
