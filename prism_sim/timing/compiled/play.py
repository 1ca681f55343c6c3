"""What `play_once`, `play_stream` and `algorithms_of` give, by compiled code: to the bit what the plain one gives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any

from prism_sim.plan import Exchange, Plan, Step
from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.log import breakdown_of, timeline_of
from prism_sim.timing.compiled.memory import Memory, Wanted, memory_for
from prism_sim.timing.compiled.tables import Tables
from prism_sim.timing.quickest import ways_for
from prism_sim.timing.rig import Rig
from prism_sim.timing.timeline import Timeline

MOST_KEPT = 32  # plans whose tables are kept for the next who plays them
_KEPT: OrderedDict[object, tuple[Plan, Tables]] = OrderedDict()
_ONE_AT_A_TIME = Lock()  # a memory is written over by the next rig


def once(plan: Plan, rig: Rig) -> Timeline:
    """Raises CannotEndError where the plain engine says why."""
    with _ONE_AT_A_TIME:
        memory = _memory(plan, plan.programs[-1:], rig, Wanted())
        memory.play(rig)
        return timeline_of(memory, rig)


def figures(plan: Plan, rig: Rig) -> tuple[Any, ...]:
    """What `many.PlayedMany` has a row of, in its order, algorithms by name. Raises CannotEndError."""
    n_participants, n_devices = len(rig.device_of), len(rig.devices)
    with _ONE_AT_A_TIME:
        memory = _memory(plan, plan.programs[-1:], rig, Wanted())
        memory.play(rig)
        latency_s = memory.records(at.ENDS, at.END, n_participants)[1][:, at.END_END_S].max()
        whole, seconds = (one.copy() for one in memory.records(at.PARTICIPANTS, at.PARTICIPANT, n_participants))
        devices_s = memory.records(at.DEVICES, at.DEVICE, n_devices)[1].copy()
        parts_s, chosen = breakdown_of(memory), _chosen(memory)
    return (
        latency_s,
        parts_s,
        seconds[:, at.PARTICIPANT_BUSY_S],
        devices_s[:, at.DEVICE_BUSY_S],
        seconds[:, at.PARTICIPANT_WAIT_S],
        whole[:, at.PARTICIPANT_SENT_BYTES],
        whole[:, at.PARTICIPANT_RECEIVED_BYTES],
        devices_s[:, at.DEVICE_AIR_S],
        chosen,
    )


def algorithms(plan: Plan, rig: Rig) -> tuple[str, ...]:
    """Of each exchange of the plan. Raises CannotEndError."""
    with _ONE_AT_A_TIME:
        memory = _memory(plan, plan.programs[-1:], rig, Wanted(once=False, logged=False))
        memory.play(rig)
        return tuple(_chosen(memory))


def _chosen(memory: Memory) -> list[str]:
    """The algorithm of each exchange."""
    begin = memory.begins[at.LOWERING_OF]
    chosen = memory.cells[begin : begin + len(memory.tables.plan.exchanges)].tolist()
    return [memory.tables.lowered[lowering][1] for lowering in chosen]


def completions(
    plan: Plan, terminals: Sequence[Sequence[Step]], rig: Rig, n_rounds: int, in_flight: int, whole: bool
) -> tuple[list[float], int]:
    """When each round was done, and how many were played to know that. Raises CannotEndError."""
    wanted = Wanted(once=False, logged=False, n_rounds=n_rounds, in_flight=in_flight, whole=whole)
    with _ONE_AT_A_TIME:
        memory = _memory(plan, terminals, rig, wanted)
        memory.play(rig)
        done = memory.records(at.REQUESTS, at.REQUEST, n_rounds)[1][:, at.REQUEST_COMPLETION_S]
        return done.tolist(), int(memory.cells[at.N_PLAYED])


def _memory(plan: Plan, terminals: Sequence[Sequence[Step]], rig: Rig, wanted: Wanted) -> Memory:
    """Made for the same plan on like hardware before, or new. Raises ValueError as the plain engine."""
    rig.check(plan)
    network = rig.network
    like = (network.collective, network.reaches_all, type(network), len(rig.devices), rig.device_of, len(terminals))
    known = _KEPT.get((id(plan), like))
    if known is None:
        ways: Callable[[Exchange], Sequence[str]] = partial(ways_for, rig)
        known = _KEPT[id(plan), like] = plan, Tables(plan, terminals, rig, ways)
        if len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end((id(plan), like))
    return memory_for(known[1], rig, wanted)
