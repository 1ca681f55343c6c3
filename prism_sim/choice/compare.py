"""Every strategy on the same hardware: what is fastest without loss, what with, and whether to distribute at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prism_sim import strategies
from prism_sim.choice.flips import Flips, flips
from prism_sim.choice.sizes import sizes_to_try
from prism_sim.choice.subsets import SubsetResult, best_subset
from prism_sim.outputs.fidelity import Fidelity, fidelity_of
from prism_sim.outputs.task_accuracy import Accuracy, accuracy_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.simulation.alone import alone
from prism_sim.simulation.fit_samples import FitSamples, latency_range_s, text_ranges
from prism_sim.simulation.memory import demands, lacking
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, may_be_better_shared, simulate, split_of

SCHEMA = "prism-sim/compare/1"


@dataclass(frozen=True)
class Candidate:
    """One strategy on some of the devices. simulation: None where it cannot serve the scenario; reason says why.

    fidelity, accuracy: of those that lose something; accuracy with a task only.
    """

    strategy: str
    devices: tuple[int, ...]
    lossless: bool
    simulation: Simulation | None
    fits: bool = False
    fidelity: Fidelity | None = None
    accuracy: Accuracy | None = None
    reason: str | None = None

    @property
    def latency_s(self) -> float:
        """Infinite where there is none, so that it never wins."""
        return self.simulation.latency_s if self.simulation is not None and self.fits else float("inf")


@dataclass(frozen=True, slots=True)
class Effort:
    """Of the ways to distribute, a strategy on some of the devices: how many were played, and how many ruled out.

    Ruled out is what a bound shows to be slower than another, and what does not fit where something does.
    """

    played: int = 0
    ruled_out: int = 0

    @staticmethod
    def of(tried: Iterable[SubsetResult]) -> Effort:
        tried = list(tried)
        return Effort(sum(one.simulation is not None for one in tried), sum(one.is_ruled_out for one in tried))

    def __str__(self) -> str:
        return f"{self.played} ways to distribute were played, {self.ruled_out} ruled out"


@dataclass(frozen=True)
class Comparison:
    """alone: the terminal by itself; fastest_alone: the best device that fits, shipping included, or the terminal.

    candidates: the rest. left_out: by strategy, the numbers of devices that it could be spread over but were not tried.
    effort: what it took to find them. samples: of the hardware; None where no number has an interval.
    """

    scenario: Scenario
    alone: Candidate
    fastest_alone: Candidate
    candidates: tuple[Candidate, ...]
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    effort: Effort = Effort()
    samples: FitSamples | None = None

    def flips(self, chosen: Candidate) -> Flips | None:
        """In which samples another is faster than the chosen one: an exact way, or where that loses something, any."""
        mine = chosen.strategy, chosen.devices
        rivals = {
            name: one.simulation
            for name, one in self.named()
            if one.fits and one.simulation is not None and (one.strategy, one.devices) != mine
            if one.lossless or not chosen.lossless
        }
        return None if chosen.simulation is None else flips(self.samples, chosen.simulation, rivals)

    @property
    def single(self) -> Candidate:
        """The best way not to distribute."""
        return min(self.alone, self.fastest_alone, key=lambda candidate: candidate.latency_s)

    @property
    def best_lossless(self) -> Candidate:
        """Of all exact ways, one device alone included."""
        return self._best(candidate for candidate in self.candidates if candidate.lossless)

    @property
    def best_throughput(self) -> Candidate:
        """Of all exact ways that fit, that with the most requests a second, back to back."""
        exact = [self.single, *(one for one in self.candidates if one.lossless)]
        return max(exact, key=lambda one: one.simulation.throughput_per_s if one.simulation and one.fits else 0.0)

    @property
    def best_lossy(self) -> Candidate | None:
        """The fastest way that loses something, if there is one that fits."""
        lossy = [candidate for candidate in self.candidates if not candidate.lossless and candidate.fits]
        return min(lossy, key=lambda candidate: candidate.latency_s, default=None)

    def named(self) -> list[tuple[str, Candidate]]:
        """What was simulated, one device alone first, then by latency, each under a short name."""
        alone = [self.alone]
        if self.fastest_alone.devices != self.alone.devices:
            alone.append(self.fastest_alone)
        singles = [(f"{self.scenario.devices[one.devices[0]].name} alone", one) for one in alone]
        others = sorted(self.candidates, key=lambda candidate: candidate.latency_s)
        return singles + [(f"{one.strategy} x{len(one.devices)}", one) for one in others]

    def _best(self, candidates: Iterator[Candidate]) -> Candidate:
        return min((self.single, *candidates), key=lambda candidate: candidate.latency_s)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "alone": self.describe(self.alone),
            "fastest_alone": self.describe(self.fastest_alone),
            "candidates": [self.describe(candidate) for candidate in self.candidates],
            "best_lossless": self.describe(self.best_lossless),
            "best_lossy": None if self.best_lossy is None else self.describe(self.best_lossy),
            "best_throughput": self.describe(self.best_throughput),
            "ranges": None if self.samples is None else self._ranges(),
            "left_out": {name: list(sizes) for name, sizes in self.left_out.items()},
            "played": self.effort.played,
            "ruled_out": self.effort.ruled_out,
            "provenance": provenance(self.scenario),
        }

    def _ranges(self) -> dict[str, Any]:
        """Of the verdicts."""
        chosen = {"best_lossless": self.best_lossless, "best_lossy": self.best_lossy}
        found = {name: None if one is None else self.flips(one) for name, one in chosen.items()}
        return {name: None if one is None else one.to_json() for name, one in found.items()}

    def describe(self, candidate: Candidate) -> dict[str, Any]:
        """One row: its figures, and speed-ups over the terminal and over the fastest device alone."""
        simulation = candidate.simulation
        row: dict[str, Any] = {
            "strategy": candidate.strategy,
            "devices": [self.scenario.devices[device].name for device in candidate.devices],
            "lossless": candidate.lossless,
            "fits": candidate.fits,
            "reason": candidate.reason,
            "fidelity": None if candidate.fidelity is None else candidate.fidelity.to_json(),
            "accuracy": None if candidate.accuracy is None else candidate.accuracy.to_json(),
        }
        if simulation is None:
            return row
        found = demands(simulation)
        times = None if self.samples is None else self.samples.times(simulation)
        return row | {
            **(text_ranges(times) if times is not None and times.ttft_s else {}),
            "latency_s": simulation.latency_s,
            "latency_range_s": latency_range_s(self.samples, simulation),
            "breakdown_s": dict(simulation.breakdown_s),
            "generation": None if simulation.generation is None else simulation.generation.to_json(),
            "throughput_per_s": simulation.throughput_per_s,
            "throughput_mode": simulation.throughput_mode,
            "samples_per_s": simulation.throughput_per_s * simulation.job.batch,
            "speedup": speedup_over(self.alone, candidate),
            "speedup_over_fastest": speedup_over(self.fastest_alone, candidate),
            "shares": None if simulation.shares is None else simulation.shares.to_json(),
            "collectives": simulation.collectives,
            "sent_bytes": sum(simulation.sent_bytes),
            "peak_memory_bytes": max(one.resident_bytes for one in found),
            "streamed_bytes": max(one.streamed_bytes for one in found),
            "energy_j": simulation.total_energy_j,
        }


def speedup_over(alone: Candidate, candidate: Candidate) -> float | None:
    """How many times as fast; None where either does not fit, and so is no alternative."""
    if not (alone.fits and candidate.fits):
        return None
    return alone.latency_s / candidate.latency_s


def compare(
    scenario: Scenario,
    numerics: bool = True,
    progress: Progress = SILENT,
) -> Comparison:
    """Simulates every strategy over the best of the scenario's ranks, of every sensible number, and one device alone.

    Each gets the shares that serve it, unless the scenario states them; its other options serve all strategies that
    know them. numerics: compute what lossy strategies lose (or take it from disk), of a task's metric too.
    Raises ScenarioError where not even one device can be simulated.
    """
    with placed(scenario):
        terminal, best = alone(split_of(scenario, "single", (scenario.terminal,)).setting)
        single = _as_candidate(scenario, "single", terminal.device_of[:1], terminal)
        fastest = single if best is None else _as_candidate(scenario, "single", best.device_of[:1], best)
        several = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]
        sizes = {name: sizes_to_try(scenario, name) for name in several}
        asked = [(name, size) for name in several for size in sizes[name].tried]
        candidates, tried = list[Candidate](), list[SubsetResult]()
        for number, (name, size) in enumerate(asked):
            progress.watch(f"{scenario.name}: {name} over {size} devices", number, len(asked))
            of_size = best_subset(scenario, name, [size], progress, silent_shares="proportional", rule_out=True)
            tried += of_size
            candidates.append(_well_shared(scenario, name, of_size[0]))
        if numerics:
            candidates = [_with_outputs(scenario, candidate, progress) for candidate in candidates]
    left_out = {name: sizes[name].left_out for name in several if sizes[name].left_out}
    return Comparison(scenario, single, fastest, tuple(candidates), left_out, Effort.of(tried), FitSamples.of(scenario))


def _well_shared(scenario: Scenario, name: str, best: SubsetResult) -> Candidate:
    """The strategy on those of the scenario's ranks that serve it best, with the shares that serve it there."""
    simulation, is_silent = best.simulation, "shares" not in scenario.written.strategy_fields
    if simulation is not None and is_silent and may_be_better_shared(simulation):
        simulation = simulate(scenario, name, best.devices, silent_shares="auto")
    return _as_candidate(scenario, name, best.devices, simulation, best.reason)


def _as_candidate(
    scenario: Scenario, name: str, devices: tuple[int, ...], simulation: Simulation | None, reason: str | None = None
) -> Candidate:
    """reason: why there is no simulation."""
    lossless = strategies.find(name).lossless(scenario.strategy_options(name))
    if simulation is None:
        return Candidate(name, devices, lossless, None, reason=reason)
    short = lacking(simulation)
    reason = None if short is None else f"does not fit {short.device}: {short}"
    return Candidate(name, devices, lossless, simulation, short is None, reason=reason)


def _with_outputs(scenario: Scenario, candidate: Candidate, progress: Progress) -> Candidate:
    if candidate.lossless or candidate.simulation is None:
        return candidate
    job = candidate.simulation.job
    return replace(
        candidate,
        fidelity=fidelity_of(scenario, job, progress),
        accuracy=accuracy_of(scenario, job, progress),
    )
