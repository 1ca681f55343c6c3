"""A plan, played once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.engines import is_worth_compiled
from prism_sim.timing.media.base import Network
from prism_sim.timing.plain.engine import Engine
from prism_sim.timing.quickest import algorithm_of
from prism_sim.timing.rig import Rig
from prism_sim.timing.timeline import Timeline


def play_once(plan: Plan, devices: Sequence[Device], device_of: Sequence[int], network: Network) -> Timeline:
    """Plays `plan` once, all participants beginning at 0 s.

    device_of[i]: index in `devices` of participant i; the terminal's is the last.
    Raises ValueError if the sizes do not fit each other, or if a participant waits for what nobody sends.
    """
    rig = Rig.of(devices, device_of, network)
    if is_worth_compiled(plan, network):
        from prism_sim.timing import compiled  # loads numba

        with suppress(compiled.CannotEndError):
            return compiled.once(plan, rig)
    return play_plainly(plan, rig)


def play_plainly(plan: Plan, rig: Rig) -> Timeline:
    """By the plain engine, which is the meaning of time."""
    run = Engine(plan, rig, partial(algorithm_of, rig))
    run.once()
    return Timeline.of(run.log, len(rig.devices))
