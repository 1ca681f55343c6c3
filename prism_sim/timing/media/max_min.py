"""Max-min fair rates of flows, each of which crosses two ports.

Progressive filling (Bertsekas and Gallager, "Data Networks", 6.5.2): all rates grow together until a port is full; its
flows stop growing, the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeAlias

Ports: TypeAlias = tuple[int, int]  # egress of the sender's device, ingress of the receiver's
SAME_SHARE = 1 + 1e-12  # times a share: ports that differ by less, which is rounding, are full at once


def max_min_rates(flows: Sequence[Ports], capacity: Sequence[float]) -> list[float]:
    """Of each flow, bits per second.  capacity: of each port, bits per second."""
    crossing = crossing_of(flows)
    left = {port: capacity[port] for port in crossing}
    n_growing = {port: len(own) for port, own in crossing.items()}
    shares = [(left[port] / n, port) for port, n in n_growing.items()]
    heapify(shares)
    rates = [0.0] * len(flows)
    while shares:
        lowest, full = _full_next(shares, left, n_growing)
        for flow in (flow for port in full for flow in crossing[port]):
            if not rates[flow]:  # it grew until this port was full
                rates[flow] = lowest
                for crossed in flows[flow]:
                    left[crossed] -= lowest
                    n_growing[crossed] -= 1
    return rates


def _full_next(
    shares: list[tuple[float, int]], left: dict[int, float], n_growing: dict[int, int]
) -> tuple[float, list[int]]:
    """The lowest share of what is left, and the ports which are full at it; they leave the heap of shares.

    Shares in there may be out of date, and are then too low: a port's share only grows as others are full.
    """
    lowest, full = 0.0, list[int]()
    while shares and (not full or shares[0][0] <= lowest * SAME_SHARE):
        known, port = heappop(shares)
        if not n_growing[port]:
            continue
        share = left[port] / n_growing[port]
        if share == known if not full else share <= lowest * SAME_SHARE:
            lowest = lowest if full else share
            full.append(port)
        else:
            heappush(shares, (share, port))
    return lowest, full


def crossing_of(flows: Iterable[Ports]) -> dict[int, list[int]]:
    """The flows that cross each port."""
    crossing: dict[int, list[int]] = {}
    for flow, ports in enumerate(flows):
        for port in ports:
            crossing.setdefault(port, []).append(flow)
    return crossing
