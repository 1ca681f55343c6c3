"""Tables as pandas takes them, and as files: CSV or Parquet, by the ending. pandas is imported only here."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prism_sim.kept.files import write_whole
from prism_sim.sweeping.columns import Column, Kind
from prism_sim.sweeping.journal import provenance_of
from prism_sim.sweeping.table import SweepTable

_DTYPES: dict[Kind, str] = {"truth": "boolean", "whole": "Int64", "number": "float64", "text": "str"}


def frame_of(table: SweepTable) -> pd.DataFrame:
    """Whole numbers stay whole where some are missing."""
    return pd.DataFrame({name: _series(column) for name, column in table.columns.items()}, copy=False)


def _series(column: Column) -> Any:
    if column.kind == "number":
        return np.where(column.missing, np.nan, column.values)
    if column.kind == "whole":
        return pd.arrays.IntegerArray(column.values, column.missing)
    if column.kind == "truth":
        return pd.arrays.BooleanArray(column.values, column.missing)
    return pd.Series(np.where(column.missing, None, column.values), dtype="str")


def csv_text(frame: pd.DataFrame) -> str:
    """As `frame.to_csv`, in a fraction of the time: most columns have few values, and each is written once."""
    if frame.shape[1] < 2:  # where nothing is a row's only field, it is quoted
        text: str = frame.to_csv(index=False)
        return text
    columns = [_texts(frame.iloc[:, place]) for place in range(frame.shape[1])]
    lines = [",".join(map(_quoted, map(str, frame.columns))), *map(",".join, zip(*columns, strict=True))]
    return os.linesep.join([*lines, ""])


def _texts(series: pd.Series) -> list[str]:
    """Each value as a CSV writes it."""
    if series.dtype == np.float64:
        bits, values = pd.factorize(series.to_numpy().view(np.int64))  # 0.0 and -0.0 are written differently
        distinct = ["" if value != value else repr(value) for value in values.view(np.float64).tolist()]
    elif series.dtype == object:  # where 1 and True may meet, which are equal
        return ["" if lacks else _quoted(str(value)) for value, lacks in zip(series, series.isna(), strict=True)]
    else:
        bits, values = pd.factorize(series, use_na_sentinel=False)
        distinct = ["" if lacks else _quoted(str(value)) for value, lacks in zip(values, pd.isna(values), strict=True)]
    return list(map(distinct.__getitem__, bits.tolist()))


def _quoted(text: str) -> str:
    """As the module csv quotes, where that may be needed."""
    if not any(sign in text for sign in ',"\r\n'):
        return text
    line = io.StringIO()
    csv.writer(line, lineterminator=os.linesep).writerow([text])
    return line.getvalue().removesuffix(os.linesep)


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """Whole or not at all, and on disk when it returns. Raises OSError."""

    def content(temporary: Path) -> None:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            temporary.write_text(csv_text(frame), encoding="utf-8", newline="")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())

    write_whole(path, content)


def read_table(path: str | Path) -> pd.DataFrame:
    """A table that `sweep` wrote, to the bit; a CSV's provenance, if it is there, says what kind its columns are."""
    path = Path(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    try:
        kinds = json.loads(provenance_of(path).read_text(encoding="utf-8"))["columns"]
    except (OSError, ValueError, KeyError):
        kinds = {}
    dtypes = {name: _DTYPES[kind] for name, kind in kinds.items()}
    return pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_values=[""], float_precision="round_trip")
