"""What is timed of a device: passes through a block, and the steps of which they consist; no torch here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prism_sim.plan import Kernel

WHOLE_PASS = ""  # in place of the name of one of its calls
OUTLIERS = 0.02  # the part of the times that something else on the machine is to blame for
CALM = 0.05  # part of a pass's time that others may have had the processor before the pass says little of it


@dataclass(frozen=True, slots=True)
class Pass:
    """One rank's part of a block: its own rows, the rows that it attends to, and the part of heads and columns."""

    batch: int
    tokens: int
    context: int
    part: float = 1.0

    def __str__(self) -> str:
        part = "" if self.part == 1 else f", {self.part:g} of heads and columns"
        return f"{self.batch} x {self.tokens} rows, {self.context} of context{part}"


@dataclass(frozen=True, slots=True)
class TimedStep:
    """One call of a pass, or (name: WHOLE_PASS) all of it: its kernels and its mean time.

    Of a whole pass, each time that it was made, in order: samples_s; begun_s, on `time.monotonic`; away_s, of those
    seconds, without the processor, which others had.
    """

    label: str
    name: str
    kernels: tuple[Kernel, ...]
    seconds: float
    samples_s: tuple[float, ...] = ()
    begun_s: tuple[float, ...] = ()
    away_s: tuple[float, ...] = ()

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> TimedStep:
        kernels = tuple(Kernel(**one) for one in found["kernels"])
        times = (tuple(found[name]) for name in ("samples_s", "begun_s", "away_s"))
        return TimedStep(found["label"], found["name"], kernels, found["seconds"], *times)

    @property
    def calm(self) -> tuple[bool, ...]:
        """Of each time, whether the processor was ours; where nobody looked, it was."""
        return are_calm(self.samples_s, self.away_s or (0.0,) * len(self.samples_s))


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy from an accelerator to the host, or back: the median of several."""

    payload_bytes: int
    seconds: float


def are_calm(times_s: Sequence[float], away_s: Sequence[float]) -> tuple[bool, ...]:
    """Whether the processor was ours for all but a small part of each of these times."""
    return tuple(away <= CALM * seconds for seconds, away in zip(times_s, away_s, strict=True))


def mean_s(times: Sequence[float]) -> float:
    """Of all but the few that took longest: a run is a sum of steps, so their mean counts, not their median."""
    return statistics.fmean(sorted(times)[: max(1, round((1 - OUTLIERS) * len(times)))])


def quartiles_s(times: Sequence[float]) -> tuple[float, float]:
    """The first and the third; of a single time, that; of none, NaN."""
    if len(times) < 2:
        return (times[0], times[0]) if times else (math.nan, math.nan)
    first, _, third = statistics.quantiles(times, n=4, method="inclusive")
    return first, third


# A token's step beside those: one row, whose products read whole matrices, and whose attention reads the cache.
STEP_PASSES = (
    *(Pass(1, 1, context) for context in (1, 64, 128)),
    *(Pass(1, 1, context, 0.5) for context in (1, 64)),
    *(Pass(1, tokens, tokens) for tokens in (8, 32, 64)),
    Pass(1, 32, 42),
    Pass(1, 64, 64, 0.5),
)
COPIED_BYTES = tuple(10**power for power in range(3, 9))
# Sizes as parts of a request have them, from a few rows to a batch; some with all heads and columns, some with half.
PASSES = (
    *(Pass(1, tokens, tokens) for tokens in (8, 32, 64, 100, 128, 200)),
    Pass(1, 64, 74),
    Pass(1, 100, 110),
    Pass(1, 100, 200),
    *(Pass(4, tokens, tokens) for tokens in (32, 64, 100, 200)),
    Pass(4, 64, 128),
    *(Pass(batch, tokens, tokens, 0.5) for batch in (1, 4) for tokens in (64, 128, 200)),
)
