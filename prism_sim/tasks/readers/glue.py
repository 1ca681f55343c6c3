"""GLUE (Wang et al., arXiv 1804.07461): tab-separated files as gluebenchmark.com gives them away, or the hub's parquet.

The labels of the test sets are not public, so the development set is for testing, as papers do that report on GLUE;
every tenth row of the training set is for validation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.readers import parquet, texts
from prism_sim.tasks.readers.files import Origin, digest, folder_with, located, reading, wrong_format
from prism_sim.tasks.readers.labels import Order, order
from prism_sim.tasks.readers.texts import Pair
from prism_sim.tasks.scoring import classification, regression

TOKENS = 128  # Hugging Face's run_glue, and Devlin et al., cut to so many
VALIDATION = 10


@dataclass(frozen=True, slots=True)
class Layout:
    """How one of the nine lies on disk.

    folder: that the archive unpacks to. config: the hub's name of it. texts: columns of one sentence or two, as the
    .tsv names them; hub_texts: as the parquet does. label: the .tsv's column. classes: in the hub's order; the .tsv has
    their names or their numbers; empty for scores from 0 to 5. header: names of the columns where the file has none.
    dev, hub_dev: names of the development set, without endings. broken: rows of the distributed training file that
    lack fields are known, and left out.
    """

    name: str
    folder: str
    config: str
    texts: tuple[str, ...]
    hub_texts: tuple[str, ...]
    label: str
    classes: tuple[str, ...]
    header: tuple[str, ...] | None = None
    dev: str = "dev"
    hub_dev: str = "validation"
    broken: bool = False

    @property
    def origin(self) -> Origin:
        return Origin(
            name=f"GLUE {self.name}",
            hub_id="nyu-mll/glue",
            patterns=(f"{self.config}/*.parquet",),
            homepage="https://gluebenchmark.com/tasks",
            formats=f"{self.dev}.tsv, and train.tsv to train on, or {self.hub_dev}-*.parquet and train-*.parquet",
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts and labels (rows,) as the data numbers them. skipped: known broken rows that were left out."""

    texts: Sequence[Pair]
    labels: Array
    files: tuple[Path, ...]
    skipped: int = 0


def task(name: str, summary: str, metrics: tuple[str, ...], layout: Layout) -> Task:
    """The catalogue's entry."""
    read = partial(splits, layout)
    return Task(
        name=name,
        summary=summary,
        source="GLUE, Wang et al., arXiv 1804.07461; https://gluebenchmark.com",
        family="bert",
        head="sequence_classification",
        metrics=metrics,
        load=partial(read, DataSource()),
        score=classification if layout.classes else regression,
        read=read,
    )


def splits(layout: Layout, source: DataSource) -> Splits:
    """Training rows may be missing as a whole. Raises DataError."""
    classes = order(layout.classes, source.config, layout.origin.name) if layout.classes else _score(layout, source)
    place = located(source, layout.origin)
    train, dev = _find(layout, place)
    found = texts.tokenizer(source)
    length = texts.n_tokens(source, TOKENS, "max_position_embeddings")

    def examples(rows: Rows) -> Examples:
        labels = classes.mapped(rows.labels) if layout.classes else rows.labels
        return Examples(
            texts.columns(rows.texts, found, length), labels, pad_to=length, pad_id=int(found.pad_token_id or 0)
        )

    trained, places = examples(train), range(len(train.texts))
    left_out = f"{train.skipped} rows of {layout.origin.name}'s training file lack fields, as distributed: left out"
    return Splits(
        trained.take([at for at in places if (at + 1) % VALIDATION]),
        trained.take(places[VALIDATION - 1 :: VALIDATION]),
        examples(dev),
        classes.classes,
        texts.described(found) if found.is_fast else None,
        digest((*train.files, *dev.files), place, texts.described(found), str(length), str(classes.index)),
        (*classes.notes, *([left_out] if train.skipped else [])),
    )


def _score(layout: Layout, source: DataSource) -> Order:
    """For scores in place of classes. Raises DataError unless the model has one output."""
    labels = source.config.get("id2label")
    n_outputs = len(labels) if labels is not None else source.config.get("num_labels", 1)
    if source.config and n_outputs != 1:
        raise DataError(
            f"the model has {n_outputs} outputs, but {layout.origin.name} asks for one score; "
            "give a model that was fine-tuned on it, with num_labels 1"
        )
    return Order((), ())


