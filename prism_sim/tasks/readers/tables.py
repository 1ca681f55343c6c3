"""Tables of examples, read by Hugging Face's `datasets`: parquet as on its hub, what `save_to_disk` wrote, and text.

What it reads it keeps as Arrow files in its own cache, and rows are taken from there when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_sim.tasks.base import DataError
from prism_sim.tasks.examples import Mapped
from prism_sim.tasks.readers.files import reading
from prism_sim.tasks.readers.pictures import Labelled

if TYPE_CHECKING:
    from PIL import Image

SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.parquet")
REMEDY = "reading it needs Hugging Face's datasets, which is not installed: pip install 'prism-sim[datasets]'"


@dataclass(frozen=True, slots=True)
class ExampleTable:
    """rows: a `datasets.Dataset`. files: what it was read from. name: of them, in error messages."""

    rows: Any
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        return _name(self.files)

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """Each whole. Raises DataError where one is missing, or where there is no row."""
        self.check(names)
        with _reading(self.files):
            held = self.rows.select_columns(list(names)).with_format("arrow")[:]
        return [held.column(name).to_pylist() for name in names]

    def check(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.rows.column_names:
                raise DataError(f"{self.name} has no column {name}, but {', '.join(self.rows.column_names)}")
        if not len(self.rows):
            raise DataError(f"{self.name} holds no row; get it anew")

    def class_names(self, column: str) -> tuple[str, ...] | None:
        """Names of a label's classes; None where the file does not tell them."""
        names = getattr(self.rows.features.get(column), "names", None)
        return None if names is None else tuple(names)


def split(place: Path, name: str) -> ExampleTable | None:
    """A split that `save_to_disk` wrote into this folder, or in parquet anywhere below it; None if there is none.

    Raises DataError for what is incomplete or damaged.
    """
    saved = place / name
    if (saved / "state.json").is_file():
        files = tuple(sorted(saved.glob("*.arrow")))
        with _reading(files or (saved,)):
            return ExampleTable(_library(saved).load_from_disk(str(saved)), files)
    files = shards(place, name)
    return read("parquet", files) if files else None


def read(builder: str, files: tuple[Path, ...], strings: Sequence[str] = (), **options: Any) -> ExampleTable:
    """Files of one table, by a builder of `datasets`, such as csv. Raises DataError for what is damaged.

    strings: the columns that are read, as they are written; all, and of whatever type, where none is named.
    """
    library = _library(files[0])
    with _reading(files):
        if strings:
            options["features"] = library.Features({name: library.Value("string") for name in strings})
        names = [str(path) for path in files]
        try:
            return ExampleTable(
                library.load_dataset(builder, data_files={"rows": names}, split="rows", **options), files
            )
        except ValueError as error:
            if "corresponds to no data" not in str(error):
                raise
    raise DataError(f"{_name(files)} holds no row; get it anew")


def labelled(table: ExampleTable, pictures: tuple[str, ...], label: str, n_classes: int) -> Labelled:
    """Pictures with labels; only the labels are read at once. pictures: names that their column may have.

    Raises DataError for a missing column and for a label that is none.
    """
    import datasets

    there = next((name for name in pictures if name in table.rows.column_names), None)
    table.check([there or " or ".join(pictures), label])
    (labels,) = table.columns([label])
    for row, value in enumerate(labels):
        if not isinstance(value, int) or not 0 <= value < n_classes:
            raise DataError(f"{table.name}, row {row}: {label} is {value!r}, but must be 0 to {n_classes - 1}")
    with _reading(table.files):
        rows = table.rows.select_columns([there]).cast_column(there, datasets.Image())

    def picture(index: int) -> Image.Image:
        with reading(Path(f"{table.name}, row {index}")):
            picture = rows[index][there]
            if picture is None:
                raise ValueError(f"{there} holds no picture")
            found: Image.Image = picture.convert("RGB")
            return found

    return Labelled(
        Mapped(range(len(rows)), picture), np.array(labels, dtype=np.int64), table.files, table.class_names(label)
    )


def shards(folder: Path, split: str) -> tuple[Path, ...]:
    """The parquet files of a split anywhere below a folder, in order; none if there is none.

    Raises DataError if some of the shards are missing, which `datasets` would not see, or lie in several folders.
    """
    found = sorted(path for path in folder.rglob(f"{split}*.parquet") if _split_of(path) == split)
    if len(folders := sorted({str(path.parent) for path in found})) > 1:
        raise DataError(f"{split} lies in several folders: {', '.join(folders[:3])}; give the one that is meant")
    numbered = [match for path in found if (match := SHARD.fullmatch(path.name))]
    if numbered:
        total = int(numbered[0]["total"])
        if missing := sorted(set(range(total)) - {int(match["number"]) for match in numbered}):
            shard = f"{split}-{missing[0]:05}-of-{total:05}.parquet"
            raise DataError(f"{found[0].parent} lacks {shard}, shard {missing[0] + 1} of {total}; get it too")
    return tuple(found)


def _split_of(path: Path) -> str:
    match = SHARD.fullmatch(path.name)
    return match["split"] if match else path.stem


def _name(files: Sequence[Path]) -> str:
    return str(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def _library(place: Path) -> Any:
    """`datasets`, silent: what it says of progress and damage, a command says in its own way."""
    try:
        import datasets
    except ImportError as error:
        raise DataError(f"{place}: {REMEDY}") from error
    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity(datasets.utils.logging.CRITICAL)
    return datasets


@contextmanager
def _reading(files: Sequence[Path]) -> Iterator[None]:
    """Turns what goes wrong into a DataError that names the files."""
    try:
        yield
    except Exception as error:  # datasets raises many kinds, of many libraries; the first cause says what is wrong
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = str(cause).strip().split("\n")[0].removesuffix(".") or type(cause).__name__
        raise DataError(f"{_name(files)} is damaged or cannot be read: {reason}; get it anew") from error
