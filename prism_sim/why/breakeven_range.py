"""How far a break-even may move within what the intervals of the numbers leave open: where each sample has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prism_sim.scenario import Scenario
from prism_sim.simulation.fit_samples import N_SAMPLES, FitSamples, Interval, interval, plans_weight
from prism_sim.simulation.simulate import Simulation
from prism_sim.why.varied import Varied

MOST_A_POINT = 2_500  # steps and messages: every sample plays them again at each point of the scan


@dataclass(frozen=True, slots=True)
class Pair:
    """Two simulations of one scenario, and the samples of its hardware."""

    own: Simulation
    other: Simulation
    samples: FitSamples

    @staticmethod
    def of(scenario: Scenario, own: Simulation, other: Simulation) -> Pair | None:
        """None where nothing has an interval, or a scan cannot play the plans so often."""
        if (samples := FitSamples.of(scenario)) is None or max(map(plans_weight, (own, other))) > MOST_A_POINT:
            return None
        return Pair(own, other, samples)


@dataclass(frozen=True, slots=True)
class SampledPoint:
    """Both latencies at one amount, one value a sample; infinite where a plan does not fit the devices."""

    amount: float
    own_s: tuple[float, ...]
    other_s: tuple[float, ...]

    @staticmethod
    def of(amount: float, pair: Pair) -> SampledPoint | None:
        """None where the plans are too large to be played so often."""
        found = []
        for simulation in (pair.own, pair.other):
            times = pair.samples.times(simulation)
            if times is None:
                return None
            found.append(times.latency_s if simulation.fits else (math.inf,) * N_SAMPLES)
        return SampledPoint(amount, *found)

    @property
    def intervals_s(self) -> tuple[Interval | None, Interval | None]:
        """Of both latencies."""
        own, other = (interval(one) if math.isfinite(one[0]) else None for one in (self.own_s, self.other_s))
        return own, other

    def gap_s(self, sample: int) -> float:
        """Negative: the scenario's own strategy is faster."""
        return self.own_s[sample] - self.other_s[sample]


@dataclass(frozen=True)
class SampledScan:
    """Points in the order of their amounts."""

    varied: Varied
    points: tuple[SampledPoint, ...]

    @staticmethod
    def of(varied: Varied, points: Iterable[SampledPoint | None]) -> SampledScan | None:
        """None where nothing was sampled."""
        found = sorted((one for one in points if one is not None), key=lambda one: one.amount)
        return SampledScan(varied, tuple(found)) if found else None

    def point(self, amount: float) -> SampledPoint | None:
        return next((one for one in self.points if one.amount == amount), None)

    def moved(self, at: float, sign_below: int) -> list[float]:
        """Where, in each sample that has one, the order changes as it does at `at`, the nearest of several.

        sign_below: -1 where the scenario's own strategy is faster below it, else 1.
        """
        found = []
        for sample in range(N_SAMPLES):
            places = [amount for amount, sign in self._changes(sample) if sign == sign_below]
            if places:
                found.append(min(places, key=lambda amount: abs(self._place(amount) - self._place(at))))
        return found

    @property
    def n_changing(self) -> int:
        """Samples in which the order changes somewhere."""
        return sum(any(True for _ in self._changes(sample)) for sample in range(N_SAMPLES))

    def _changes(self, sample: int) -> Iterator[tuple[float, int]]:
        """Amounts at which both are equally fast, between neighbours straight, and the sign below each."""
        for a, b in pairwise(self.points):
            low_s, high_s = a.gap_s(sample), b.gap_s(sample)
            if math.isfinite(low_s) and math.isfinite(high_s) and (low_s < 0) != (high_s < 0):
                share = low_s / (low_s - high_s)
                place = self._place(a.amount) * (1 - share) + self._place(b.amount) * share
                yield (math.exp(place) if self.varied.logarithmic else place), -1 if low_s < 0 else 1

    def _place(self, amount: float) -> float:
        return math.log(amount) if self.varied.logarithmic else amount


def moved_interval(places: Sequence[float]) -> Interval | None:
    """None of fewer than half of the samples: then most have no break-even there at all."""
    return interval(places) if 2 * len(places) >= N_SAMPLES else None
