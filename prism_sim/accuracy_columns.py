"""Accuracy as columns of a table: one naming for sweeps, for `accuracy` and for pictures of what a run has written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PARTS = {"": "", "undistributed": "_undistributed", "difference": "_difference"}  # of the JSON, and in columns' names
WORDS = ("accuracy_metric", "accuracy_task", "accuracy_checkpoint")  # columns of text
NAMES = (
    *(f"accuracy{part}{end}" for part in PARTS.values() for end in ("", "_low", "_high")),
    "accuracy_examples",
    *WORDS,
)


def accuracy_columns(described: Mapping[str, Any] | None) -> dict[str, Any]:
    """Columns `accuracy`, `accuracy_low` and so on, of the `accuracy` in the JSON of `run`; empty ones for None."""
    if described is None:
        return dict.fromkeys(NAMES)
    return dict(zip(NAMES, _values(described), strict=True))


def _values(described: Mapping[str, Any]) -> Iterator[Any]:
    for part in PARTS:
        found = described[part] if part else described
        yield from (found["value"], *found["interval"])
    yield from (described["n"], described["metric"], described["task"], described["checkpoint"])
