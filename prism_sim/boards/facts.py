"""What is known of each board beside measured rows: `data/facts.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from prism_sim.boards.rows import DATA
from prism_sim.syntax import units

GROUPED = ("q8_0", "q4_0")
# of a preset, whatever the runtime
FIELDS = ("memory", "compute", "memory_bandwidth", "op_overhead", "idle_power", "busy_power", "radio_power")
COMMON = ("memory_bandwidth", "attention", "launch")  # numbers of a runtime, whatever the type
ATTENTION_EXPECTED = 0.33  # of a rate: heads are small products, and softmax stands between them
FED_OP_OVERHEAD_S = 1e-4  # an accelerator begins and ends a kernel, where its host feeds it


def rate_class(type_name: str) -> str:
    """Weights in groups are multiplied alike, whatever their bits."""
    return "integers" if type_name in GROUPED else type_name


def unit_of(name: str) -> units.Unit:
    """Of a number of a fit, which is a rate but for these; an efficiency has none."""
    return {"memory_bandwidth": units.MEMORY_RATE, "launch": units.TIME}.get(name, units.COMPUTE)


@dataclass(frozen=True)
class Board:
    """One board. entry: as the file has it."""

    name: str
    entry: Mapping[str, Any]

    @property
    def runtimes(self) -> dict[str, dict[str, Any]]:
        return dict(self.entry.get("runtimes", {}))

    @property
    def fitted_runtimes(self) -> tuple[str, ...]:
        """Those whose numbers do not stand by themselves."""
        return tuple(name for name, stated in self.runtimes.items() if not stated.get("stands"))

    @property
    def rate_types(self) -> tuple[str, ...]:
        known = [name for name in self.entry["expected"] if name != "memory_bandwidth"]
        return tuple(name for one in known for name in (GROUPED if one == "integers" else (one,)))

    def is_fed(self, runtime: str) -> bool:
        return "fed" in self.runtimes[runtime]

    def expected_of(self, runtime: str, name: str) -> float:
        """In SI units, before any row is looked at."""
        if name == "launch":
            stated = self.runtimes[runtime]
            return units.TIME.parse(stated.get("fed", stated.get("launch")))
        if name == "attention":
            return ATTENTION_EXPECTED
        return unit_of(name).parse(self.expectation(name)["value"])

    def expectation(self, name: str) -> dict[str, str]:
        """Value and source of a bandwidth or a rate that all of its runtimes share."""
        found: dict[str, str] = self.entry["expected"][rate_class(name)]
        return found


@cache
def boards() -> dict[str, Board]:
    entries = yaml.safe_load((DATA / "facts.yaml").read_text(encoding="utf-8"))
    return {name: Board(name, entry) for name, entry in entries.items()}
