"""A plan, played on many rigs: numbers alone, one row a rig."""

from __future__ import annotations

from collections.abc import Sequence
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
from prism_sim.timing.engines import are_worth_compiled
from prism_sim.timing.once import play_once
from prism_sim.timing.quickest import algorithms_of
from prism_sim.timing.rig import Rig
from prism_sim.timing.stream import ListenedRounds

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
    """Plays `plan` once on each of the rigs: with equally many devices, on which participants are placed alike.

    Raises as `play_once`.
    """
    if are_worth_compiled(plan, [rig.network for rig in rigs]):
        from prism_sim.timing import compiled  # loads numba

        with suppress(compiled.CannotEndError):
            return PlayedMany(*compiled.figures(plan, rigs))
    columns = zip(*(_row(plan, rig) for rig in rigs), strict=True)
    kinds = (*[np.float64] * 5, np.int64, np.int64, np.float64, np.int8)
    return PlayedMany(*(np.array(rows, dtype=kind) for rows, kind in zip(columns, kinds, strict=True)))


def throughputs(plan: Plan, rigs: Sequence[Rig]) -> Floats:
    """Requests a second on each of the rigs, as `play_stream` gives it. Raises as that."""
    heard = ListenedRounds.of((plan,))
    found = [heard.throughput_per_s(completions_s) for completions_s, _ in heard.completions(rigs)]
    return np.array(found, dtype=np.float64)


def dealt_throughputs(turns: Sequence[Plan], rigs: Sequence[Rig]) -> Floats:
    """Requests a second on each of the rigs, as `dealt_per_s` gives it. Raises as that."""
    return np.array([dealt_per_s(turns, rig.devices, rig.device_of, rig.network) for rig in rigs], dtype=np.float64)


def _row(plan: Plan, rig: Rig) -> tuple[Any, ...]:
    where = rig.devices, rig.device_of, rig.network
    timeline = play_once(plan, *where)
    return (
        timeline.latency_s,
        [timeline.breakdown_s[part] for part in PARTS],
        timeline.participant_busy_s,
        timeline.busy_s,
        timeline.wait_s,
        timeline.sent_bytes,
        timeline.received_bytes,
        air_s_by_device(timeline),
        [NAMES.index(name) for name in algorithms_of(plan, *where)],
    )
