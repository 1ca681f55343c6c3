"""The processes of a run together see whether others disturb them, wait for calm, and agree on what is next."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prism_sim.live.group import gathered, shared
from prism_sim.live.request import FIRST, Measured
from prism_sim.live.steady.rounds import Schedule
from prism_sim.live.steady.watch import CoreUse, Disturbance, Watch, disturbance

GLANCE_S = 0.2  # that a moment must be calm for; ten times what the system's clocks tell apart
MOST_GLANCES = 15  # before a run; then it is made all the same


class Lookout:
    """Of one process. Its methods but `use` are called by all processes together, and say the same to all."""

    def __init__(self, schedule: Schedule, cores: Sequence[int] | None) -> None:
        self.schedule, self.watch, self.each_its_own = schedule, Watch(cores), cores is not None
        self.since_s = time.monotonic()

    def begin(self) -> None:
        """The first round begins."""
        self.since_s = time.monotonic()

    def due(self, number: int, runs: Sequence[Sequence[Measured]]) -> list[int]:
        """Places of the orders of this round. runs: of each order, those to warm up included. Raises PeerError."""
        measured = [found[self.schedule.warmup :] for found in runs]
        known = [[one.disturbance for one in found if one.disturbance is not None] for found in measured]
        found: list[int] = shared(self.schedule.due(number, known, time.monotonic() - self.since_s), "go on")
        return found

    def await_calm(self) -> None:
        """For a few seconds at most. Raises PeerError."""
        for _ in range(0 if self.schedule.patience is None else MOST_GLANCES):
            before = self.watch.now()
            time.sleep(GLANCE_S)
            found = self._disturbance(self.watch.now() - before)
            if not found.is_felt or self._is_late():
                return

    def _is_late(self) -> bool:
        patience = self.schedule.patience
        assert patience is not None
        found: bool = shared(time.monotonic() - self.since_s >= patience.within_s, "go on")
        return found

    def use(self) -> CoreUse:
        """Of this process's cores, of all time until now."""
        return self.watch.now()

    def disturbance(self, used: CoreUse) -> Disturbance | None:
        """Of a run that took so much here; None where nobody minds. Raises PeerError."""
        return None if self.schedule.patience is None else self._disturbance(used)

    def _disturbance(self, used: CoreUse) -> Disturbance:
        uses = gathered(used, FIRST)
        found: Disturbance = shared(None if uses is None else disturbance(uses, self.each_its_own))
        return found
