"""How long a simulation takes within what its numbers' fits leave open: the same plans on sampled hardware.

What is sampled is each number's own interval, no error of the model; strategy, devices and shares stay as they are. All
simulations of a scenario meet the same samples (common random numbers), so what differs between them is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from prism_sim import timing
from prism_sim.plan import Plan
from prism_sim.scenario import Scenario
from prism_sim.scenario.ranged import OUTSIDE, fitted_in, sampled
from prism_sim.simulation import hardware
from prism_sim.simulation.model_config import model_spec
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.engines import may_be_compiled, weight_of

N_SAMPLES = 16
# steps and messages of a plan; larger ones are not sampled: that would take longer than a second
MOST_COMPILED = 100_000
MOST_PLAIN = 2_000

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SampledTimes:
    """Seconds of a request, one value a sample. ttft_s, tpot_s: of text, as in `Generation`; or none."""

    latency_s: tuple[float, ...]
    ttft_s: tuple[float, ...] = ()
    tpot_s: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class FitSamples:
    """A scenario's hardware, sampled. known: the times of simulations that were asked for."""

    scenario: Scenario
    known: list[tuple[Simulation, SampledTimes | None]] = field(default_factory=list, repr=False)

    @staticmethod
    def of(scenario: Scenario) -> FitSamples | None:
        """None where none of its numbers has an interval."""
        return FitSamples(scenario) if fitted_in(scenario.devices, scenario.network) else None

    def times(self, simulation: Simulation) -> SampledTimes | None:
        """Of a simulation of this scenario; None where its plans are too large to be played so often."""
        for known, times in self.known:
            if known is simulation:
                return times
        found = self._times(simulation)
        self.known.append((simulation, found))
        return found

    def _times(self, simulation: Simulation) -> SampledTimes | None:
        plans = _plans(simulation)
        if not all(self._is_small(plan, simulation.network) for plan in plans):
            return None
        first_s, *steps_s = (self._played(plan, simulation) for plan in plans)
        if simulation.generation is None:
            return SampledTimes(tuple(first_s))
        if simulation.decoding is None:
            return SampledTimes(tuple(first_s), tuple(first_s))
        moments, n_steps = simulation.decoding.moments, simulation.decoding.n_steps
        rest_s = [sum(m.weight * s for m, s in zip(moments, each, strict=True)) for each in zip(*steps_s, strict=True)]
        whole_s = tuple(one + rest for one, rest in zip(first_s, rest_s, strict=True))
        return SampledTimes(whole_s, tuple(first_s), tuple(rest / n_steps for rest in rest_s))

    @staticmethod
    def _is_small(plan: Plan, network: timing.Network) -> bool:
        return weight_of(plan) <= (MOST_COMPILED if may_be_compiled(network) else MOST_PLAIN)

    def _played(self, plan: Plan, simulation: Simulation) -> list[float]:
        """What devices read from storage is as in the simulation."""
        streamed = [device.streamed for device in simulation.setting.playing]
        rigs = ((tuple(map(_streaming, boards, streamed)), network) for boards, network in self._hardware)
        return [timing.play_once(plan, boards, simulation.device_of, network).latency_s for boards, network in rigs]

    @cached_property
    def _hardware(self) -> list[tuple[tuple[timing.Device, ...], timing.Network]]:
        scenario, spec = self.scenario, model_spec(self.scenario)
        drawn = sampled(scenario.devices, scenario.network, scenario.seed, N_SAMPLES)
        return [
            (hardware.boards(devices, spec.dtype, spec.weight_dtype), hardware.network(network))
            for devices, network in drawn
        ]


def plans_weight(simulation: Simulation) -> int:
    """About as many steps and messages as one sample plays."""
    return sum(map(weight_of, _plans(simulation)))


def _plans(simulation: Simulation) -> tuple[Plan, ...]:
    """That a sample plays: of the pass, and of those steps of text that are played."""
    moments = () if simulation.decoding is None else simulation.decoding.moments
    return simulation.plan, *(moment.plan for moment in moments)


def _streaming(board: timing.Device, streamed: float) -> timing.Device:
    return replace(board, streamed=streamed) if streamed else board


def interval(values: Iterable[float]) -> Interval:
    """From the 5 % to the 95 % quantile, the k-th of n samples being that of (k - 1/2) / n, and straight between."""
    ordered = sorted(values)

    def quantile(share: float) -> float:
        place = share * len(ordered) - 0.5
        below = min(int(place), len(ordered) - 2)
        return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])

    return quantile(OUTSIDE), quantile(1 - OUTSIDE)


def latency_range_s(samples: FitSamples | None, simulation: Simulation) -> list[float] | None:
    """As JSON has it; None where there is none."""
    times = None if samples is None else samples.times(simulation)
    return None if times is None else list(interval(times.latency_s))


def text_ranges(times: SampledTimes) -> dict[str, Any]:
    """As JSON has them, of a request that generates text."""
    return {
        name: list(interval(values)) if values else None
        for name, values in (("ttft_range_s", times.ttft_s), ("tpot_range_s", times.tpot_s))
    }
