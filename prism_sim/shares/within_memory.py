"""Shares that the devices' memory allows: as near as can be to those that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from prism_sim.partition import shared_split
from prism_sim.shares.setting import Setting, Sizes

ROUNDS = 16  # of a secant; what a rank holds is all but linear in its items, so two or three do


def within_memory(setting: Setting, shares: Sequence[float]) -> tuple[float, ...] | None:
    """The shares themselves if their plan fits the devices' memory; else the nearest that do; None if none was found.

    What a rank holds is taken to grow evenly with its items, which two plans tell; the most that fits is its limit, and
    the others take the rest in proportion to their shares. Deterministic, and without a simulation.
    Raises ValueError where the ranks are more than the items.
    """
    n_items = setting.n_items
    sizes = shared_split(n_items, shares, setting.least)
    held = _Held(sizes, setting.shared(shares).plan.held_bytes)
    if not setting.beyond(held.n_bytes):
        return tuple(shares)
    if setting.job.n_ranks == 1:
        return None
    step = max(1, n_items // min(setting.items.values()) // 2)  # half a head, in columns
    known, tried = _held(setting, _moved(sizes)), {sizes}
    for _ in range(ROUNDS):
        limits = [_limit(setting, rank, held, known) for rank in range(setting.job.n_ranks)]
        found = _limited(n_items, shares, limits, setting.least)
        while found is not None and found in tried:  # parts of a whole, such as heads, grow in steps
            beyond = setting.beyond(held.n_bytes)
            limits = [n - step if setting.device_of[rank] in beyond else limits[rank] for rank, n in enumerate(found)]
            found = _limited(n_items, shares, limits, setting.least)
        if found is None:
            return None
        known, held = held, _held(setting, found)
        tried.add(found)
        if not setting.beyond(held.n_bytes):
            return tuple(size / n_items for size in found)
    return None


@dataclass(frozen=True, slots=True)
class _Held:
    """A split's sizes, and what each participant then holds."""

    sizes: Sizes
    n_bytes: tuple[int, ...]


def _held(setting: Setting, sizes: Sizes) -> _Held:
    return _Held(sizes, setting.split(sizes).plan.held_bytes)


def _moved(sizes: Sizes) -> Sizes:
    """Another split, in which the size of every rank is another: neighbours exchange half of what one of them has."""
    moved = list(sizes)
    for giver in range(0, len(moved) - 1, 2):
        _give(moved, giver, giver + 1)
    if len(moved) % 2:
        _give(moved, len(moved) - 1, 0)
    return tuple(moved)


def _give(sizes: list[int], one: int, other: int) -> None:
    giver, taker = (one, other) if sizes[one] >= sizes[other] else (other, one)
    n_moved = max(1, sizes[giver] // 2) if sizes[giver] > 1 else 0
    sizes[giver] -= n_moved
    sizes[taker] += n_moved


def _limit(setting: Setting, rank: int, held: _Held, known: _Held) -> int:
    """The most items of a rank that its device has room for, beside the terminal if that is there too."""
    device, n_all = setting.device_of[rank], sum(held.sizes)
    have_bytes = setting.devices[device].memory_bytes
    if have_bytes is None:
        return n_all
    room_bytes = have_bytes - setting.device_bytes(held.n_bytes)[device]
    n_more = held.sizes[rank] - known.sizes[rank]
    item_bytes = (held.n_bytes[rank] - known.n_bytes[rank]) / n_more if n_more else 0.0
    if item_bytes <= 0:
        return n_all if room_bytes >= 0 else held.sizes[rank] - 1
    return min(n_all, floor(held.sizes[rank] + room_bytes / item_bytes))


def _limited(n_items: int, shares: Sequence[float], limits: Sequence[int], least: int) -> Sizes | None:
    """Sizes in proportion to the shares, none above its limit or below the least; None if the limits are too low."""
    if min(limits) < least or sum(limits) < n_items:
        return None
    full: dict[int, int] = {}
    while True:
        left, growing = n_items - sum(full.values()), sum(s for rank, s in enumerate(shares) if rank not in full)
        pace = left / growing if growing else inf
        over = [rank for rank, s in enumerate(shares) if rank not in full and s * pace > limits[rank]]
        if not over:
            break
        full |= {rank: limits[rank] for rank in over}
    rest = [rank for rank in range(len(shares)) if rank not in full]
    sizes = dict(full)
    if rest:
        sizes |= dict(zip(rest, shared_split(left, [shares[rank] / growing for rank in rest], least), strict=True))
    return tuple(sizes[rank] for rank in range(len(shares)))
