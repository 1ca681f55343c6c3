"""Everything goes through one member: two steps, and its links carry all bytes (TPI-LLM, arXiv 2410.00531).

The centre is the exchange's root or, without one, the group's first member.
"""

from __future__ import annotations

from collections.abc import Callable

from prism_sim.plan import Exchange
from prism_sim.timing.collectives.base import Script, summed_bytes


def all_gather(exchange: Exchange) -> Script:
    """Each member sends its own to the centre and gets all others' in one message."""
    total = sum(exchange.bytes_by_rank)
    return through_centre(exchange, up_bytes=lambda own: own, down_bytes=lambda own: total - own)


def all_reduce(exchange: Exchange) -> Script:
    payload_bytes = summed_bytes(exchange)
    return through_centre(exchange, up_bytes=lambda _: payload_bytes, down_bytes=lambda _: payload_bytes)


def reduce_scatter(exchange: Exchange) -> Script:
    """Each member sends its terms of all pieces and gets its own piece, summed."""
    total = sum(exchange.bytes_by_rank)
    return through_centre(exchange, up_bytes=lambda _: total, down_bytes=lambda own: own)


def through_centre(exchange: Exchange, up_bytes: Callable[[int], int], down_bytes: Callable[[int], int]) -> Script:
    """The centre answers once it has heard from everyone."""
    script = Script()
    centre = exchange.group[0] if exchange.root is None else exchange.root
    outer = [
        (member, own) for member, own in zip(exchange.group, exchange.bytes_by_rank, strict=True) if member != centre
    ]
    heard = [number for member, own in outer for number in script.send(member, centre, up_bytes(own))]
    for member, own in outer:
        script.send(centre, member, down_bytes(own), heard)
    return script


KINDS = {
    "all_gather": all_gather,
    "all_reduce": all_reduce,
    "reduce_scatter": reduce_scatter,
}
