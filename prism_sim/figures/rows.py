"""Rows of results as figures need them: checked, and of one naming."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from prism_sim.catalogue import nearest
from prism_sim.figures.quantities import is_field, quantity, with_unit

if TYPE_CHECKING:
    from pandas import DataFrame

# what each row was compared with
REFERENCES = {name: f"versus_{name}_latency_s" for name in ("single", "voltage")}
UNDISTRIBUTED = "accuracy_undistributed"  # of a task, by the model as it is; as `single` computes it
UNSET = "as in the file"  # a point may leave a field out
OF_VARIANTS = ("strategy.", "task.")  # sections whose fields make variants of a line; all others make panels
REPEATS = ("seed", "task.seed")  # fields whose values repeat a result


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
    if "peak_memory_bytes" not in rows and "max_device_peak_memory_bytes" in rows:
        rows["peak_memory_bytes"] = rows["max_device_peak_memory_bytes"]
    return rows


def with_references(rows: DataFrame) -> DataFrame:
    """Adds single and Voltage, if no row is theirs, from the latencies that each row was compared with.

    Where they do not fit their devices they are no alternative, and have no row.
    """
    from pandas import concat

    added = [rows]
    for strategy, column in REFERENCES.items():
        if column not in rows or (rows["strategy"] == strategy).any() or rows[column].isna().all():
            continue
        kept = [name for name in rows.columns if is_field(str(name)) and not str(name).startswith("strategy.")]
        fits = column.removesuffix("latency_s") + "fits"  # a table that does not say so has plans that fit
        fitting = rows[fits].map(str).str.lower() != "false" if fits in rows else rows[column].notna()
        latencies = rows[column].where(fitting)
        theirs = rows[kept].assign(strategy=strategy, latency_s=latencies).dropna(subset=["latency_s"])
        if strategy == "single" and UNDISTRIBUTED in rows:
            ends = ("", "_low", "_high")
            theirs = theirs.assign(**{f"accuracy{end}": rows.get(f"{UNDISTRIBUTED}{end}") for end in ends})
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
    if isinstance(value, Real) and not isinstance(value, bool):
        return quantity(field).text(float(value))
    return str(value)


def named_text(field: str, value: Any) -> str:
    """As `text_of`, with the field's name where a number has no unit: 'batch size 8'."""
    text = text_of(field, value)
    is_bare = isinstance(value, Real) and value == value and not quantity(field).steps
    return f"{quantity(field).label} {text}" if is_bare else text


def varying(rows: DataFrame, without: Sequence[str] = ()) -> list[str]:
    """The fields that take several values, less those that another of them determines."""
    left_out = {"strategy", "strategy.name", *REPEATS, *without}
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


def values_of(rows: DataFrame, field: str) -> list[Any]:
    """Distinct values: numbers in their order, others as they come."""
    values = list({str(value): value for value in rows[field]}.values())
    is_number = all(isinstance(value, Real) for value in values)
    return sorted(values, key=lambda value: (value != value, value)) if is_number else values
