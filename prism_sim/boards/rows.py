"""Measured rows: one board, one runtime, one model, and the seconds that somebody published.

`data/boards.csv` has single devices, `data/clusters.csv` several. Facts with their sources, nobody's text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

DATA = Path(__file__).parent / "data"
Phase = Literal["forward", "prefill", "decode"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One measurement of one device.

    device, runtime: as a scenario names them. model: a preset, or one of `data/models.yaml`. head: None: the model's
    own. tokens: of the pass; of a step (decode), those before it. seconds: of a pass, or of a step.
    confidence: read, thread (public), second-hand or abstract, and what limits it. measured: as published.
    left_out: why it is not used; None: it is. far_because: why no fit to other rows can come near it, where one cannot.
    """

    device: str
    runtime: str
    model: str
    head: str | None
    dtype: str
    weight_dtype: str | None
    batch: int
    tokens: int
    phase: Phase
    seconds: float
    confidence: str
    left_out: str | None
    far_because: str | None
    measured: str
    source: str

    @staticmethod
    def of(record: Mapping[str, str]) -> BoardRow:
        """From texts; an empty one is None where it may be."""
        return BoardRow(**_values(BoardRow, record))

    @property
    def rate_type(self) -> str:
        """The type whose rate bounds its products."""
        return self.weight_dtype or self.dtype

    @property
    def name(self) -> str:
        what = f"{self.tokens} tokens" if self.phase != "decode" else f"token after {self.tokens}"
        batch = f", batch {self.batch}" if self.batch > 1 else ""
        return f"{self.model} {self.rate_type}, {what}{batch}: {self.device}, {self.runtime}"


@dataclass(frozen=True)
class ClusterRow:
    """One measurement of several devices that are alike.

    study: whose; rows of one study, model and phase are ranked. network: a preset; bandwidth_mbit: in place of its own.
    options: of the strategy. tokens: of the prompt. phase: request: from the prompt to the last of 64 new tokens.
    in_flight: requests at a time. The rest as in `BoardRow`.
    """

    study: str
    device: str
    runtime: str
    n_devices: int
    network: str
    bandwidth_mbit: float | None
    strategy: str
    options: Mapping[str, str]
    model: str
    dtype: str
    weight_dtype: str | None
    wire_dtype: str | None
    tokens: int
    phase: Literal["prefill", "decode", "request"]
    in_flight: int
    seconds: float
    confidence: str
    left_out: str | None
    measured: str
    source: str

    @property
    def how(self) -> str:
        """Strategy and options."""
        return " ".join([self.strategy, *(f"{name}={value}" for name, value in self.options.items())])

    @property
    def name(self) -> str:
        return f"{self.model}, {self.phase}, {self.how} x{self.n_devices}: {self.study}"


@cache
def board_rows() -> tuple[BoardRow, ...]:
    """Of single devices, in the order of the file."""
    return tuple(BoardRow.of(record) for record in _records("boards"))


@cache
def cluster_rows() -> tuple[ClusterRow, ...]:
    """Of several devices, in the order of the file."""
    return tuple(ClusterRow(**_values(ClusterRow, record)) for record in _records("clusters"))


def _values(kind: type[BoardRow] | type[ClusterRow], record: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a record as their types; an empty one is None where it may be."""
    readers: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "Mapping[str, str]": _options}
    found = {}
    for field in fields(kind):
        wanted, _, optional = str(field.type).partition(" | ")
        text = record[field.name]
        found[field.name] = None if optional and not text else readers.get(wanted, str)(text)
    return found


def _options(text: str) -> dict[str, str]:
    """chunks=4 cache=whole -> a mapping."""
    return dict(one.split("=", 1) for one in text.split())


def _records(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
