"""Small plans and devices, for cases whose answer is known: one exchange among members that do nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

from prism_sim.plan import (
    Compute,
    Exchange,
    ExchangeId,
    ExchangeKind,
    Kernel,
    Plan,
    Start,
    Step,
    Wait,
    participants,
)
from prism_sim.timing import Device, Timeline, play_once
from prism_sim.timing.media import Network

FLOPS_PER_S = 1e9


def board(**fields: Any) -> Device:
    """1 GFLOP/s, 1 GB/s, and nothing else that takes time, unless said."""
    return Device("board", **{"flops_per_s": FLOPS_PER_S, "memory_bytes_per_s": 1e9, **fields})


def work(seconds: float) -> Compute:
    """So long on such a board."""
    return Compute("work", (Kernel("product", round(seconds * FLOPS_PER_S), 0),))


def plan(programs: Sequence[Sequence[Step]], exchanges: Sequence[Exchange] = ()) -> Plan:
    """`programs` of the ranks; the terminal has nothing to do."""
    nothing = (0,) * (len(programs) + 1)
    return Plan(len(programs), (*map(tuple, programs), ()), tuple(exchanges), nothing, nothing)


def rounds(kind: ExchangeKind, payload_bytes: Sequence[int], n: int = 1, work_s: Sequence[float] = ()) -> Plan:
    """So many times: every member works, hands in its part, and waits for what is due to it; member 0 is the root."""
    members = tuple(participants(len(payload_bytes))[:-1])
    root = members[0] if kind in ("broadcast", "scatter", "gather", "send") else None
    exchanges = [Exchange(kind, members, tuple(payload_bytes), root, f"{kind} {number}") for number in range(n)]
    programs: list[list[Step]] = [[] for _ in members]
    for number in cast(Sequence[ExchangeId], range(n)):
        for member, program in enumerate(programs):
            program += [*map(work, work_s[member : member + 1]), Start(number), Wait(number)]
    return plan(programs, exchanges)


def stages(work_s: Sequence[float], payload_bytes: int) -> Plan:
    """A pipeline: each works and sends to the next."""
    last, exchanges = len(work_s) - 1, []
    programs: list[list[Step]] = []
    for stage, seconds in enumerate(work_s):
        receive: list[Step] = [Wait(ExchangeId(stage - 1))] if stage else []
        send: list[Step] = [Start(ExchangeId(stage))] if stage < last else []
        programs.append([*receive, work(seconds), *send])
    for source, to in pairwise(participants(last)):
        exchanges.append(Exchange("send", (source, to), (payload_bytes, 0), source, f"to stage {to}"))
    return plan(programs, exchanges)


def play(a_plan: Plan, network: Network, *boards: Device) -> Timeline:
    """Every rank on a device of its own, the terminal on the first; boards: one a rank, or one kind for all."""
    devices = boards if len(boards) > 1 else (boards or (board(),)) * a_plan.n_ranks
    return play_once(a_plan, devices, (*range(a_plan.n_ranks), 0), network)
