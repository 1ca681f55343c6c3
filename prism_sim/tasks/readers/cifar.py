"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) in each form that they are given away in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Array
from prism_sim.tasks.readers import parquet, pickles, pictures
from prism_sim.tasks.readers.files import Origin, digest, folder_with, located, reading, wrong_format
from prism_sim.tasks.readers.labels import order
from prism_sim.tasks.readers.pictures import Labelled, PixelArrays
from prism_sim.tasks.scoring import classification

SHAPE = (3, 32, 32)  # channels first, as the files have it
N_PIXELS = 3 * 32 * 32
VALIDATION = 10  # every tenth picture of the training set
PICTURES = ("img", "image")  # names of the column in parquet files


@dataclass(frozen=True, slots=True)
class Layout:
    """How one of the two lies on disk.

    pickles, binaries: folders that the archives unpack to. train, test: names of the pickles; binary ones end in .bin.
    label: column of parquet files and, with an s, key of the pickles. label_bytes: before the pixels of a binary
    record; the last of them is the label.
    """

    origin: Origin
    classes: tuple[str, ...]
    pickles: str
    binaries: str
    train: tuple[str, ...]
    test: str
    label: str
    label_bytes: int


def task(name: str, layout: Layout) -> Task:
    """The catalogue's entry."""
    read = partial(splits, layout)
    return Task(
        name=name,
        summary=f"photographs of 32 x 32 pixels, {len(layout.classes)} classes; 50,000 to train, 10,000 to test",
        source=f"Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); {layout.origin.homepage}",
        family="vit",
        head="image_classification",
        metrics=("accuracy",),
        load=partial(read, DataSource()),
        score=classification,
        read=read,
    )


def splits(layout: Layout, source: DataSource) -> Splits:
    """The official test set; every tenth picture of the training set is for validation. Raises DataError."""
    place = located(source, layout.origin)
    train, test = _find(layout, place)
    classes = order(test.classes or layout.classes, source.config, layout.origin.name)
    prepared = pictures.preparation(source)
    trained = pictures.examples(train, prepared, classes)
    places = range(len(trained))
    return Splits(
        trained.take([at for at in places if (at + 1) % VALIDATION]),
        trained.take(places[VALIDATION - 1 :: VALIDATION]),
        pictures.examples(test, prepared, classes),
        classes.classes,
        stated_digest=digest((*train.files, *test.files), place, prepared.described, str(classes.index)),
        notes=classes.notes,
    )


def _find(layout: Layout, place: Path) -> tuple[Labelled, Labelled]:
    """Training and test set, in the first form that is there; the training set may be missing as a whole."""
    forms: list[tuple[str, str, Callable[[Layout, Path], tuple[Array, list[int]]]]] = [
        (layout.pickles, "", _pickled),
        (layout.binaries, ".bin", _binary),
    ]
    for inner, ending, read in forms:
        train, test = [name + ending for name in layout.train], layout.test + ending
        if (folder := folder_with(place, [inner], [*train, test])) is None:
            continue
        there = [name for name in train if (folder / name).is_file()]
        for name in [test, *(train if there else [])]:
            if not (folder / name).is_file():
                raise wrong_format(folder, layout.origin, missing=name)
        return _joined(layout, folder, there, read), _joined(layout, folder, [test], read)
    if test_files := parquet.shards(place, "test"):
        train_files, n_classes = parquet.shards(place, "train"), len(layout.classes)
        return (
            parquet.labelled(train_files, PICTURES, layout.label, n_classes),
            parquet.labelled(test_files, PICTURES, layout.label, n_classes),
        )
    raise wrong_format(place, layout.origin)


def _joined(
    layout: Layout, folder: Path, names: Sequence[str], read: Callable[[Layout, Path], tuple[Array, list[int]]]
) -> Labelled:
    files = tuple(folder / name for name in names)
    parts = [read(layout, path) for path in files]
    for path, (pixel_rows, found) in zip(files, parts, strict=True):
        if not len(pixel_rows):
            raise DataError(f"{path} holds no picture; get it anew")
        for row, label in enumerate(found):
            if not 0 <= label < len(layout.classes):
                raise DataError(f"{path}, row {row}: the label is {label}, but must be 0 to {len(layout.classes) - 1}")
    pixels = np.concatenate([np.zeros((0, N_PIXELS), np.uint8), *(each for each, _ in parts)])
    labels = np.array([label for _, found in parts for label in found], dtype=np.int64)
    return Labelled(PixelArrays(pixels.reshape(-1, *SHAPE)), labels, files)


def _pickled(layout: Layout, path: Path) -> tuple[Array, list[int]]:
    """Pixels (pictures, 3072) and labels of a pickled dictionary."""
    found = {key.decode() if isinstance(key, bytes) else key: value for key, value in pickles.load(path).items()}
    label = f"{layout.label}s"
    if "data" not in found or label not in found:
        raise DataError(f"{path} holds {', '.join(map(str, found))}, but {layout.origin.name} has data and {label}")
    pixels, labels = found["data"], found[label]
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != N_PIXELS:
        what = pixels.shape if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise DataError(f"{path}: data is {what}, but must be (pictures, {N_PIXELS})")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels) or len(labels) != len(pixels):
        n_labels = len(labels) if isinstance(labels, list) else type(labels).__name__
        raise DataError(f"{path}: {label} is no list of {len(pixels)} whole numbers, one a picture ({n_labels})")
    return pixels, labels


def _binary(layout: Layout, path: Path) -> tuple[Array, list[int]]:
    """Pixels (pictures, 3072) and labels of records without gaps."""
    with reading(path):
        content = np.fromfile(path, dtype=np.uint8)
    n_bytes = layout.label_bytes + N_PIXELS
    if beyond := len(content) % n_bytes:
        whole = len(content) // n_bytes
        raise DataError(f"{path} is truncated: {beyond} bytes of {n_bytes} follow record {whole}; get it anew")
    records = content.reshape(-1, n_bytes)
    return records[:, layout.label_bytes :], records[:, layout.label_bytes - 1].tolist()
