"""Collectives round a ring that owns its steps: while a tile travels to the next rank, another is computed on.

A tile is the rows of one rank's tokens. Written with Send and Recv, so that no network's way of doing collectives
applies (Galaxy, arXiv 2405.17245).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prism_sim.effects import Await, Begin, Program, Recv, Send
from prism_sim.plan import ParticipantId
from prism_sim.strategies.base import Role, Rows


def gather_through(me: Role, tile: Rows, work: Callable[[Rows, int], Any], label: str) -> Program:
    """All-gather: gives `work(tile, owner)` of every rank's tile, in the order of the ranks.

    The tile at hand goes on to the next rank and is worked on while the one before it arrives: P - 1 ring steps.
    work: computes, and exchanges nothing itself.
    """
    done: list[Any] = [None] * me.n_ranks
    for step in range(me.n_ranks):
        owner, last = (me.index - step) % me.n_ranks, step == me.n_ranks - 1
        arriving = None if last else (yield from pass_on(me, tile, label))
        done[owner] = work(tile, owner)
        if arriving is not None:
            tile = yield Await(arriving)
    return done


def reduce_through(me: Role, partial: Callable[[int], Rows], label: str) -> Program:
    """Reduce-scatter: gives the sum over all ranks of `partial(me.index)`, the rows of the own tile.

    The sum of a tile passes through every rank, its owner last. Each rank computes its own part of a sum while the
    others' part of it arrives. partial: computes, and exchanges nothing itself.
    """
    arriving, total = None, None
    for step in range(me.n_ranks):
        total = partial((me.index - 1 - step) % me.n_ranks)
        if arriving is not None:
            total = total + (yield Await(arriving))
        if step < me.n_ranks - 1:
            arriving = yield from pass_on(me, total, label)
    return total


def pass_on(me: Role, rows: Rows, label: str) -> Program:
    """One ring step begun: rows go to the next rank; gives the ticket of those that come from the one before."""
    yield Send(rows, ParticipantId((me.index + 1) % me.n_ranks), label)
    return (yield Begin(Recv(ParticipantId((me.index - 1) % me.n_ranks), label)))
