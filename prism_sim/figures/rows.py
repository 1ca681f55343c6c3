"""Rows of results as figures need them: checked, of one naming, cut into panels and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prism_sim.catalogue import nearest
from prism_sim.figures.quantities import is_field, quantity, with_unit
from prism_sim.figures.style import in_order

if TYPE_CHECKING:
    from pandas import DataFrame

REFERENCES = {  # what each row was compared with
    "single": "versus_single_latency_s",
    "voltage": "versus_voltage_latency_s",
}
UNSET = "as in the file"  # a point may leave a field out
MOST_LINES = 8  # of one strategy in a panel
MOST_PANELS = 24
MOST_BARS = 40
SAME = 1e-9  # relative; results nearer to each other differ by rounding


@dataclass(frozen=True)
class Line:
    """One strategy's results along x. low, high: of repeats with other seeds. variant: "" or what tells it apart."""

    strategy: str
    variant: str
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    repeats: int

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


def checked(table: DataFrame, plot: str, *columns: str) -> DataFrame:
    """A copy without the points that failed: rows without a value in the first of these columns.

    Raises ValueError if the table is empty, lacks one of the columns, or has no value in the first.
    """
    rows = canonical(table)
    for column in columns:
        if column not in rows:
            hint = nearest(column, rows.columns) or f"; it has {', '.join(map(str, rows.columns))}"
            raise ValueError(f"{plot} needs the column {column!r}, which the table lacks{hint}")
    if rows.empty:
        raise ValueError(f"{plot}: the table has no rows, so there is nothing to draw")
    rows = rows.dropna(subset=list(columns[:1])).reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"{plot}: no row has a value in the column {columns[0]!r}, so there is nothing to draw")
    return rows


def canonical(table: DataFrame) -> DataFrame:
    """A copy in which a field is one column, of SI numbers where a sweep has them; with what follows from others."""
    rows = table.copy()
    for column in table.columns:
        field = with_unit(str(column))
        if field is not None and field in rows:
            rows[field] = rows.pop(column)
        elif str(rows[column].dtype) in ("Int64", "Float64"):  # their NA is no number
            rows[column] = rows[column].astype("float64")
    if "strategy" not in rows and "strategy.name" in rows:
        rows["strategy"] = rows["strategy.name"]
    if "sent_bytes" not in rows and {"mean_rank_sent_bytes", "n_ranks", "terminal_sent_bytes"} <= set(rows):
        rows["sent_bytes"] = rows["mean_rank_sent_bytes"] * rows["n_ranks"] + rows["terminal_sent_bytes"]
    if "peak_memory_bytes" not in rows and "max_rank_peak_memory_bytes" in rows:
        rows["peak_memory_bytes"] = rows["max_rank_peak_memory_bytes"]
    return rows


def with_references(rows: DataFrame) -> DataFrame:
    """Adds single and Voltage, if no row is theirs, from the latencies that each row was compared with."""
    from pandas import concat

    added = [rows]
    for strategy, column in REFERENCES.items():
        if column not in rows or (rows["strategy"] == strategy).any() or rows[column].isna().all():
            continue
        kept = [name for name in rows.columns if is_field(str(name)) and not str(name).startswith("strategy.")]
        theirs = rows[kept].assign(strategy=strategy, latency_s=rows[column]).dropna(subset=["latency_s"])
        added.append(theirs.loc[theirs.astype(str).drop_duplicates().index])
    return concat(added, ignore_index=True) if len(added) > 1 else rows


def numeric(rows: DataFrame, plot: str, column: str) -> DataFrame:
    """The rows that have a number there; lists count their items (of `ranks`: the devices that take part).

    Raises ValueError if none has.
    """
    from pandas import to_numeric

    rows = rows.assign(**{column: to_numeric(rows[column].map(_length), errors="coerce")})
    if rows[column].isna().all():
        raise ValueError(f"{plot}: the column {column!r} holds no numbers, so nothing lies along it")
    return rows


