"""What every process of a live run must know; each makes it from the scenario for itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from prism_sim.live.outline import outlines
from prism_sim.live.routing import Route, RoutedMessage, route
from prism_sim.live.voice import ProcessIndex
from prism_sim.plan import ParticipantId, Plan
from prism_sim.shapes.job import Job

if TYPE_CHECKING:  # they load torch
    from prism_sim.numeric.inputs import InputSource
    from prism_sim.numeric.loading import ModelSource


@dataclass(frozen=True)
class LivePasses:
    """Passes that follow one another and exchange alike: a forward pass, or the steps after a prompt.

    jobs: of the passes. plan: of the first. algorithms, messages: of each exchange, and what it becomes by that.
    """

    jobs: tuple[Job, ...]
    plan: Plan
    algorithms: tuple[str, ...]
    messages: tuple[tuple[RoutedMessage, ...], ...]

    def routes(self) -> tuple[Route, ...]:
        """Raises ValueError for messages that processes cannot send."""
        found = outlines(self.jobs[0])
        assert tuple(one.exchange for one in found) == self.plan.exchanges
        ways = zip(found, self.messages, self.algorithms, strict=True)
        return tuple(route(one, messages, algorithm) for one, messages, algorithm in ways)


@dataclass(frozen=True)
class LiveOrder:
    """One request. series: its passes, in order; the first pass is a series of its own.

    device_of: of each participant, the terminal's last; device_names: of all devices.
    """

    series: tuple[LivePasses, ...]
    model: ModelSource
    given: InputSource
    device_of: tuple[int, ...]
    device_names: tuple[str, ...]

    @property
    def job(self) -> Job:
        """Of the first pass."""
        return self.series[0].jobs[0]

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Of all passes."""
        return tuple(job for one in self.series for job in one.jobs)

    @property
    def plan(self) -> Plan:
        """Of the first pass."""
        return self.series[0].plan

    @cached_property
    def active(self) -> tuple[ParticipantId, ...]:
        """Participants that have something to do."""
        return tuple(one for one in self.plan.participants if self.plan.programs[one])

    @cached_property
    def devices(self) -> tuple[int, ...]:
        """Devices that take part, one process each, in the order of the ranks, the terminal's last if it is another."""
        return tuple(dict.fromkeys(self.device_of[one] for one in self.active))

    @property
    def home(self) -> tuple[ProcessIndex | None, ...]:
        """The process of each participant; None for one without work."""
        return tuple(
            ProcessIndex(self.devices.index(self.device_of[one])) if one in self.active else None
            for one in self.plan.participants
        )

    def name(self, process: ProcessIndex) -> str:
        """For humans: who runs in a process, and on what device it stands for."""
        device = self.devices[process]
        roles = [
            "terminal" if one == self.plan.terminal else f"rank {one}"
            for one in self.active
            if self.device_of[one] == device
        ]
        return f"{' and '.join(roles)} ({self.device_names[device]})"
