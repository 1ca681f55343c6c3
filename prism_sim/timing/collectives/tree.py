"""Distances double from round to round, so ceil(log2 P) rounds do.

Broadcast and all-reduce use the binomial tree; all-gather and reduce-scatter use Bruck's algorithm (IEEE TPDS 8(11),
1997), which takes any P and sends no more bytes than a ring.
"""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.plan import Exchange, MessageId, ParticipantId
from prism_sim.timing.collectives.base import Script, Sent, root_of, root_payload_bytes, summed_bytes


def broadcast(exchange: Exchange) -> Script:
    script = Script()
    fan_out(script, rotated(exchange.group, root_of(exchange)), root_payload_bytes(exchange), ())
    return script


def all_reduce(exchange: Exchange) -> Script:
    """Reduce to the root, or the group's first member, then broadcast."""
    script, payload_bytes = Script(), summed_bytes(exchange)
    centre = exchange.group[0] if exchange.root is None else exchange.root
    members = rotated(exchange.group, centre)
    fan_out(script, members, payload_bytes, fan_in(script, members, payload_bytes))
    return script


def all_gather(exchange: Exchange) -> Script:
    """In the round of distance d, member r sends the min(d, P - d) chunks from its own on to r - d."""
    script, group, n = Script(), exchange.group, len(exchange.group)
    heard: list[list[MessageId]] = [[] for _ in group]
    for distance in distances(n):
        sent = []
        for r, source in enumerate(group):
            held = run(r, min(distance, n - distance), n)
            sent.append(script.send(source, group[(r - distance) % n], run_bytes(exchange, held), heard[r], held))
        for r in range(n):
            heard[(r - distance) % n] += sent[r]
    return script


def reduce_scatter(exchange: Exchange) -> Script:
    """The all-gather backwards: member r sends its sums of min(d, P - d) pieces, r + d's first, to r + d."""
    script, group, n = Script(), exchange.group, len(exchange.group)
    heard: list[list[MessageId]] = [[] for _ in group]
    for distance in reversed(distances(n)):
        sent = []
        for r, source in enumerate(group):
            sums = run(r + distance, min(distance, n - distance), n)
            sent.append(script.send(source, group[(r + distance) % n], run_bytes(exchange, sums), heard[r], sums))
        for r in range(n):
            heard[(r + distance) % n] += sent[r]
    return script


def fan_out(script: Script, members: Sequence[ParticipantId], payload_bytes: int, ready: Sequence[MessageId]) -> None:
    """Binomial broadcast from members[0]: a node without its lowest bit is its parent; the largest subtrees first."""
    here: dict[int, Sequence[MessageId]] = {0: ready}
    for distance in reversed(distances(len(members))):
        for parent in range(0, len(members) - distance, 2 * distance):
            child = parent + distance
            here[child] = script.send(members[parent], members[child], payload_bytes, here[parent])


def fan_in(script: Script, members: Sequence[ParticipantId], payload_bytes: int) -> Sequence[MessageId]:
    """Binomial reduction to members[0]; returns what must have arrived there."""
    heard: list[list[MessageId]] = [[] for _ in members]
    for distance in distances(len(members)):
        for parent in range(0, len(members) - distance, 2 * distance):
            child = parent + distance
            sent: Sent = script.send(members[child], members[parent], payload_bytes, heard[child])
            heard[parent] += sent
    return heard[0]


def distances(n: int) -> list[int]:
    """1, 2, 4, ... below n."""
    return [1 << k for k in range((n - 1).bit_length())]


def rotated(group: tuple[ParticipantId, ...], first: ParticipantId) -> tuple[ParticipantId, ...]:
    place = group.index(first)
    return group[place:] + group[:place]


def run(first: int, count: int, n: int) -> tuple[int, ...]:
    """`count` places from `first` on, modulo n."""
    return tuple((first + k) % n for k in range(count))


def run_bytes(exchange: Exchange, places: Sequence[int]) -> int:
    return sum(exchange.bytes_by_rank[place] for place in places)


KINDS = {
    "all_gather": all_gather,
    "all_reduce": all_reduce,
    "reduce_scatter": reduce_scatter,
    "broadcast": broadcast,
}
