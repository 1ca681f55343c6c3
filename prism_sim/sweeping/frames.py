"""Tables as pandas takes them, and as files: CSV or Parquet, by the ending. pandas is imported only here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from prism_sim.kept.files import write_whole
from prism_sim.sweeping.journal import provenance_of
from prism_sim.sweeping.table import Kind, SweepTable

_DTYPES: dict[Kind, str] = {"truth": "boolean", "whole": "Int64", "number": "float64", "text": "str"}


def frame_of(table: SweepTable) -> pd.DataFrame:
    """Whole numbers stay whole where some are missing."""
    columns = {name: pd.Series(values, dtype=_DTYPES[table.kinds[name]]) for name, values in table.columns.items()}
    return pd.DataFrame(columns)


def csv_text(frame: pd.DataFrame) -> str:
    text: str = frame.to_csv(index=False)
    return text


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