def _find(layout: Layout, place: Path) -> tuple[Rows, Rows]:
    train, dev = "train.tsv", f"{layout.dev}.tsv"
    folder = folder_with(place, [layout.folder], [dev])
    if folder is not None:
        there = (folder / train).is_file()
        return _tsv(layout, folder / train, layout.broken) if there else _none(), _tsv(layout, folder / dev, False)
    inner = place / layout.config if (place / layout.config).is_dir() else place
    if files := parquet.shards(inner, layout.hub_dev):
        return _parquet(layout, parquet.shards(inner, "train")), _parquet(layout, files)
    raise wrong_format(place, layout.origin)


def _none() -> Rows:
    return Rows((), np.zeros(0, np.int64), ())


def _tsv(layout: Layout, path: Path, broken: bool) -> Rows:
    """Fields are never quoted, so a quotation mark is one (csv.QUOTE_NONE), and only a line feed ends a row."""
    pairs: list[Pair] = []
    labels: list[float] = []
    skipped = 0
    with reading(path), path.open(encoding="utf-8-sig", newline="\n") as file:
        lines = ((number, line.rstrip("\r\n").split("\t")) for number, line in enumerate(file, 1))
        header = list(layout.header) if layout.header else _header(layout, path, lines)
        for number, fields in lines:
            if len(fields) != len(header):
                if not broken:
                    raise DataError(f"{path}:{number}: has {len(fields)} fields, but {', '.join(header)} are needed")
                skipped += 1
                continue
            row = dict(zip(header, fields, strict=True))
            pairs.append(_pair([row[name] for name in layout.texts]))
            labels.append(_label(layout, row[layout.label], f"{path}:{number}"))
    if not pairs:
        raise DataError(f"{path} holds no row; get it anew")
    return Rows(pairs, _numbers(layout, labels), (path,), skipped)


def _header(layout: Layout, path: Path, lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, header = next(lines, (1, [""]))
    for name in (*layout.texts, layout.label):
        if name not in header:
            raise DataError(f"{path}:1: the header lacks {name!r} of {layout.origin.name}; found {', '.join(header)}")
    return header


def _parquet(layout: Layout, files: tuple[Path, ...]) -> Rows:
    pairs: list[Pair] = []
    labels: list[float] = []
    for path in files:
        names = parquet.class_names(path, "label")
        if layout.classes and names is not None and names != layout.classes:
            raise DataError(f"{path} numbers {', '.join(names)}, but {layout.origin.name} {', '.join(layout.classes)}")
        for number, row in enumerate(parquet.rows(path, [*layout.hub_texts, "label"])):
            sentences = [row[name] for name in layout.hub_texts]
            if not all(isinstance(sentence, str) for sentence in sentences):
                raise DataError(f"{path}, row {number}: holds no text in {' or '.join(layout.hub_texts)}")
            pairs.append(_pair(sentences))
            labels.append(_label(layout, str(row["label"]), f"{path}, row {number}"))
    if files and not pairs:
        raise DataError(f"{files[0]} holds no row; get it anew")
    return Rows(pairs, _numbers(layout, labels), files)


def _pair(sentences: Sequence[str]) -> Pair:
    return sentences[0], sentences[1] if len(sentences) == 2 else None


def _label(layout: Layout, written: str, where: str) -> float:
    """The number of a class, from its number or name, or a score from 0 to 5."""
    if layout.classes:
        if written in layout.classes:
            return layout.classes.index(written)
        if written in map(str, range(len(layout.classes))):
            return int(written)
        allowed = ", ".join((*map(str, range(len(layout.classes))), *layout.classes))
    else:
        score = _number(written)
        if 0 <= score <= 5:
            return score
        allowed = "a score from 0 to 5"
    raise DataError(f"{where}: the label is {written!r}, but must be {allowed}")


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return math.nan


def _numbers(layout: Layout, labels: Sequence[float]) -> Array:
    return np.array(labels, dtype=np.int64 if layout.classes else np.float32)
