"""Everyone talks to its next neighbour only: P - 1 steps, each link carries each byte once.

Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", JPDC 69(2), 2009.
"""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.plan import Exchange, ParticipantId
from prism_sim.timing.collectives.base import Script, Sent, root_of, root_payload_bytes, summed_bytes


def all_gather(exchange: Exchange) -> Script:
    script = Script()
    spread(script, exchange.group, exchange.bytes_by_rank, [()] * len(exchange.group))
    return script


def reduce_scatter(exchange: Exchange) -> Script:
    script = Script()
    collect(script, exchange.group, exchange.bytes_by_rank)
    return script


def all_reduce(exchange: Exchange) -> Script:
    """Reduce-scatter, then all-gather: each member sends 2 (P - 1) / P of the payload."""
    script, n = Script(), len(exchange.group)
    whole, rest = divmod(summed_bytes(exchange), n)
    chunk_bytes = [whole + (place < rest) for place in range(n)]  # as numpy.array_split
    spread(script, exchange.group, chunk_bytes, collect(script, exchange.group, chunk_bytes))
    return script


def broadcast(exchange: Exchange) -> Script:
    """A chain: the root to its next neighbour, and so on."""
    script, payload_bytes, n = Script(), root_payload_bytes(exchange), len(exchange.group)
    place = exchange.group.index(root_of(exchange))
    here: Sent = ()
    for step in range(n - 1):
        source, destination = (exchange.group[(place + k) % n] for k in (step, step + 1))
        here = script.send(source, destination, payload_bytes, here)
    return script


def spread(script: Script, group: Sequence[ParticipantId], chunk_bytes: Sequence[int], ready: Sequence[Sent]) -> None:
    """Chunk r, at member r once `ready[r]` has arrived, goes all the way round: P - 1 steps."""
    n = len(group)
    here = list(ready)  # here[r]: what must have arrived at r for the chunk that it sends next
    for step in range(n - 1):
        sent = [pass_on(script, group, r, chunk_bytes, (r - step) % n, here[r]) for r in range(n)]
        here = [sent[(r - 1) % n] for r in range(n)]


def collect(script: Script, group: Sequence[ParticipantId], chunk_bytes: Sequence[int]) -> list[Sent]:
    """Partial sums go round until chunk r, summed, is at member r; returns what must have arrived there for it."""
    n = len(group)
    here: list[Sent] = [()] * n
    for step in range(n - 1):
        sent = [pass_on(script, group, r, chunk_bytes, (r - step - 1) % n, here[r]) for r in range(n)]
        here = [sent[(r - 1) % n] for r in range(n)]
    return here


def pass_on(
    script: Script, group: Sequence[ParticipantId], place: int, chunk_bytes: Sequence[int], chunk: int, after: Sent
) -> Sent:
    """A member sends a chunk to its next neighbour."""
    return script.send(group[place], group[(place + 1) % len(group)], chunk_bytes[chunk], after, (chunk,))


KINDS = {
    "all_gather": all_gather,
    "all_reduce": all_reduce,
    "reduce_scatter": reduce_scatter,
    "broadcast": broadcast,
}
