"""Tables as pandas takes them, and as files: CSV or Parquet, by the ending. pandas is imported only here."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prism_sim.kept.files import write_whole
from prism_sim.sweeping.columns import Kind, SweepColumn
from prism_sim.sweeping.journal import provenance_of
from prism_sim.sweeping.table import SweepTable

AT_ONCE = 20_000  # rows
SPECIAL = re.compile('[,"\r\n]')  # what may have to be quoted
SMALLEST_ALIKE, LARGEST_ALIKE = 1e-4, 1e9  # between them fractions are written without exponents everywhere

_DTYPES: dict[Kind, str] = {"truth": "boolean", "whole": "Int64", "number": "float64", "text": "str"}


def frame_of(table: SweepTable) -> pd.DataFrame:
    """Whole numbers stay whole where some are missing."""
    return pd.DataFrame({name: _series(column) for name, column in table.columns.items()}, copy=False)


def _series(column: SweepColumn) -> Any:
    if column.kind == "number":
        return np.where(column.missing, np.nan, column.values)
    if column.kind == "whole":
        return pd.arrays.IntegerArray(column.values, column.missing)
    if column.kind == "truth":
        return pd.arrays.BooleanArray(column.values, column.missing)
    texts = column.values.copy()
    texts[column.missing] = None
    return pd.Series(texts, dtype="str")


def csv_text(frame: pd.DataFrame) -> str:
    """As `frame.to_csv(index=False)`, in a fraction of the time."""
    import pyarrow.compute as pc

    if frame.shape[1] < 2:  # where nothing is a row's only field, it is quoted
        text: str = frame.to_csv(index=False)
        return text
    lines = [",".join(map(_quoted, map(str, frame.columns)))]
    for start in range(0, len(frame), AT_ONCE):
        columns = [_texts(frame.iloc[start : start + AT_ONCE, place]) for place in range(frame.shape[1])]
        lines += pc.binary_join_element_wise(*columns, ",").to_pylist()
    return os.linesep.join([*lines, ""])


def _texts(series: pd.Series) -> Any:
    """Each value as a CSV writes it, as an Arrow array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if series.dtype == np.float64:
        return _numbers(series.to_numpy())
    if series.dtype == object:
        texts = [None if lacks else str(value) for value, lacks in zip(series, series.isna(), strict=True)]
        found = pa.array(texts, pa.string())
    elif series.dtype in (bool, "boolean"):
        found = pc.if_else(pa.array(series), "True", "False")
    else:
        found = pa.array(series).cast(pa.string())
    special = pc.fill_null(pc.match_substring_regex(found, SPECIAL.pattern), False)
    if pc.any(special).as_py():
        distinct = found.dictionary_encode()
        found = pa.array(map(_quoted, distinct.dictionary.to_pylist()), pa.string()).take(distinct.indices)
    return pc.fill_null(found, "")


def _numbers(values: Any) -> Any:
    """Arrow writes the same shortest digits, but whole, small and large numbers in its own way."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = np.abs(values)
    alike = (size >= SMALLEST_ALIKE) & (size < LARGEST_ALIKE)
    alike[alike] = values[alike] % 1 != 0
    codes, distinct = pd.factorize(values[~alike].view(np.int64))  # 0.0 and -0.0 are written differently
    texts = np.array(["" if one != one else repr(one) for one in distinct.view(np.float64).tolist()], dtype=object)
    return pc.replace_with_mask(
        pa.array(values).cast(pa.string()), pa.array(~alike), pa.array(texts[codes], pa.string())
    )


def _quoted(text: str) -> str:
    """As the module csv quotes, where that may be needed."""
    if not SPECIAL.search(text):
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