def _length(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        return len(value[1:-1].split(",")) if value[1:-1].strip() else 0
    return len(value) if isinstance(value, (list, tuple)) else value


def text_of(field: str, value: Any) -> str:
    """A field's value as people read it: 4e8 -> '400 Mbit/s'."""
    if value is None or value != value:
        return UNSET
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return quantity(field).text(float(value))
    return str(value)


def named_text(field: str, value: Any) -> str:
    """As `text_of`, with the field's name where a number has no unit: 'batch size 8'."""
    text = text_of(field, value)
    is_bare = isinstance(value, (int, float)) and value == value and not quantity(field).steps
    return f"{quantity(field).label} {text}" if is_bare else text


def varying(rows: DataFrame, without: Sequence[str] = ()) -> list[str]:
    """The fields that take several values, less those that another of them determines."""
    left_out = {"strategy", "strategy.name", "seed", *without}
    if "compression_rate" in without:  # what sets it
        left_out |= {"strategy.segments", "strategy.compression_rate"}
    if "n_ranks" in without:  # what counts the same
        left_out |= {column for column in rows.columns if counts_devices(str(column))}
    determining = [column for column in without if is_field(column) or column == "n_ranks"]
    found: list[str] = []
    for column in rows.columns:
        if column in left_out or not is_field(str(column)):
            continue
        texts = rows[column].map(str)
        if texts.nunique() > 1 and not any(_determines(rows, other, column) for other in (*determining, *found)):
            found.append(str(column))
    return found


def counts_devices(field: str) -> bool:
    return field == "ranks" or (field.startswith("devices[") and field.endswith(".count"))


def _determines(rows: DataFrame, one: str, other: str) -> bool:
    pairs = set(zip(rows[one].map(str), rows[other].map(str), strict=True))
    return len(pairs) == len({text for text, _ in pairs})


def panels(rows: DataFrame, plot: str, x: str) -> list[Panel]:
    """Cuts the rows by the surroundings that vary (all fields but the strategy's, the seed and x): one or two of them.

    Raises ValueError if there are more, or too many values.
    """
    fields = [field for field in varying(rows, [x]) if not field.startswith("strategy.")]
    if len(fields) > 2:
        raise ValueError(
            f"{plot}: {', '.join(fields)} all vary, and a picture shows two of them at most; "
            f"keep one value, as in --where '{fields[-1]}={rows[fields[-1]].iloc[0]}'"
        )
    keys = [values_of(rows, field) for field in fields]
    if len(keys) == 2 and len(keys[0]) < len(keys[1]):  # the longer goes across
        fields, keys = fields[::-1], keys[::-1]
    n_panels = len(keys[0]) * (len(keys[1]) if len(keys) == 2 else 1) if keys else 1
    if n_panels > MOST_PANELS:
        field = max(zip(fields, keys, strict=True), key=lambda pair: len(pair[1]))[0]
        raise ValueError(
            f"{plot}: {n_panels} panels are too many to read; keep one value of {field}, "
            f"as in --where '{field}={rows[field].iloc[0]}'"
        )
    return list(_cut(rows, fields, keys))


def _cut(rows: DataFrame, fields: Sequence[str], keys: Sequence[Sequence[Any]]) -> Iterator[Panel]:
    if not fields:
        yield Panel(0, 0, "", "", rows)
        return
    for column, across in enumerate(keys[0]):
        chosen = rows[rows[fields[0]].map(str) == str(across)]
        if len(fields) == 1:
            yield Panel(0, column, named_text(fields[0], across), "", chosen)
            continue
        for row, down in enumerate(keys[1]):
            both = chosen[chosen[fields[1]].map(str) == str(down)]
            yield Panel(row, column, named_text(fields[0], across), named_text(fields[1], down), both)


def values_of(rows: DataFrame, field: str) -> list[Any]:
    """Distinct values: numbers in their order, others as they come."""
    values = list({str(value): value for value in rows[field]}.values())
    is_number = all(isinstance(value, (int, float)) or hasattr(value, "__float__") for value in values)
    return sorted(values, key=lambda value: (value != value, value)) if is_number else values


def lines(rows: DataFrame, plot: str, x: str, y: str) -> list[Line]:
    """Every strategy's results along x, in the palette's order; a line for each variant of a strategy's options."""
    found: list[Line] = []
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
    same_place = [x, *(["seed"] if "seed" in own else [])]
    spread = own.groupby(same_place, dropna=False)[y].agg(["min", "max"])
    options = [field for field in varying(own, [x]) if field.startswith("strategy.")]
    if not options or bool((spread["max"] - spread["min"] <= SAME * spread["max"].abs()).all()):
        yield "", own
        return
    texts = own[options].map(str).agg("|".join, axis="columns")
    ordered = own.sort_values(options, key=lambda column: column.map(_sortable))
    for key in dict.fromkeys(texts[ordered.index]):
        variant = own[texts == key]
        named = [f"{text_of(field, variant[field].iloc[0])} {_words(field)}" for field in options]
        yield ", ".join(named), variant


def _words(field: str) -> str:
    return field.rpartition(".")[2].replace("_", " ")


def _sortable(value: Any) -> Any:
    return (0, value, "") if isinstance(value, (int, float)) else (1, 0, str(value))


def _line(strategy: str, variant: str, rows: DataFrame, x: str, y: str) -> Line:
    along = rows.groupby(x, sort=True)[y].agg(["mean", "min", "max"])
    repeats = rows["seed"].nunique() if "seed" in rows else 1
    return Line(
        strategy,
        variant,
        [float(value) for value in along.index],
        [float(value) for value in along["mean"]],
        [float(value) for value in along["min"]],
        [float(value) for value in along["max"]],
        int(repeats),
    )


def bar_labels(rows: DataFrame, plot: str) -> list[str]:
    """A name for each row: its strategy and over how many devices, where these vary, and what else varies.

    Raises ValueError for more rows than bars can be read.
    """
    if len(rows) > MOST_BARS:
        raise ValueError(
            f"{plot}: {len(rows)} rows make too many bars to read; keep some, as in --where 'FIELD=VALUE' "
            f"(at most {MOST_BARS}; fields that vary: {', '.join(varying(rows)) or 'none'})"
        )
    fields = [field for field in varying(rows) if not (field == "ranks" and "n_ranks" in rows)]
    many = "strategy" in rows and rows["strategy"].nunique() > 1
    counted = "n_ranks" in rows and rows["n_ranks"].nunique() > 1
    labels = []
    for _, row in rows.iterrows():
        words = [str(row["strategy"])] if many or (not (fields or counted) and "strategy" in rows) else []
        if counted and row["n_ranks"] > 1:
            words = [f"{' '.join(words)} x{row['n_ranks']:.0f}".strip()]
        own = [field for field in fields if not (field.startswith("strategy.") and row.get("segments") != row[field])]
        words += [text_of(field, row[field]) for field in own]
        labels.append(", ".join(words))
    return labels
