"""What a command has written, as a table: a sweep's rows, a comparison's, a run's, or the spans of a trace."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prism_sim.accuracy_columns import accuracy_columns
from prism_sim.figures.rows import REFERENCES

if TYPE_CHECKING:
    from pandas import DataFrame

# in a folder, the first one found
ROWS = (
    *("sweep.csv", "sweep.parquet", "compare.json", "run.json", "breakeven.json", "loss.json", "validate.csv"),
    "accuracy.csv",
)
SPANS = ("trace.json",)


def read_results(path: Path, reads: Literal["rows", "spans"] = "rows") -> DataFrame:
    """The table in a CSV or Parquet file, in the JSON of a command, or in the folder that a command wrote.

    Raises OSError if there is none, ValueError if it is none of these.
    """
    if path.is_dir():
        return read_results(_within(path, reads), reads)
    match path.suffix.lower():
        case ".csv" | ".parquet" if reads == "spans":
            raise ValueError(f"{path}: holds rows of results; a timeline is drawn from a trace.json{_TRACES}")
        case ".csv" | ".parquet":
            return _table(path)
        case ".json":
            return _json(path, reads)
    raise ValueError(f"{path}: results end in .csv, .parquet or .json, or are the folder that a command wrote")


_TRACES = ", which `prism-sim explain SCENARIO --out DIR` writes"


def _within(folder: Path, reads: Literal["rows", "spans"]) -> Path:
    known = ROWS if reads == "rows" else SPANS
    for name in known:
        if (folder / name).exists():
            return folder / name
    remedy = _TRACES if reads == "spans" else ""
    raise ValueError(f"{folder}: holds no {' or '.join(known)}{remedy}")


def _table(path: Path) -> DataFrame:
    import pandas

    path.stat()  # an error of the system if there is no such file
    is_csv = path.suffix.lower() == ".csv"
    try:
        return pandas.read_csv(path) if is_csv else pandas.read_parquet(path)
    except ImportError as error:
        raise ValueError(f"{path}: reading Parquet takes the package pyarrow, which is not installed") from error
    except (ValueError, OSError) as error:  # a parser's errors are such
        if is_csv and isinstance(error, OSError):
            raise
        raise ValueError(f"{path}: is no {'table' if is_csv else 'Parquet file'}: {error}") from error


def _json(path: Path, reads: Literal["rows", "spans"]) -> DataFrame:
    import pandas

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is no JSON: {error}") from error
    try:
        if reads == "spans":
            if not isinstance(found, dict) or "traceEvents" not in found:
                raise ValueError(f"{path}: is no trace; a timeline is drawn from a trace.json{_TRACES}")
            return pandas.DataFrame(list(_spans(found["traceEvents"])))
        if command_of(found) in _ROWS_OF:
            return rows_of_json(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: is damaged: {error!r}") from error
    known = "run, compare, breakeven, loss or sweep"
    raise ValueError(f"{path}: is no result that can be drawn; give what {known} has written")


def command_of(found: Any) -> str:
    """Whose JSON it is, by its schema: 'prism-sim/run/1' -> 'run'; "" of anything else."""
    schema = str(found.get("schema", "")) if isinstance(found, Mapping) else ""
    return schema.removeprefix("prism-sim/").partition("/")[0] if schema.startswith("prism-sim/") else ""


def rows_of_json(found: Mapping[str, Any]) -> DataFrame:
    """The table in what `run`, `compare`, `breakeven` or `loss` gives as JSON. Raises KeyError for anything else."""
    import pandas

    return pandas.DataFrame(list(_ROWS_OF[command_of(found)](found)))


def _flat(found: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and texts of one result, its parts and its fidelity among them, named as a sweep does."""
    left_out = ("schema", "fidelity", "accuracy", "task", "better_shares", "generation", "ranges")
    row = {key: value for key, value in found.items() if not isinstance(value, (dict, list)) and key not in left_out}
    row.pop("latency_range_s", None)  # where there is none
    if found.get("latency_range_s"):
        row["latency_low_s"], row["latency_high_s"] = found["latency_range_s"]
    row |= {} if found.get("accuracy") is None else accuracy_columns(found["accuracy"])
    if (text := found.get("generation")) is not None:
        row |= {name: text[name] for name in ("new_tokens", "ttft_s", "tpot_s", "tokens_per_s", "step_bytes")}
    row |= {f"breakdown_{part}_s": seconds for part, seconds in found["breakdown_s"].items()}
    return row | {f"fidelity_{name}": value for name, value in (found["fidelity"] or {}).items()}


def _run_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    row = _flat(found)
    row["n_ranks"] = len(found["ranks"])
    row["sent_bytes"] = sum(one["sent_bytes"] for one in found["ranks"]) + found["terminal"]["sent_bytes"]
    row["versus_single_speedup"] = found["versus_single"]["speedup"]
    row["peak_memory_bytes"] = max(one["peak_memory_bytes"] for one in found["devices"])
    for strategy, column in REFERENCES.items():
        other = found.get(f"versus_{strategy}")
        row[column] = other["latency_s"] if other is not None and other["fits"] else None
    yield row


def _compare_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What was simulated and fits; one device alone first."""
    singles = [found["alone"]]
    if found["fastest_alone"]["devices"] != found["alone"]["devices"]:
        singles.append(found["fastest_alone"])
    for one in [*singles, *sorted(found["candidates"], key=lambda one: one.get("latency_s") or math.inf)]:
        if one.get("latency_s") is not None and one["fits"]:
            alone = {"on": one["devices"][0]} if len(one["devices"]) == 1 else {}
            yield {**_flat(one), "n_ranks": len(one["devices"]), "versus_single_speedup": one["speedup"], **alone}


def _breakeven_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for point in found["points"]:
        for strategy, column in (("strategy", "latency_s"), ("against", "against_latency_s")):
            if point[column] is not None:  # it fits there
                yield {"strategy": found[strategy], found["field"]: point["value"], "latency_s": point[column]}


def _loss_rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from ({"strategy": found["strategy"], **cell} for cell in found["cells"])


_ROWS_OF = {"run": _run_rows, "compare": _compare_rows, "breakeven": _breakeven_rows, "loss": _loss_rows}


def _spans(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of the participants' own threads; the critical path's, if any, is no participant's."""
    devices, threads = dict[int, str](), dict[int, str]()
    for event in events:
        if event["ph"] == "M":
            names, key = (devices, "pid") if event["name"] == "process_name" else (threads, "tid")
            names[event[key]] = event["args"]["name"]
    roles = list(dict.fromkeys(name.removesuffix(" waits") for name in threads.values()))
    begun: dict[Any, float] = {}
    for event in events:
        if event["ph"] == "M" or event["tid"] not in threads:
            continue
        role = threads[event["tid"]].removesuffix(" waits")
        name = devices[event["pid"]] + (" (terminal)" if role == "terminal" else "")
        row = {"participant": roles.index(role), "name": name, "kind": event["cat"]}
        start_s = event["ts"] / 1e6
        if event["ph"] == "X":
            yield {**row, "start_s": start_s, "end_s": start_s + event["dur"] / 1e6}
        elif event["ph"] == "b":
            begun[event["id"], event["name"]] = start_s
        elif event["ph"] == "e":
            yield {**row, "start_s": begun.pop((event["id"], event["name"])), "end_s": start_s}
