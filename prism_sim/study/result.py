"""What one run answers: the scenario's latency and its causes, beside one device and beside Voltage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prism_sim.scenario import Scenario
from prism_sim.strategies.base import EMBEDDING, HEAD
from prism_sim.study.accuracy import Accuracy
from prism_sim.study.memory import fits
from prism_sim.study.numerics import Fidelity
from prism_sim.study.provenance import provenance
from prism_sim.study.shares import ShareChoice, share_choice
from prism_sim.study.simulation import Simulation

SCHEMA = "prism-sim/run/1"


@dataclass(frozen=True)
class RunResult:
    """A scenario's simulation and what it is compared with.

    single: on the terminal alone. fastest_single: on the device where one alone is fastest, shipping included.
    voltage: all rows exchanged, on the same ranks; None where that is no comparison (one rank) or not possible.
    accuracy: None without a task.
    """

    scenario: Scenario
    simulation: Simulation
    single: Simulation
    fastest_single: Simulation
    voltage: Simulation | None
    fidelity: Fidelity | None
    accuracy: Accuracy | None = None

    @property
    def latency_s(self) -> float:
        return self.simulation.latency_s

    @property
    def speedup(self) -> float:
        """Over the terminal alone."""
        return self.single.latency_s / self.latency_s

    @cached_property
    def shares(self) -> ShareChoice | None:
        """How tokens, heads or blocks are split, beside an even split; None where nothing is."""
        written = getattr(self.scenario.strategy.options, "shares", None)
        return share_choice(self.simulation.setting, written, self.latency_s)

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
            "strategy": self.simulation.job.strategy,
            "head": self.simulation.job.head.name,
            "dtype": self.simulation.job.dtype,
            "segments": segments,
            "compression_rate": rate,
            "communication_reduction": self.communication_reduction,
            "shares": None if self.shares is None else self.shares.to_json(),
            "gflops_per_device": self.simulation.gflops_per_device,
            "throughput_per_s": self.simulation.throughput_per_s,
            "energy_j": self.simulation.total_energy_j,
            "breakdown_s": dict(self.simulation.timeline.breakdown_s),
            "ranks": [self._rank(rank) for rank in range(self.simulation.plan.n_ranks)],
            "terminal": self._terminal(),
            "versus_single": {
                "latency_s": self.single.latency_s,
                "speedup": self.speedup,
                "fits": fits(self.scenario, self.single),
                "flops_reduction": self.flops_reduction,
                "fastest_single_latency_s": self.fastest_single.latency_s,
                "fastest_single_device": self._device(self.fastest_single, 0),
            },
            "versus_voltage": None
            if self.voltage is None
            else {"latency_s": self.voltage.latency_s, "speedup": self.voltage.latency_s / self.latency_s},
            "fidelity": None if self.fidelity is None else self.fidelity.to_json(),
            "plan_confirmed": None if self.fidelity is None else self.fidelity.plan_confirmed,
            "task": None if self.scenario.task is None else self.scenario.task.name,
            "accuracy": None if self.accuracy is None else self.accuracy.to_json(),
            "unused_fields": list(self.scenario.unused_fields),
            "provenance": provenance(self.scenario),
        }

    def _device(self, simulation: Simulation, participant: int) -> str:
        return self.scenario.devices[simulation.device_of[participant]].name

    def _rank(self, rank: int) -> dict[str, Any]:
        simulation = self.simulation
        plan, timeline = simulation.plan, simulation.timeline
        return {
            "device": self._device(simulation, rank),
            "flops": simulation.block_flops(rank),
            "busy_s": simulation.busy_s[rank],
            "wait_s": timeline.wait_s[rank],
            "sent_bytes": timeline.sent_bytes[rank],
            "received_bytes": timeline.received_bytes[rank],
            "weight_bytes": plan.weight_bytes[rank],
            "peak_memory_bytes": plan.weight_bytes[rank] + plan.activation_bytes[rank],
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
            "sent_bytes": simulation.timeline.sent_bytes[me],
        }
