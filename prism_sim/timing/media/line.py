"""A carrier of one transmission at a time, first come, first served: the air, or one direction of a link."""

from __future__ import annotations

from collections import deque

from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Leg


class Line:
    """Knows how long each transmission takes when it is booked, so it needs no queue, only what is booked so far."""

    def __init__(self) -> None:
        self.free_s = 0.0
        self._booked: deque[tuple[float, float, DeviceIndex]] = deque()  # (start, end, whose), in order
        self._seconds_of: dict[DeviceIndex, float] = {}

    def book(
        self, now_s: float, duration_s: float, owner: DeviceIndex, last_bit_s: float = 0.0
    ) -> tuple[float, float, list[Leg]]:
        """Start and end of a transmission, and the wait for it.

        owner: the device whose bytes these are.  last_bit_s: it cannot end before this (its bytes are still coming in).
        """
        start_s = max(now_s, self.free_s)
        end_s = max(start_s + duration_s, last_bit_s)
        wait = self._wait(now_s, start_s, owner)
        self._booked.append((start_s, end_s, owner))
        self._seconds_of[owner] = self._seconds_of.get(owner, 0.0) + end_s - start_s
        self.free_s = end_s
        return start_s, end_s, wait

    def _wait(self, now_s: float, start_s: float, owner: DeviceIndex) -> list[Leg]:
        """The time from now to the start: the carrier is busy with the owner's earlier bytes, or with others'."""
        while self._booked and self._booked[0][1] <= now_s:
            begun_s, ended_s, whose = self._booked.popleft()
            self._seconds_of[whose] -= ended_s - begun_s
        if not self._booked:
            self._seconds_of.clear()  # what rounding has left
            return []
        own_s = self._seconds_of.get(owner, 0.0)
        begun_s, _, whose = self._booked[0]
        if whose == owner:
            own_s -= max(0.0, now_s - begun_s)
        if own_s >= (start_s - now_s) * (1 - 1e-12):
            return [("transfer", now_s, start_s)]
        if own_s <= (start_s - now_s) * 1e-12:
            return [("queue", now_s, start_s)]
        return [("transfer", now_s, now_s + own_s), ("queue", now_s + own_s, start_s)]
