"""Results of any kind as the rows that charts draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from pandas import DataFrame, concat

from prism_sim.figures.results import rows_of_json
from prism_sim.figures.rows import canonical


class Described(Protocol):
    """What a command found, as `RunResult`, `Comparison` and `BreakEven`."""

    def to_json(self) -> dict[str, Any]:
        """As its `--json` writes it."""


Result: TypeAlias = Described | Mapping[str, Any] | DataFrame
Results: TypeAlias = Result | list[Result] | tuple[Result, ...]


def rows_of(results: Results) -> DataFrame:
    """A row a result, its columns named as a sweep does.

    Raises ValueError for what is no result.
    """
    if isinstance(results, DataFrame):
        return canonical(results)
    if isinstance(results, (list, tuple)):
        return concat([rows_of(one) for one in results], ignore_index=True)
    found = described(results)
    try:
        return canonical(rows_of_json(found))
    except KeyError:
        schema = found.get("schema")
        raise ValueError(
            f"a result of the schema {schema!r} has no rows to draw; give what run, compare, break_even or sweep return"
        ) from None


def described(result: Described | Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON of a result. Raises ValueError for what is none."""
    if isinstance(result, Mapping):
        return result
    if not hasattr(result, "to_json"):
        raise ValueError(f"{type(result).__name__} is no result; give what run, compare, break_even or sweep return")
    return result.to_json()
