"""A plan, played once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.engine import Engine
from prism_sim.timing.media.base import Network
from prism_sim.timing.quickest import algorithm_of
from prism_sim.timing.rig import Rig
from prism_sim.timing.timeline import Timeline


def play_once(plan: Plan, devices: Sequence[Device], device_of: Sequence[int], network: Network) -> Timeline:
    """Plays `plan` once, all participants beginning at 0 s.

    device_of[i]: index in `devices` of participant i; the terminal's is the last.
    Raises ValueError if the sizes do not fit each other, or if a participant waits for what nobody sends.
    """
    rig = Rig.of(devices, device_of, network)
    run = Engine(plan, rig, partial(algorithm_of, rig))
    run.once()
    return Timeline.of(run.log, len(devices))
