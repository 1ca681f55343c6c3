"""Parquet as the hub's data sets keep it: `SPLIT-00000-of-00002.parquet`, pictures as `{bytes, path}`."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from prism_sim.tasks.base import DataError
from prism_sim.tasks.readers.files import reading
from prism_sim.tasks.readers.pictures import Labelled, decoded

if TYPE_CHECKING:
    from PIL import Image

KEPT_GROUPS = 16  # of some 100 pictures each, as the hub's `datasets` writes them
SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.parquet")


def shards(folder: Path, split: str) -> tuple[Path, ...]:
    """The files of a split anywhere below a folder, in order; none if there is none.

    Raises DataError if some of the shards are missing, or lie in several folders.
    """
    if folder.is_file():
        return ()
    found = sorted(path for path in folder.rglob(f"{split}*.parquet") if _split_of(path) == split)
    if len(folders := sorted({str(path.parent) for path in found})) > 1:
        raise DataError(f"{split} lies in several folders: {', '.join(folders[:3])}; give the one that is meant")
    numbered = [match for path in found if (match := SHARD.fullmatch(path.name))]
    if numbered:
        total = int(numbered[0]["total"])
        there = {int(match["number"]) for match in numbered}
        if missing := sorted(set(range(total)) - there):
            raise DataError(
                f"{found[0].parent} lacks {split}-{missing[0]:05}-of-{total:05}.parquet, shard {missing[0] + 1} of "
                f"{total}; get it too"
            )
    return tuple(found)


def _split_of(path: Path) -> str:
    match = SHARD.fullmatch(path.name)
    return match["split"] if match else path.stem


def rows(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a file's columns. Raises DataError if one is missing, or the file is damaged."""
    import pyarrow.parquet as pq

    with reading(path):
        table = pq.ParquetFile(path)
        _check_columns(path, table.schema_arrow.names, columns)
        found: list[dict[str, Any]] = table.read(columns=columns).to_pylist()
    return found


def class_names(path: Path, column: str) -> tuple[str, ...] | None:
    """Names of a label's classes, as the hub's `datasets` writes them beside the schema; None where it did not."""
    import pyarrow.parquet as pq

    with reading(path):
        described = (pq.ParquetFile(path).schema_arrow.metadata or {}).get(b"huggingface")
        if described is None:
            return None
        feature = json.loads(described).get("info", {}).get("features", {}).get(column, {})
    names = feature.get("names") if isinstance(feature, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else None


def labelled(files: tuple[Path, ...], pictures: tuple[str, ...], label: str, n_classes: int) -> Labelled:
    """Pictures with labels; only the labels are read at once. pictures: names that their column may have.

    Raises DataError for a missing column and for a label that is none.
    """
    import pyarrow.parquet as pq

    found, labels = [], []
    for path in files:
        with reading(path):
            names = pq.ParquetFile(path).schema_arrow.names
        column = next((name for name in pictures if name in names), None)
        if column is None:
            raise DataError(f"{path} has no column {' or '.join(pictures)}, but {', '.join(names)}")
        for row, value in enumerate(rows(path, [label])):
            if not isinstance(value[label], int) or not 0 <= value[label] < n_classes:
                raise DataError(f"{path}, row {row}: {label} is {value[label]!r}, but must be 0 to {n_classes - 1}")
            labels.append(value[label])
        found.append((path, column))
    classes = class_names(files[0], label) if files else None
    return Labelled(ParquetPictures(tuple(found)), np.array(labels, dtype=np.int64), files, classes)


class ParquetPictures:
    """Pictures of several files, read a row group at a time: the last few are kept, never all of them.

    Batches are made by several threads at once, so a group for each of them must stay.
    """

    def __init__(self, files: tuple[tuple[Path, str], ...]) -> None:
        """files: each with the name of its column of pictures."""
        import pyarrow.parquet as pq

        self._groups: list[tuple[Path, str, int]] = []
        n_rows = []
        for path, column in files:
            described = pq.ParquetFile(path).metadata
            for group in range(described.num_row_groups):
                self._groups.append((path, column, group))
                n_rows.append(described.row_group(group).num_rows)
        self._ends = list(accumulate(n_rows))
        self._kept: dict[int, list[Any]] = {}  # in the order in which they were read
        self._lock = Lock()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int, /) -> Image.Image:
        if not 0 <= index < len(self):
            raise IndexError(index)
        group = bisect_right(self._ends, index)
        path, column, number = self._groups[group]
        row = index - (self._ends[group - 1] if group else 0)
        with self._lock:
            if group not in self._kept:
                self._kept[group] = _read_group(path, column, number)
                if len(self._kept) > KEPT_GROUPS:
                    del self._kept[next(iter(self._kept))]
            content = self._kept[group][row]
        content = content.get("bytes") if isinstance(content, dict) else content
        if not isinstance(content, bytes):
            raise DataError(f"{path}, row group {number}, row {row}: {column} holds no bytes of a picture")
        with reading(Path(f"{path}, row group {number}, row {row}")):
            return decoded(content)


def _read_group(path: Path, column: str, number: int) -> list[Any]:
    import pyarrow.parquet as pq

    with reading(path):
        found: list[Any] = pq.ParquetFile(path).read_row_group(number, columns=[column]).column(0).to_pylist()
    return found


def _check_columns(path: Path, names: list[str], wanted: list[str]) -> None:
    for name in wanted:
        if name not in names:
            raise DataError(f"{path} has no column {name}, but {', '.join(names)}")
