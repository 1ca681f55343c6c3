"""What one run answers: the scenario's latency and its causes, beside one device and beside Voltage."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from prism_sim.choice.flips import Flips, flips
from prism_sim.outputs.fidelity import Fidelity
from prism_sim.outputs.task_accuracy import Accuracy
from prism_sim.plan import ParticipantId
from prism_sim.scenario import Scenario
from prism_sim.shares.choice import ShareChoice
from prism_sim.simulation.fit_samples import FitSamples, SampledTimes, latency_range_s, text_ranges
from prism_sim.simulation.memory import demands
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation
from prism_sim.strategies.base import EMBEDDING, HEAD

SCHEMA = "prism-sim/run/1"


@dataclass(frozen=True)
class RunResult:
    """A scenario's simulation and what it is compared with.

    single: on the terminal alone, whether or not it can hold the model. fastest_single: on the device where one alone
    is fastest, shipping included, of those that can hold it; None if none can.
    voltage: all rows exchanged, on the same ranks; None where that is no comparison (one rank), not possible,
    or would take long (many ranks).
    served: the same with shares that serve it better, where the scenario is silent about them; None: there are none.
    accuracy: None without a task. samples: of its hardware; None where no number has an interval, or none were asked.
    """

    scenario: Scenario
    simulation: Simulation
    single: Simulation
    fastest_single: Simulation | None
    voltage: Simulation | None
    fidelity: Fidelity | None
    served: Simulation | None = None
    accuracy: Accuracy | None = None
    samples: FitSamples | None = None

    @property
    def latency_s(self) -> float:
        return self.simulation.latency_s

    @property
    def times(self) -> SampledTimes | None:
        """Of the samples; None where there are none, or the plan is too large to be played so often."""
        return None if self.samples is None else self.samples.times(self.simulation)

    def flips(self, simulation: Simulation) -> Flips | None:
        """In which samples the faster one of a way to distribute and one device alone is the slower one."""
        best = self.fastest_single
        if best is None or simulation.plan.n_ranks == 1:
            return None
        if best.latency_s < simulation.latency_s:
            name = f"{simulation.job.strategy} over {simulation.plan.n_ranks} devices"
            return flips(self.samples, best, {name: simulation})
        alone = (self.single, best) if self.single.fits else (best,)
        return flips(self.samples, simulation, {f"{self._device(one, 0)} alone": one for one in alone})

    @property
    def speedup(self) -> float | None:
        """Over the terminal alone; None where it cannot hold the model."""
        return self.single.latency_s / self.latency_s if self.single.fits else None

    @property
    def shares(self) -> ShareChoice | None:
        """How tokens, heads or blocks are split, beside an even split; None where nothing is."""
        return self.simulation.shares

    @property
    def flops_reduction(self) -> float:
        """The papers' "computation speed-up": 1 - GFLOPs per device / GFLOPs of one device."""
        return 1 - self.simulation.gflops_per_device / self.single.gflops_per_device

    @property
    def communication_reduction(self) -> float | None:
        return self.simulation.communication_reduction

    def to_json(self) -> dict[str, Any]:
        """The contract of `--json`; a field whose part is not built yet is null."""
        segments, rate = self.simulation.compression
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "latency_s": self.latency_s,
            "latency_range_s": latency_range_s(self.samples, self.simulation),
            "strategy": self.simulation.job.strategy,
            "head": self.simulation.job.head.name,
            "dtype": self.simulation.job.dtype,
            "segments": segments,
            "compression_rate": rate,
            "collectives": self.simulation.collectives,
            "communication_reduction": self.communication_reduction,
            "shares": None if self.shares is None else self.shares.to_json(),
            "gflops_per_device": self.simulation.gflops_per_device,
            "throughput_per_s": self.simulation.throughput_per_s,
            "samples_per_s": self.simulation.throughput_per_s * self.simulation.job.batch,
            "throughput_mode": self.simulation.throughput_mode,
            "energy_j": self.simulation.total_energy_j,
            "ranges": self._ranges(),
            "breakdown_s": dict(self.simulation.breakdown_s),
            "generation": self._generation(),
            "ranks": [self._rank(rank) for rank in self.simulation.plan.ranks],
            "devices": [
                {
                    "device": one.device,
                    "peak_memory_bytes": one.resident_bytes,
                    "streamed_bytes": one.streamed_bytes,
                    "memory_bytes": one.have_bytes,
                }
                for one in demands(self.simulation)
            ],
            "terminal": self._terminal(),
            "versus_single": self._versus_single(),
            "versus_voltage": None if self.voltage is None else _versus(self.voltage, self.simulation),
            "better_shares": None if self.served is None else self._better_shares(self.served),
            "fidelity": None if self.fidelity is None else self.fidelity.to_json(),
            "plan_confirmed": None if self.fidelity is None else self.fidelity.plan_confirmed,
            "task": None if self.scenario.task is None else self.scenario.task.name,
            "accuracy": None if self.accuracy is None else self.accuracy.to_json(),
            "unused_fields": list(self.scenario.written.unused_fields),
            "provenance": provenance(self.scenario),
        }

    def _generation(self) -> dict[str, Any] | None:
        if (found := self.simulation.generation) is None:
            return None
        several = self.simulation.back_to_back.in_flight
        return {**found.to_json(), "in_flight": None if several is None else asdict(several)}

    def _ranges(self) -> dict[str, Any] | None:
        """What follows from the intervals of the numbers, beside the latency's."""
        if self.samples is None or self.times is None:
            return None
        found = self.flips(self.simulation)
        return {
            **text_ranges(self.times),
            "single_latency_range_s": latency_range_s(self.samples, self.single),
            "verdict": None if found is None else found.to_json(),
        }

    def _versus_single(self) -> dict[str, Any]:
        fastest = self.fastest_single
        return {
            **_versus(self.single, self.simulation),
            "flops_reduction": self.flops_reduction,
            "fastest_single_latency_s": None if fastest is None else fastest.latency_s,
            "fastest_single_device": None if fastest is None else self._device(fastest, 0),
        }

    def _better_shares(self, served: Simulation) -> dict[str, Any]:
        assert served.shares is not None
        return {**served.shares.to_json(), "latency_s": served.latency_s, "speedup": self.latency_s / served.latency_s}

    def _device(self, simulation: Simulation, participant: int) -> str:
        return self.scenario.devices[simulation.device_of[participant]].name

    def _rank(self, rank: ParticipantId) -> dict[str, Any]:
        simulation = self.simulation
        return {
            "device": self._device(simulation, rank),
            "runtime": self.scenario.devices[simulation.device_of[rank]].runtime,
            "flops": simulation.block_flops(rank),
            "head_flops": simulation.labelled_flops(rank, HEAD),
            "busy_s": simulation.busy_s[rank],
            "wait_s": simulation.wait_s[rank],
            "sent_bytes": simulation.sent_bytes[rank],
            "received_bytes": simulation.received_bytes[rank],
            "weight_bytes": simulation.back_to_back.weight_bytes[rank],
            "peak_memory_bytes": simulation.held_bytes[rank],
            "energy_j": simulation.energy_j[simulation.device_of[rank]],
        }

    def _terminal(self) -> dict[str, Any]:
        simulation = self.simulation
        me = simulation.plan.terminal
        return {
            "device": self._device(simulation, me),
            "embedding_flops": simulation.labelled_flops(me, EMBEDDING),
            "head_flops": simulation.labelled_flops(me, HEAD),
            "busy_s": simulation.busy_s[me],
            "sent_bytes": simulation.sent_bytes[me],
        }


def _versus(other: Simulation, own: Simulation) -> dict[str, Any]:
    """Of what is compared with; speedup: over that, None where it does not fit and so is no alternative."""
    return {
        "latency_s": other.latency_s,
        "speedup": other.latency_s / own.latency_s if other.fits else None,
        "fits": other.fits,
    }
