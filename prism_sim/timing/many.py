"""A plan, played on many rigs: numbers alone, one row a rig."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prism_sim.plan import Plan
from prism_sim.timing.collectives import ALGORITHMS
from prism_sim.timing.critical_path import PARTS
from prism_sim.timing.dealing import dealt_per_s
from prism_sim.timing.energy import air_s_by_device
from prism_sim.timing.engines import is_worth_compiled
from prism_sim.timing.once import play_once
from prism_sim.timing.quickest import algorithms_of
from prism_sim.timing.rig import Rig
from prism_sim.timing.stream import play_stream

NAMES = tuple(ALGORITHMS)  # by their codes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PlayedMany:
    """What `play_once` gives on each of n rigs, all in seconds and bytes.

    breakdown_s: (n, 6), in the order of `critical_path.PARTS`. participant_busy_s, wait_s, sent_bytes, received_bytes:
    (n, participants). device_busy_s, air_s: (n, devices). algorithms: (n, exchanges), each an index in NAMES.
    """

    latency_s: Floats
    breakdown_s: Floats
    participant_busy_s: Floats
    device_busy_s: Floats
    wait_s: Floats
    sent_bytes: Integers
    received_bytes: Integers
    air_s: Floats
    algorithms: NDArray[np.int8]


def play_many(plan: Plan, rigs: Sequence[Rig]) -> PlayedMany:
    """Plays `plan` once on each of the rigs, which have equally many devices. Raises as `play_once`."""
    columns = zip(*(_row(plan, rig) for rig in rigs), strict=True)
    kinds = (*[np.float64] * 5, np.int64, np.int64, np.float64, np.int8)
    return PlayedMany(*(np.array(rows, dtype=kind) for rows, kind in zip(columns, kinds, strict=True)))


def throughputs(plan: Plan, rigs: Sequence[Rig]) -> Floats:
    """Requests a second on each of the rigs, as `play_stream` gives it. Raises as that."""
    return _each(lambda *where: play_stream(plan, *where).throughput_per_s, rigs)


def dealt_throughputs(turns: Sequence[Plan], rigs: Sequence[Rig]) -> Floats:
    """Requests a second on each of the rigs, as `dealt_per_s` gives it. Raises as that."""
    return _each(lambda *where: dealt_per_s(turns, *where), rigs)


def _each(per_s: Callable[..., float], rigs: Sequence[Rig]) -> Floats:
    return np.array([per_s(rig.devices, rig.device_of, rig.network) for rig in rigs], dtype=np.float64)


def _row(plan: Plan, rig: Rig) -> tuple[Any, ...]:
    if is_worth_compiled(plan, rig.network):
        from prism_sim.timing import compiled  # loads numba

        with suppress(compiled.CannotEndError):
            return _coded(compiled.figures(plan, rig))
    where = rig.devices, rig.device_of, rig.network
    timeline = play_once(plan, *where)
    figures = (
        timeline.latency_s,
        [timeline.breakdown_s[part] for part in PARTS],
        timeline.participant_busy_s,
        timeline.busy_s,
        timeline.wait_s,
        timeline.sent_bytes,
        timeline.received_bytes,
        air_s_by_device(timeline),
        algorithms_of(plan, *where),
    )
    return _coded(figures)


def _coded(figures: tuple[Any, ...]) -> tuple[Any, ...]:
    """The last of them, names of algorithms, by their codes."""
    *others, names = figures
    return (*others, [NAMES.index(name) for name in names])
