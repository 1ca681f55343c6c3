"""Kernels timed between runs, some at a time, so that each run has some shortly before it and shortly after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prism_sim.live.group import gathered, meet
from prism_sim.live.kernels import KernelTimer, Stack, time_copies
from prism_sim.live.request import FIRST
from prism_sim.live.timed import Pass
from prism_sim.live.voice import ProcessIndex, Seat

ALONE, IN_COMPANY = "alone", "in_company"  # how kernels are timed: with the other processes idle, or as busy
ALL_AT_ONCE = None  # in place of the process whose turn it is


@dataclass(frozen=True, slots=True)
class Kernels:
    """Kernels to be timed: see `live.kernels`."""

    configs: tuple[Mapping[str, Any], ...]
    passes: tuple[Pass, ...]
    where: str = "cpu"


class KernelTurns:
    """Of one process. a_round: how many runs a round has, before each of which its part of all passes is due."""

    def __init__(self, kernels: Kernels | None, seat: Seat, a_round: int) -> None:
        self.me, self.world = seat.rank, seat.world
        self.where = "cpu" if kernels is None else kernels.where
        stacks = [] if kernels is None else [Stack(config, kernels.where) for config in kernels.configs]
        passes: Sequence[Pass] = () if kernels is None else kernels.passes
        self.timers = {name: KernelTimer(stacks, passes) for name in (ALONE, IN_COMPANY) if stacks}
        self.n = -(-len(stacks) * len(passes) // max(a_round, 1))

    def go_on(self, deadline_s: float, doing: Callable[[str], None]) -> None:
        """Those of one process after another, then of all at once. Raises PeerError."""
        for name, timer in self.timers.items():
            turns: Sequence[ProcessIndex | None] = [ALL_AT_ONCE]
            if name == ALONE:
                turns = [ProcessIndex(process) for process in range(self.world)]
            for turn in turns:
                doing(f"times kernels, {name.replace('_', ' ')}")
                meet(deadline_s)
                if turn in (ALL_AT_ONCE, self.me):
                    timer.go_on(self.n)

    def found(self) -> list[dict[str, Any]]:
        """Of each process, at the first; all call it together. Raises PeerError."""
        if not self.timers:
            return []
        own: dict[str, Any] = {name: [asdict(step) for step in timer.steps()] for name, timer in self.timers.items()}
        if self.where != "cpu":
            own["copies"] = [asdict(copy) for copy in time_copies(self.where)]
        return gathered(own, FIRST) or []
