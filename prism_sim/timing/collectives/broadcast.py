"""One transmission reaches all: on a shared medium a payload is sent once, whatever the number of receivers."""

from __future__ import annotations

from prism_sim.plan import Exchange
from prism_sim.timing.collectives.base import Script, others, root_of, root_payload_bytes


def everyone(exchange: Exchange) -> Script:
    """All-gather and all-reduce: each member transmits its contribution once."""
    script = Script()
    for place, source in enumerate(exchange.group):
        script.broadcast(source, others(exchange.group, place), exchange.bytes_by_rank[place])
    return script


def root(exchange: Exchange) -> Script:
    script, place = Script(), exchange.group.index(root_of(exchange))
    script.broadcast(exchange.group[place], others(exchange.group, place), root_payload_bytes(exchange))
    return script


KINDS = {
    "all_gather": everyone,
    "all_reduce": everyone,
    "broadcast": root,
}
