"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009; the fine labels): the authors' pickles, or tables as on the hub.

Of a pickle nothing but numpy's own constructors is ever called.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Array, Mapped
from prism_sim.tasks.readers import pictures, tables
from prism_sim.tasks.readers.files import DataOrigin, folder_with, located, reading, wrong_format
from prism_sim.tasks.readers.labels import order
from prism_sim.tasks.readers.pictures import Labelled
from prism_sim.tasks.scoring import classification

HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
SHAPE = (3, 32, 32)  # channels first, as the files have it
N_PIXELS = 3 * 32 * 32
VALIDATION = 10  # every tenth picture of the training set
PICTURES = ("img", "image")  # names of the column in parquet files
TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
HUNDRED = tuple(_NAMES.split())

# what numpy, of either name, writes for an array, and Python 3 for bytes that Python 2 can read
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("__builtin__", "bytes"),
}


@dataclass(frozen=True, slots=True)
class CifarLayout:
    """How one of the two lies on disk.

    patterns: of the hub's files. formats: the pickled files in words; pickles: folder that the archive unpacks to.
    train, test: names of the files in it. label: column of tables and, with an s, key of the pickles.
    """

    name: str
    patterns: tuple[str, ...]
    formats: str
    classes: tuple[str, ...]
    pickles: str
    train: tuple[str, ...]
    test: str
    label: str

    @property
    def origin(self) -> DataOrigin:
        return DataOrigin(
            name=self.name,
            hub_id=f"uoft-cs/{self.name.replace('-', '').lower()}",
            patterns=self.patterns,
            homepage=HOMEPAGE,
            formats=f"{self.formats} (the python version), unpacked, or the hub's train-*.parquet and test-*.parquet, "
            "or what datasets' save_to_disk wrote",
        )


def _task(layout: CifarLayout) -> Task:
    """The catalogue's entry."""
    read = partial(_splits, layout)
    return Task(
        name=layout.name.lower(),
        summary=f"photographs of 32 x 32 pixels, {len(layout.classes)} classes; 50,000 to train, 10,000 to test",
        source=f"Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images; {HOMEPAGE}",
        family="vit",
        head="image_classification",
        metrics=("accuracy",),
        load=partial(read, DataSource()),
        score=classification,
        read=read,
    )


def _splits(layout: CifarLayout, source: DataSource) -> Splits:
    """The official test set; every tenth picture of the training set is for validation. Raises DataError."""
    place = located(source, layout.origin)
    train, test = _find(layout, place)
    classes = order(test.classes or layout.classes, source.config, layout.name)
    return pictures.splits(train, test, classes, source, place, VALIDATION)


def _find(layout: CifarLayout, place: Path) -> tuple[Labelled, Labelled]:
    """Training and test set, in the first form that is there; the training set may be missing as a whole."""
    if (folder := folder_with(place, [layout.pickles], [*layout.train, layout.test])) is not None:
        there = [name for name in layout.train if (folder / name).is_file()]
        for name in [layout.test, *(layout.train if there else [])]:
            if not (folder / name).is_file():
                raise wrong_format(folder, layout.origin, missing=name)
        return _pickled(layout, folder, there), _pickled(layout, folder, [layout.test])
    if (test := tables.split(place, "test")) is None:
        raise wrong_format(place, layout.origin)
    train = tables.split(place, "train")
    return _of_table(layout, train) if train else _pickled(layout, place, []), _of_table(layout, test)


def _of_table(layout: CifarLayout, table: tables.ExampleTable) -> Labelled:
    return tables.labelled(table, PICTURES, layout.label, len(layout.classes))


def _pickled(layout: CifarLayout, folder: Path, names: Sequence[str]) -> Labelled:
    files = tuple(folder / name for name in names)
    parts = [_batch(layout, path) for path in files]
    pixels = np.concatenate([np.zeros((0, N_PIXELS), np.uint8), *(each for each, _ in parts)])
    labels = np.array([label for _, found in parts for label in found], dtype=np.int64)
    return Labelled(Mapped(pixels.reshape(-1, *SHAPE), pictures.of_pixels), labels, files)


def _batch(layout: CifarLayout, path: Path) -> tuple[Array, list[int]]:
    """Pixels (pictures, 3072) and labels of a pickled dictionary."""
    found, label = _unpickled(path), f"{layout.label}s"
    if "data" not in found or label not in found:
        raise DataError(f"{path} holds {', '.join(found)}, but {layout.name} has data and {label}")
    pixels, labels = found["data"], found[label]
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (N_PIXELS,):
        what = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise DataError(f"{path}: data is {what}, but must be uint8 (pictures, {N_PIXELS})")
    if not len(pixels):
        raise DataError(f"{path} holds no picture; get it anew")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels) or len(labels) != len(pixels):
        n_labels = len(labels) if isinstance(labels, list) else type(labels).__name__
        raise DataError(f"{path}: {label} is no list of {len(pixels)} whole numbers, one a picture ({n_labels})")
    for row, value in enumerate(labels):
        if not 0 <= value < len(layout.classes):
            raise DataError(f"{path}, row {row}: the label is {value}, but must be 0 to {len(layout.classes) - 1}")
    return pixels, labels


def _unpickled(path: Path) -> dict[str, Any]:
    """A pickled dictionary; strings of Python 2, its keys apart, stay bytes. Raises DataError for anything else."""
    with reading(path), path.open("rb") as file:
        try:
            found = _Restricted(file, encoding="bytes").load()
        except (pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"no pickle of plain arrays ({str(error) or type(error).__name__})") from error
        if not isinstance(found, dict):
            raise ValueError(f"it holds no dictionary but a {type(found).__name__}")
        return {key.decode() if isinstance(key, bytes) else str(key): value for key, value in found.items()}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is never run")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it refers to objects outside of it")


TASKS = (
    _task(
        CifarLayout(
            name="CIFAR-10",
            patterns=("plain_text/*.parquet",),
            formats="data_batch_1 to data_batch_5 and test_batch",
            classes=TEN,
            pickles="cifar-10-batches-py",
            train=tuple(f"data_batch_{number}" for number in range(1, 6)),
            test="test_batch",
            label="label",
        ),
    ),
    _task(
        CifarLayout(
            name="CIFAR-100",
            patterns=("cifar100/*.parquet",),
            formats="train and test",
            classes=HUNDRED,
            pickles="cifar-100-python",
            train=("train",),
            test="test",
            label="fine_label",
        ),
    ),
)
