"""Everyone sends straight to whom it concerns: one latency, and a payload leaves its sender once for each receiver."""

from __future__ import annotations

from prism_sim.plan import Exchange
from prism_sim.timing.collectives.base import Script, others, root_of


def everyone_to_all(exchange: Exchange) -> Script:
    """All-gather and all-reduce: member r sends its contribution to r + 1, r + 2, ... in turn."""
    script, group = Script(), exchange.group
    for place, source in enumerate(group):
        for other in others(group, place):
            script.send(source, group[other], exchange.bytes_by_rank[place])
    return script


def piece_to_each(exchange: Exchange) -> Script:
    """Reduce-scatter: member r sends each other member its piece, to r + 1, r + 2, ... in turn."""
    script, group = Script(), exchange.group
    for place, source in enumerate(group):
        for other in others(group, place):
            script.send(source, group[other], exchange.bytes_by_rank[other])
    return script


def root_to_each(exchange: Exchange) -> Script:
    """Scatter: the root sends pieces in the order of the group.  Broadcast: its payload, in the same order."""
    script, root = Script(), root_of(exchange)
    payload_bytes = exchange.bytes_by_rank[exchange.group.index(root)]
    for destination, piece_bytes in zip(exchange.group, exchange.bytes_by_rank, strict=True):
        if destination != root:
            script.send(root, destination, piece_bytes if exchange.kind == "scatter" else payload_bytes)
    return script


def each_to_root(exchange: Exchange) -> Script:
    """Gather."""
    script, root = Script(), root_of(exchange)
    for source, payload_bytes in zip(exchange.group, exchange.bytes_by_rank, strict=True):
        if source != root:
            script.send(source, root, payload_bytes)
    return script


def source_to_destination(exchange: Exchange) -> Script:
    """Send: the group is (source, destination)."""
    script = Script()
    source, destination = exchange.group
    script.send(source, destination, exchange.bytes_by_rank[0])
    return script


KINDS = {
    "all_gather": everyone_to_all,
    "all_reduce": everyone_to_all,
    "reduce_scatter": piece_to_each,
    "broadcast": root_to_each,
    "scatter": root_to_each,
    "gather": each_to_root,
    "send": source_to_destination,
}
