"""What `play_once`, `play_stream` and `algorithms_of` give, by compiled code: to the bit what the plain one gives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prism_sim.plan import Exchange, Plan, Step
from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.layout import Cells
from prism_sim.timing.compiled.log import breakdowns_of, timeline_of
from prism_sim.timing.compiled.memory import Memory, Wanted, memory_for
from prism_sim.timing.compiled.tables import Tables, network_cells
from prism_sim.timing.quickest import ways_for
from prism_sim.timing.rig import Rig
from prism_sim.timing.rounds import Round
from prism_sim.timing.timeline import Timeline

MOST_KEPT = 32  # plans whose tables are kept for the next who plays them
_KEPT: OrderedDict[object, tuple[Plan, Tables]] = OrderedDict()
_ONE_AT_A_TIME = Lock()  # a memory is written over by the next rig


def once(plan: Plan, rig: Rig) -> Timeline:
    """Raises CannotEndError where the plain engine says why."""
    with _ONE_AT_A_TIME:
        (memory,) = _played(plan, plan.programs[-1:], [rig], Wanted())
        return timeline_of(memory, rig)


def figures(plan: Plan, rigs: Sequence[Rig]) -> tuple[NDArray[Any], ...]:
    """What `many.PlayedMany` has, in its order, with a row a rig; as that wants them. Raises CannotEndError."""
    n_participants, n_devices = len(rigs[0].device_of), len(rigs[0].devices)
    ends, whole = (np.empty((len(rigs), n_participants, fields), np.int64) for fields in (at.END, at.PARTICIPANT))
    devices = np.empty((len(rigs), n_devices, at.DEVICE), np.int64)
    chosen, segments = np.empty((len(rigs), len(plan.exchanges)), np.int8), list[Cells]()
    with _ONE_AT_A_TIME:
        for row, memory in enumerate(_played(plan, plan.programs[-1:], rigs, Wanted())):
            ends[row] = memory.records(at.ENDS, at.END, n_participants)[0]
            whole[row] = memory.records(at.PARTICIPANTS, at.PARTICIPANT, n_participants)[0]
            devices[row] = memory.records(at.DEVICES, at.DEVICE, n_devices)[0]
            segments.append(memory.records(at.SEGMENTS, at.SEGMENT, int(memory.cells[at.N_SEGMENTS]))[0].copy())
            chosen[row] = memory.tables.codes[_chosen(memory)]
    seconds, devices_s = whole.view(np.float64), devices.view(np.float64)
    return (
        ends.view(np.float64)[..., at.END_END_S].max(axis=1),
        breakdowns_of(segments),
        seconds[..., at.PARTICIPANT_BUSY_S],
        devices_s[..., at.DEVICE_BUSY_S],
        seconds[..., at.PARTICIPANT_WAIT_S],
        whole[..., at.PARTICIPANT_SENT_BYTES],
        whole[..., at.PARTICIPANT_RECEIVED_BYTES],
        devices_s[..., at.DEVICE_AIR_S],
        chosen,
    )


def algorithms(plan: Plan, rig: Rig) -> tuple[str, ...]:
    """Of each exchange of the plan. Raises CannotEndError."""
    with _ONE_AT_A_TIME:
        (memory,) = _played(plan, plan.programs[-1:], [rig], Wanted(once=False, logged=False))
        return tuple(memory.tables.lowered[lowering][1] for lowering in _chosen(memory).tolist())


def _chosen(memory: Memory) -> Cells:
    """The lowering of each exchange."""
    begin = memory.begins[at.LOWERING_OF]
    return memory.cells[begin : begin + len(memory.tables.plan.exchanges)]


def completions(
    a_round: Round, rigs: Sequence[Rig], n_rounds: int, in_flight: int, whole: bool
) -> Iterator[tuple[list[float], int]]:
    """Of each rig, when each round was done, and how many were played to know that. Raises CannotEndError."""
    wanted = Wanted(once=False, logged=False, n_rounds=n_rounds, in_flight=in_flight, whole=whole)
    with _ONE_AT_A_TIME:
        for memory in _played(a_round.plan, a_round.terminals, rigs, wanted):
            done = memory.records(at.REQUESTS, at.REQUEST, n_rounds)[1][:, at.REQUEST_COMPLETION_S]
            yield done.tolist(), int(memory.cells[at.N_PLAYED])


def _played(plan: Plan, terminals: Sequence[Sequence[Step]], rigs: Sequence[Rig], wanted: Wanted) -> Iterator[Memory]:
    """The memory in which each rig was played, to be read before the next is.

    rigs: with equally many devices, on which participants are placed alike.
    Raises CannotEndError, and ValueError as the plain engine.
    """
    rigs[0].check(plan)
    before: tuple[object, ...] = ()
    for rig in rigs:
        of_network = rig.network.collective, rig.network.reaches_all, type(rig.network)
        if of_network != before:
            tables, before = _tables(plan, terminals, rig), of_network
        network = network_cells(rig.network, len(rig.devices))
        memory = memory_for(tables, rig, network, wanted)
        memory.play(rig, network)
        yield memory


def _tables(plan: Plan, terminals: Sequence[Sequence[Step]], rig: Rig) -> Tables:
    """Made for the same plan on like hardware before, or new."""
    network = rig.network
    like = (network.collective, network.reaches_all, type(network), len(rig.devices), rig.device_of, len(terminals))
    known = _KEPT.get((id(plan), like))
    if known is None:
        ways: Callable[[Exchange], Sequence[str]] = partial(ways_for, rig)
        known = _KEPT[id(plan), like] = plan, Tables(plan, terminals, rig, ways)
        if len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end((id(plan), like))
    return known[1]
