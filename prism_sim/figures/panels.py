"""Rows cut into panels, by their surroundings, and into lines, by strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from prism_sim.figures.rows import OF_VARIANTS, REPEATS, named_text, text_of, values_of, varying
from prism_sim.figures.style import in_order

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_LINES = 8  # of one strategy in a panel
MOST_PANELS = 24
SAME = 1e-9  # relative; results nearer to each other differ by rounding
REPEATED = "repeats"
CONFIDENCE = "95 % interval"  # what columns that end in _low and _high hold

Amounts: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class PanelLine:
    """One strategy's results along x. variant: "" or what tells it apart.

    low, high: of repeats, or, with `intervals`, ends of a confidence interval, the mean of them if there are repeats.
    """

    strategy: str
    variant: str
    x: Amounts
    y: Amounts
    low: Amounts
    high: Amounts
    repeats: str
    intervals: bool = False

    @property
    def band(self) -> str:
        """What lies from low to high; "" where that is nothing."""
        if not (self.high - self.low > SAME * abs(self.high)).any():
            return ""
        if not self.intervals:
            return f"least to most of {self.repeats}"
        return f"{CONFIDENCE} of one seed, mean of {self.repeats}" if self.repeats != REPEATED else CONFIDENCE

    @property
    def label(self) -> str:
        return f"{self.strategy}, {self.variant}" if self.variant else self.strategy


@dataclass(frozen=True)
class Panel:
    """The rows of one small picture among several, and what they share with those in its column and in its row."""

    row: int
    column: int
    across: str
    down: str
    rows: DataFrame


def panels(rows: DataFrame, plot: str, x: str) -> list[Panel]:
    """Cuts the rows by the surroundings that vary (fields of no variant, no repeat, and not x): one or two of them.

    Raises ValueError if there are more, or too many values.
    """
    fields = [field for field in varying(rows, [x]) if not field.startswith(OF_VARIANTS)]
    if len(fields) > 2:
        raise ValueError(
            f"{plot}: {', '.join(fields)} all vary, and a picture shows two of them at most; "
            f"keep one value, as in --where '{fields[-1]}={rows[fields[-1]].iloc[0]}'"
        )
    keys = [values_of(rows, field) for field in fields]
    if len(keys) == 2 and len(keys[0]) < len(keys[1]):  # the longer goes across
        fields, keys = fields[::-1], keys[::-1]
    n_panels = prod(map(len, keys))
    if n_panels > MOST_PANELS:
        field = max(zip(fields, keys, strict=True), key=lambda pair: len(pair[1]))[0]
        raise ValueError(
            f"{plot}: {n_panels} panels are too many to read; keep one value of {field}, "
            f"as in --where '{field}={rows[field].iloc[0]}'"
        )
    return list(_cut(rows, fields, keys))


def _cut(rows: DataFrame, fields: Sequence[str], keys: Sequence[Sequence[Any]]) -> Iterator[Panel]:
    for places in product(*map(enumerate, keys)):
        chosen = rows
        for field, (_, value) in zip(fields, places, strict=True):
            chosen = chosen[chosen[field].map(str) == str(value)]
        column, row, *_ = (*(number for number, _ in places), 0, 0)
        across, down, *_ = (
            *(named_text(field, value) for field, (_, value) in zip(fields, places, strict=True)),
            "",
            "",
        )
        yield Panel(row, column, across, down, chosen)


def lines(rows: DataFrame, plot: str, x: str, y: str) -> list[PanelLine]:
    """Every strategy's results along x, in the palette's order; a line for each variant of a strategy's options."""
    found: list[PanelLine] = []
    rows = rows.dropna(subset=[x, y])
    for strategy in in_order(rows["strategy"]):
        own = rows[rows["strategy"] == strategy]
        of_strategy = list(_variants(own, x, y))
        if len(of_strategy) > MOST_LINES:
            raise ValueError(
                f"{plot}: {len(of_strategy)} lines of {strategy} are too many to tell apart; "
                "keep some of its options' values, as in --where strategy.segments=10"
            )
        found += [_line(strategy, variant, one, x, y) for variant, one in of_strategy]
    return found


def _variants(own: DataFrame, x: str, y: str) -> Iterator[tuple[str, DataFrame]]:
    """Rows of one strategy, apart by its options where these change y at one x and seed."""
    same_place = [x, *(field for field in REPEATS if field in own)]
    spread = own.groupby(same_place, dropna=False)[y].agg(["min", "max"])
    options = [field for field in varying(own, [x]) if field.startswith(OF_VARIANTS)]
    if not options or bool((spread["max"] - spread["min"] <= SAME * spread["max"].abs()).all()):
        yield "", own
        return
    texts = own[options].map(str).agg("|".join, axis="columns")
    ordered = own.sort_values(options, key=lambda column: column.map(_sortable))
    for key in dict.fromkeys(texts[ordered.index]):
        variant = own[texts == key]
        named = [
            f"{text_of(field, variant[field].iloc[0])} {field.rpartition('.')[2].replace('_', ' ')}"
            for field in options
        ]
        yield ", ".join(named), variant


def _sortable(value: Any) -> Any:
    return (0, value, "") if isinstance(value, Real) else (1, 0, str(value))


def _line(strategy: str, variant: str, rows: DataFrame, x: str, y: str) -> PanelLine:
    along = rows.groupby(x, sort=True)
    intervals = {f"{y}_low", f"{y}_high"} <= set(rows)
    low, high = (along[f"{y}_low"].mean(), along[f"{y}_high"].mean()) if intervals else (along[y].min(), along[y].max())
    mean = along[y].mean()
    n_seeds = max(rows[field].nunique() if field in rows else 1 for field in REPEATS)
    return PanelLine(
        strategy,
        variant,
        mean.index.to_numpy(float),
        mean.to_numpy(float),
        low.to_numpy(float),
        high.to_numpy(float),
        f"{n_seeds} seeds" if n_seeds > 1 else REPEATED,
        intervals,
    )
