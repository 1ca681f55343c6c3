"""ImageNet-1k (ILSVRC 2012): a thousand kinds of things; read picture by picture, never all at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Mapped
from prism_sim.tasks.readers import pictures, tables
from prism_sim.tasks.readers.files import DataOrigin, located, reading, wrong_format
from prism_sim.tasks.readers.labels import order
from prism_sim.tasks.readers.pictures import Labelled
from prism_sim.tasks.scoring import classification

N_CLASSES = 1000
VALIDATION = 100  # every hundredth picture of the training set
ENDINGS = (".jpeg", ".jpg", ".png")
NAMES = "LOC_synset_mapping.txt"  # as Kaggle ships it: `n01440764 tench, Tinca tinca`, a class a line, in their order
INNER = (".", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC")

ORIGIN = DataOrigin(
    name="ImageNet-1k",
    hub_id="ILSVRC/imagenet-1k",
    patterns=("data/validation-*.parquet",),
    homepage="https://www.image-net.org, after accepting its terms",
    formats=f"val/<wnid>/*.JPEG, and train/<wnid>/*.JPEG to train on, {NAMES} beside them if classes are missing, or "
    "the hub's validation-*.parquet, or what datasets' save_to_disk wrote, to test on",
)

NONE = Labelled((), np.zeros(0, np.int64), ())


def read(source: DataSource) -> Splits:
    """The official validation set is for testing; every hundredth training picture is for validation.

    Of tables the validation set alone is read: `datasets` would copy the 138 GB of the training set into its cache.
    """
    place = located(source, ORIGIN)
    folder = next((place / inner for inner in INNER if (place / inner / "val").is_dir()), None)
    if folder is not None:
        wnids, names = _classes(folder, place)
        train, test = (_pictures(folder / part, wnids, names) for part in ("train", "val"))
    elif (table := tables.split(place, "validation")) is not None:
        train, test = NONE, tables.labelled(table, ("image",), "label", N_CLASSES)
    else:
        raise wrong_format(place, ORIGIN)
    # the usual order, that of their wnids, unless the model names them otherwise
    named = order(test.classes or tuple(map(str, range(N_CLASSES))), source.config, ORIGIN.name)
    return pictures.splits(train, test, named, source, place, VALIDATION)


def _classes(folder: Path, place: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All wnids in order, and their names."""
    mapping = next((path for path in (place / NAMES, folder / NAMES) if path.is_file()), None)
    if mapping is not None:
        with reading(mapping):
            lines = [
                line.split(maxsplit=1) for line in mapping.read_text(encoding="utf-8").splitlines() if line.strip()
            ]
        if wrong := next((number for number, line in enumerate(lines, 1) if len(line) != 2), None):
            raise DataError(f"{mapping}:{wrong}: expected a wnid and a name, such as 'n01440764 tench, Tinca tinca'")
        return tuple(wnid for wnid, _ in lines), tuple(name.strip() for _, name in lines)
    found = {path.name for split in ("train", "val") for path in (folder / split).glob("*/")}
    if len(found) != N_CLASSES:
        raise wrong_format(
            place, ORIGIN, f"{N_CLASSES} classes (it has {len(found)} folders), or {NAMES}, which tells their numbers"
        )
    return tuple(sorted(found)), tuple(sorted(found))


def _pictures(folder: Path, wnids: tuple[str, ...], names: tuple[str, ...]) -> Labelled:
    """In a folder a class, whose index is its wnid's place among all.

    Listed here: `datasets` takes 14 s for 20,000 files at every start, a quarter of an hour for all of them.
    """
    if not folder.is_dir():
        return replace(NONE, classes=names)
    index = {wnid: number for number, wnid in enumerate(wnids)}
    found: list[tuple[str, Path, int]] = []
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if inner.name not in index:
            raise DataError(f"{inner} is no class of ImageNet-1k; its folders are named by wnids such as {wnids[0]}")
        found += [(path.name, path, index[inner.name]) for path in inner.iterdir() if path.suffix.lower() in ENDINGS]
    if not found:
        raise wrong_format(folder, ORIGIN, "pictures in folders named by wnids")
    found.sort()  # by the official numbers in their names, which mix the classes: the first so many are a fair sample
    paths = tuple(path for _, path, _ in found)
    return Labelled(
        Mapped(paths, pictures.opened), np.array([label for *_, label in found], dtype=np.int64), paths, names
    )


TASK = Task(
    name="imagenet-1k",
    summary="photographs, 1,000 classes; 50,000 to test",
    source="Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, arXiv 1409.0575",
    family="vit",
    head="image_classification",
    metrics=("accuracy",),
    load=partial(read, DataSource()),
    score=classification,
    read=read,
)
