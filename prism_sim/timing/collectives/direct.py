"""Everyone sends straight to whom it concerns: one latency, and a payload leaves its sender once for each receiver."""

from __future__ import annotations

from prism_sim.plan import Exchange
from prism_sim.timing.collectives.base import Script, others, root_of, root_payload_bytes


def everyone_to_all(exchange: Exchange) -> Script:
    """All-gather and all-reduce: member r sends its contribution to r + 1, r + 2, ... in turn."""
    script, sums = Script(), exchange.kind == "all_reduce"
    for place, source in enumerate(exchange.group):
        for destination in others(exchange.group, place):
            script.send(source, destination, exchange.bytes_by_rank[place], parts=() if sums else (place,))
    return script


def piece_to_each(exchange: Exchange) -> Script:
    """Reduce-scatter: member r sends each other member its piece, to r + 1, r + 2, ... in turn."""
    script = Script()
    place_of = {member: place for place, member in enumerate(exchange.group)}
    for place, source in enumerate(exchange.group):
        for destination in others(exchange.group, place):
            piece = place_of[destination]
            script.send(source, destination, exchange.bytes_by_rank[piece], parts=(piece,))
    return script


def scatter(exchange: Exchange) -> Script:
    """The root sends pieces in the order of the group."""
    script, root = Script(), root_of(exchange)
    for place, (destination, piece_bytes) in enumerate(zip(exchange.group, exchange.bytes_by_rank, strict=True)):
        if destination != root:
            script.send(root, destination, piece_bytes, parts=(place,))
    return script


def root_to_each(exchange: Exchange) -> Script:
    """Broadcast: the root sends its payload to one after another, in the order of the group."""
    script, root, payload_bytes = Script(), root_of(exchange), root_payload_bytes(exchange)
    for destination in exchange.group:
        if destination != root:
            script.send(root, destination, payload_bytes)
    return script


def gather(exchange: Exchange) -> Script:
    script, root = Script(), root_of(exchange)
    for place, (source, payload_bytes) in enumerate(zip(exchange.group, exchange.bytes_by_rank, strict=True)):
        if source != root:
            script.send(source, root, payload_bytes, parts=(place,))
    return script


def send(exchange: Exchange) -> Script:
    """The group is (source, destination)."""
    script = Script()
    source, destination = exchange.group
    script.send(source, destination, exchange.bytes_by_rank[0])
    return script


KINDS = {
    "all_gather": everyone_to_all,
    "all_reduce": everyone_to_all,
    "reduce_scatter": piece_to_each,
    "broadcast": root_to_each,
    "scatter": scatter,
    "gather": gather,
    "send": send,
}
