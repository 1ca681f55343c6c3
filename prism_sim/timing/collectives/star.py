"""Everything goes through one member: two steps, and its links carry all bytes (TPI-LLM, arXiv 2410.00531).

The centre is the exchange's root or, without one, the group's first member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prism_sim.plan import Exchange, MessageId
from prism_sim.timing.collectives.base import Script, summed_bytes

Parts = Callable[[int], Iterable[int]]  # what a message carries, by the place of the outer member


def all_gather(exchange: Exchange) -> Script:
    """Each member sends its own to the centre and gets all others' in one message."""
    total, places = sum(exchange.bytes_by_rank), range(len(exchange.group))
    return through_centre(
        exchange,
        up_bytes=lambda own: own,
        down_bytes=lambda own: total - own,
        up_parts=lambda own: (own,),
        down_parts=lambda own: (place for place in places if place != own),
    )


def all_reduce(exchange: Exchange) -> Script:
    payload_bytes = summed_bytes(exchange)
    return through_centre(exchange, up_bytes=lambda _: payload_bytes, down_bytes=lambda _: payload_bytes)


def reduce_scatter(exchange: Exchange) -> Script:
    """Each member sends its terms of all pieces and gets its own piece, summed."""
    total, places = sum(exchange.bytes_by_rank), range(len(exchange.group))
    return through_centre(
        exchange,
        up_bytes=lambda _: total,
        down_bytes=lambda own: own,
        up_parts=lambda _: places,
        down_parts=lambda own: (own,),
    )


def through_centre(
    exchange: Exchange,
    up_bytes: Callable[[int], int],
    down_bytes: Callable[[int], int],
    up_parts: Parts = lambda _: (),
    down_parts: Parts = lambda _: (),
) -> Script:
    """The centre answers once it has heard from everyone."""
    script = Script()
    centre = exchange.group[0] if exchange.root is None else exchange.root
    outer = [
        (place, member, own)
        for place, (member, own) in enumerate(zip(exchange.group, exchange.bytes_by_rank, strict=True))
        if member != centre
    ]
    heard: list[MessageId] = []
    for place, member, own in outer:
        heard += script.send(member, centre, up_bytes(own), parts=up_parts(place))
    for place, member, own in outer:
        script.send(centre, member, down_bytes(own), heard, down_parts(place))
    return script


KINDS = {
    "all_gather": all_gather,
    "all_reduce": all_reduce,
    "reduce_scatter": reduce_scatter,
}
