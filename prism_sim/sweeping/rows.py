"""A point's row: what `run --json` knows, flat, with units at the ends of names.

Of many points at once, each figure in which they differ is an array with a value a point.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np

from prism_sim.accuracy_columns import accuracy_columns

FEW_RANKS = 8  # up to here each rank has columns of its own
UNITS = ("_per_s", "_bytes", "_flops", "_s", "_j")
LEFT_OUT = (
    "schema",
    "name",
    "task",
    "better_shares",
    "latency_range_s",
    "ranges",
    "provenance",
)  # the same for all points, beside the table, or advice
MAY_BE_NULL = {  # sections, and the figures in them, so that tables have the same columns with and without
    "versus_voltage": ("latency_s", "speedup", "fits"),
    "fidelity": ("max_abs_error", "cosine", "kl", "top1_agreement"),
}

Row = dict[str, Any]


def flat(described: Mapping[str, Any]) -> Row:
    """`breakdown_s: {compute: 1}` becomes `breakdown_compute_s: 1`.

    Of ranks there are the largest and the mean of each figure (`max_rank_busy_s`, `mean_rank_busy_s`) and, if they are
    few, `rank0_busy_s` and so on; of devices, the most memory that is needed, and the most that is read from storage;
    `sent_bytes` is what all participants send, and `collectives` by which ways.
    """
    row: Row = {}
    for key, value in described.items():
        if key == "accuracy":
            row |= accuracy_columns(value) if described["task"] is not None else {}
        elif key == "collectives":
            row[key] = ", ".join(f"{kind} {'/'.join(names)}" for kind, names in value.items()) or None
        elif key == "generation":
            row |= {} if value is None else _generation(value)
        elif key not in LEFT_OUT:
            row.update(_cells(key, value))
    row["sent_bytes"] = sum(one["sent_bytes"] for one in (*described["ranks"], described["terminal"]))
    row["scenario_hash"] = described["provenance"]["scenario_hash"]
    return row


def _generation(value: Mapping[str, Any]) -> Row:
    """Of a request that generates text; of its caches the largest, of prompt and step what they are made of."""
    row: Row = {name: value[name] for name in ("new_tokens", "ttft_s", "tpot_s", "tokens_per_s", "step_bytes")}
    row["max_cache_bytes"] = max(value["cache_bytes"])
    for part, seconds in value["prompt_breakdown_s"].items():
        row[f"ttft_{part}_s"] = seconds
        row[f"tpot_{part}_s"] = None if value["step_breakdown_s"] is None else value["step_breakdown_s"][part]
    return row


def _cells(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if value is None and key in MAY_BE_NULL:
        value = dict.fromkeys(MAY_BE_NULL[key])
    if isinstance(value, Mapping):
        unit = next((unit for unit in UNITS if key.endswith(unit)), "")
        for name, item in value.items():
            yield from _cells(f"{key.removesuffix(unit)}_{name}{unit}", item)
    elif key == "ranks":
        yield from _ranks(value)
    elif key == "devices":
        for name in ("peak_memory_bytes", "streamed_bytes"):
            yield f"max_device_{name}", max(one[name] for one in value)
    elif isinstance(value, list):
        plain = all(isinstance(item, str) for item in value)
        yield key, (", ".join(value) or None) if plain else json.dumps(value)
    else:
        yield key, value


def _ranks(ranks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Without their runtimes, which the scenario says, or a column of its own where they vary."""
    ranks = [{name: value for name, value in rank.items() if name != "runtime"} for rank in ranks]
    yield "n_ranks", len(ranks)
    for name, first in ranks[0].items():
        if not isinstance(first, str):
            values = [rank[name] for rank in ranks]
            unknown = any(value is None for value in values)
            yield f"max_rank_{name}", None if unknown else _most(values)
            yield f"mean_rank_{name}", None if unknown else _sum(values) / len(values)
    if len(ranks) <= FEW_RANKS:
        for number, rank in enumerate(ranks):
            for name, value in rank.items():
                yield f"rank{number}_{name}", value


def _most(values: Sequence[Any]) -> Any:
    return np.maximum.reduce(values) if _of_many(values) else max(values)


def _sum(values: Sequence[Any]) -> Any:
    """Rounded once."""
    return np.array([fsum(row) for row in np.stack(values, axis=-1).tolist()]) if _of_many(values) else fsum(values)


def _of_many(values: Sequence[Any]) -> bool:
    return isinstance(values[0], np.ndarray)
