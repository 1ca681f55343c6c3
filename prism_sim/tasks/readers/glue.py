"""GLUE (Wang et al., arXiv 1804.07461): tab-separated files as gluebenchmark.com gives them away, or the hub's parquet.

The labels of the test sets are not public, so the development set is for testing, as papers do that report on GLUE;
every tenth row of the training set is for validation.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.readers import tables, texts
from prism_sim.tasks.readers.files import DataOrigin, digest, folder_with, located, reading, wrong_format
from prism_sim.tasks.readers.labels import LabelOrder, order
from prism_sim.tasks.readers.texts import Pair
from prism_sim.tasks.scoring import classification, regression

TOKENS = 128  # Hugging Face's run_glue, and Devlin et al., cut to so many
VALIDATION = 10
BEYOND = "beyond the header"  # a column for fields that no row should have


@dataclass(frozen=True, slots=True)
class GlueLayout:
    """How one of the nine lies on disk.

    name: the folder that the archive unpacks to, with `-mm` where the other development set is meant. texts: columns of
    one sentence or two, as the .tsv names them; hub_texts: as the parquet does, if it calls them something else.
    label: the .tsv's column. classes: in the hub's order; the .tsv has their names or their numbers; empty for scores
    from 0 to 5. header: names of the columns where the file has none. part: what follows `dev` and `validation` in the
    names of the development set. broken: that rows of the distributed training file lack fields is known; left out.
    """

    name: str
    texts: tuple[str, ...]
    classes: tuple[str, ...]
    label: str = "label"
    hub_texts: tuple[str, ...] = ()
    header: tuple[str, ...] | None = None
    part: str = ""
    broken: bool = False

    @property
    def config(self) -> str:
        """The hub's name of it."""
        return self.name.removesuffix("-mm").replace("-", "").lower()

    @property
    def origin(self) -> DataOrigin:
        return DataOrigin(
            name=f"GLUE {self.name}",
            hub_id="nyu-mll/glue",
            patterns=(f"{self.config}/*.parquet",),
            homepage="https://gluebenchmark.com/tasks",
            formats=f"dev{self.part}.tsv, and train.tsv to train on, or the hub's validation{self.part}-*.parquet and "
            "train-*.parquet, or what datasets' save_to_disk wrote",
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts and labels (rows,) as the data numbers them. skipped: known broken rows that were left out."""

    texts: Sequence[Pair]
    labels: Array
    files: tuple[Path, ...]
    skipped: int = 0


NO_ROWS = Rows((), np.zeros(0, np.int64), ())


def task(summary: str, layout: GlueLayout, metrics: tuple[str, ...] = ("accuracy",)) -> Task:
    """The catalogue's entry, `glue-` and the hub's name of it."""
    read = partial(splits, layout)
    return Task(
        name=f"glue-{layout.config}" + layout.name.partition("-mm")[1],
        summary=summary,
        source="GLUE, Wang et al., arXiv 1804.07461; https://gluebenchmark.com",
        family="bert",
        head="sequence_classification",
        metrics=metrics,
        load=partial(read, DataSource()),
        score=classification if layout.classes else regression,
        read=read,
    )


def splits(layout: GlueLayout, source: DataSource) -> Splits:
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

    left_out = f"{train.skipped} rows of {layout.origin.name}'s training file lack fields, as distributed: left out"
    return Splits(
        *examples(train).held_out(VALIDATION),
        examples(dev),
        classes.classes,
        texts.described(found) if found.is_fast else None,
        digest((*train.files, *dev.files), place, texts.described(found), str(length), str(classes.index)),
        (*classes.notes, *([left_out] if train.skipped else [])),
    )


def _score(layout: GlueLayout, source: DataSource) -> LabelOrder:
    """For scores in place of classes. Raises DataError unless the model has one output."""
    labels = source.config.get("id2label")
    n_outputs = len(labels) if labels is not None else source.config.get("num_labels", 1)
    if source.config and n_outputs != 1:
        raise DataError(
            f"the model has {n_outputs} outputs, but {layout.origin.name} asks for one score; "
            "give a model that was fine-tuned on it, with num_labels 1"
        )
    return LabelOrder((), ())


def _find(layout: GlueLayout, place: Path) -> tuple[Rows, Rows]:
    dev = f"dev{layout.part}.tsv"
    if (folder := folder_with(place, [layout.name.removesuffix("-mm")], [dev])) is not None:
        train = folder / "train.tsv"
        return _tsv(layout, train, layout.broken) if train.is_file() else NO_ROWS, _tsv(layout, folder / dev, False)
    inner = place / layout.config if (place / layout.config).is_dir() else place
    if (table := tables.split(inner, f"validation{layout.part}")) is None:
        raise wrong_format(place, layout.origin)
    more = tables.split(inner, "train")
    return _hub(layout, more) if more else NO_ROWS, _hub(layout, table)


def _tsv(layout: GlueLayout, path: Path, broken: bool) -> Rows:
    """Fields are never quoted, so a quotation mark is one, and only a line feed ends a row."""
    header = list(layout.header) if layout.header else _header(layout, path)
    table = tables.read(
        "csv",
        (path,),
        strings=(*header, BEYOND),
        sep="\t",
        quoting=csv.QUOTE_NONE,
        lineterminator="\n",
        encoding="utf-8-sig",
        skiprows=0 if layout.header else 1,
        column_names=[*header, BEYOND],
        index_col=False,  # of a first row with too many fields, pandas would take some for names of rows
        keep_default_na=False,  # "NA" is a word
    )
    held = dict(zip([*header, BEYOND], table.columns([*header, BEYOND]), strict=True))
    whole = [bool(last.strip()) and not beyond for last, beyond in zip(held[header[-1]], held[BEYOND], strict=True)]
    if not all(whole) and not broken:
        raise DataError(f"{path}, row {whole.index(False)}: has more or fewer fields than {', '.join(header)}")
    kept = {name: [field.rstrip("\r") for field in compress(held[name], whole)] for name in header}
    found = _rows(layout, table, [kept[name] for name in layout.texts], kept[layout.label])
    return replace(found, skipped=whole.count(False))


def _header(layout: GlueLayout, path: Path) -> list[str]:
    with reading(path), path.open(encoding="utf-8-sig", newline="\n") as file:
        header = file.readline().rstrip("\r\n").split("\t")
    for name in (*layout.texts, layout.label):
        if name not in header:
            raise DataError(f"{path}: the header lacks {name!r} of {layout.origin.name}; found {', '.join(header)}")
    return header


def _hub(layout: GlueLayout, table: tables.ExampleTable) -> Rows:
    names = table.class_names("label")
    if layout.classes and names is not None and names != layout.classes:
        ours = f"{layout.origin.name} {', '.join(layout.classes)}"
        raise DataError(f"{table.name} numbers {', '.join(names)}, but {ours}")
    columns = layout.hub_texts or layout.texts
    *sentences, labels = table.columns([*columns, "label"])
    missing = next((row for row, each in enumerate(zip(*sentences, strict=True)) if None in each), None)
    if missing is not None:
        raise DataError(f"{table.name}, row {missing}: holds no text in {' or '.join(columns)}")
    return _rows(layout, table, sentences, list(map(str, labels)))


def _rows(
    layout: GlueLayout, table: tables.ExampleTable, sentences: Sequence[Sequence[str]], written: Sequence[str]
) -> Rows:
    """sentences: a column or two. written: the labels as they stand there."""
    labels = [_label(layout, label, f"{table.name}, row {row}") for row, label in enumerate(written)]
    kind = np.int64 if layout.classes else np.float32
    pairs = [(each[0], each[1] if len(each) == 2 else None) for each in zip(*sentences, strict=True)]
    return Rows(pairs, np.array(labels, dtype=kind), table.files)


def _label(layout: GlueLayout, written: str, where: str) -> float:
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
