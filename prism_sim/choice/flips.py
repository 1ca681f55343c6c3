"""Whether an answer flips within what the numbers' intervals leave open: in how many samples another is faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prism_sim.simulation.fit_samples import N_SAMPLES, FitSamples, interval
from prism_sim.simulation.simulate import Simulation

TIE = 1e-9  # relative; latencies nearer to each other differ by rounding
TELLING = 0.05  # of the samples; fewer that flip are not worth a word


@dataclass(frozen=True, slots=True)
class Flips:
    """faster: by the name of what is fastest there in place of what was chosen, the number of samples.

    speedup: from the 5 % to the 95 % quantile, the fastest of the others over what was chosen.
    """

    faster: Mapping[str, int]
    speedup: tuple[float, float]

    @property
    def n_samples(self) -> int:
        return sum(self.faster.values())

    def __str__(self) -> str:
        """A sentence to follow a verdict, or nothing."""
        if self.n_samples <= TELLING * N_SAMPLES:
            return ""
        names = sorted(self.faster, key=lambda name: -self.faster[name])
        what = f"{names[0]} is" if len(names) == 1 else f"another way, most often {names[0]}, is"
        where = f"in {self.n_samples} of {N_SAMPLES} samples"
        return f" Within what the numbers' ranges leave open: {where} {what} faster (docs/trust.md)."

    def to_json(self) -> dict[str, Any]:
        return {"samples": N_SAMPLES, "faster": dict(self.faster), "speedup_range": list(self.speedup)}


def flips(samples: FitSamples | None, chosen: Simulation, others: Mapping[str, Simulation]) -> Flips | None:
    """others: all that fit, by name. None where nothing is sampled, or what was chosen or all others are too large."""
    if samples is None or (own := samples.times(chosen)) is None:
        return None
    found = {name: times for name, one in others.items() if (times := samples.times(one)) is not None}
    if not found:
        return None
    faster, ratios = Counter[str](), list[float]()
    for own_s, *others_s in zip(own.latency_s, *(times.latency_s for times in found.values()), strict=True):
        least_s, name = min(zip(others_s, found, strict=True))
        ratios.append(least_s / own_s)
        if least_s < (1 - TIE) * own_s:
            faster[name] += 1
    return Flips(faster, interval(ratios))
