"""The model of a network whose messages are whole, against one of single packets (ns.py), over a star of ports.

A host may send one message after the other, or a packet of each connection in turn, as several sockets of one system
do.  The first is what `sharing: fifo` assumes, the second `sharing: fair`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from prism_sim.plan import Plan
from prism_sim.progress import Progress
from prism_sim.timing import Switch
from prism_sim.units_text import error_text, size_text
from prism_sim.validation.base import JudgedRow, Judgement, PartOutcome, ValidationPart, ValidationSettings
from prism_sim.validation.packet_star import PACKET_BYTES, PacketStar, latency_s
from prism_sim.validation.small_plans import board, play, rounds, stages

S = 151_296  # a quarter of 197 rows of 768 float32 values
KNOWN_CLOSE, CLOSE, FEW_CLOSE = 1e-6, 0.01, 0.1  # relative
FEW_PACKETS = 10  # below, who sends which packet first matters
MEGA = 1e6
UNEQUAL_UP, UNEQUAL_DOWN = (100, 60, 40, 20), (100, 50, 80, 30)
HOSTS = {"fifo": "in turn", "fair": "interleaved"}  # what a sharing assumes of them


@dataclass(frozen=True)
class PacketCase:
    """A plan, its ports, and what either way of sending gives."""

    name: str
    plan: Plan
    star: PacketStar

    @property
    def allowed(self) -> float:
        """How far a prediction may be off."""
        largest_bytes = max(max(exchange.bytes_by_rank) for exchange in self.plan.exchanges)
        return CLOSE if largest_bytes >= FEW_PACKETS * PACKET_BYTES else FEW_CLOSE

    def predicted_s(self, sharing: str) -> float:
        """A message's latency is the wire's, and that of one packet which the switch stores before it goes on."""
        star = self.star
        network = Switch(
            star.up_bits_per_s,
            star.down_bits_per_s,
            star.wire_s + star.packet_s,
            sharing=sharing,
            collective=star.collective,
        )
        return play(self.plan, network).latency_s

    def packets_s(self, hosts: str) -> float:
        return latency_s(self.plan, replace(self.star, interleaved=hosts == "interleaved"), board())


@dataclass(frozen=True)
class Tried:
    """A case's latencies: predicted with each sharing, and by packets from hosts that send either way."""

    case: PacketCase
    predicted_s: Mapping[str, float]
    packets_s: Mapping[str, float]

    def error(self, sharing: str, hosts: str) -> float:
        return self.predicted_s[sharing] / self.packets_s[hosts] - 1


def cases() -> Iterator[PacketCase]:
    """The known one first; equal ports, then unequal ones and late members, then other algorithms."""
    gather, work_s = _all_gather, (5e-3,) * 4
    yield PacketCase("12 x (5 ms, all-gather of 4)", gather([S] * 4, work_s, 12), _star([100] * 4, wire_s=0.0))
    yield PacketCase("2 members, messages of 302 kB", gather([2 * S] * 2, work_s[:2]), _star([100] * 2))
    yield PacketCase("8 members, messages of 3 kB", gather([3_072] * 8, work_s * 2), _star([100] * 8))
    yield PacketCase("messages of 605 kB at 1 Gbit/s", gather([4 * S] * 4, work_s), _star([1000] * 4))
    yield PacketCase("unequal shares", gather([2 * S, S, S, S // 4], work_s), _star([100] * 4))
    yield PacketCase("uplinks half of the downlinks", gather([S] * 4, work_s), _star([50] * 4, [100] * 4))
    yield PacketCase("one slow uplink", gather([S] * 4, work_s), _star([20, 100, 100, 100], [100] * 4))
    yield PacketCase("one slow downlink", gather([S] * 4, work_s), _star([100] * 4, [20, 100, 100, 100]))
    yield PacketCase("two slow devices", gather([S] * 4, work_s), _star([100, 100, 20, 20], [100, 100, 50, 50]))
    late_s = (5e-3, 20e-3, 10e-3, 5e-3)
    yield PacketCase("late members", gather([S] * 4, late_s), _star([100] * 4))
    unequal = _star(UNEQUAL_UP, UNEQUAL_DOWN)
    yield PacketCase("late members, all ports unequal", gather([S] * 4, late_s), unequal)
    total = rounds("all_reduce", [4 * S] * 4, 3, work_s)
    yield PacketCase("ring all-reduce", total, replace(_star([100] * 4), collective="ring"))
    yield PacketCase("ring all-reduce, all ports unequal", total, replace(unequal, collective="ring"))
    through = rounds("all_reduce", [S] * 4, 3, work_s)
    yield PacketCase("star all-reduce", through, replace(_star([100] * 4), collective="star"))
    yield PacketCase("star all-gather, all ports unequal", gather([S] * 4, work_s), replace(unequal, collective="star"))
    yield PacketCase("gather at one, all ports unequal", rounds("gather", [0, S, S, S], 3, work_s), unequal)
    yield PacketCase("pipeline of 4", stages(work_s, 4 * S), _star([100] * 4))


N_QUICK = 3


def _all_gather(payload_bytes: Sequence[int], work_s: Sequence[float], n: int = 3) -> Plan:
    return rounds("all_gather", payload_bytes, n, work_s)


def _star(up: Sequence[float], down: Sequence[float] | None = None, wire_s: float = 0.3e-3) -> PacketStar:
    """Rates in Mbit/s; down: as up if not said."""
    rates = [tuple(MEGA * rate for rate in port) for port in (up, up if down is None else down)]
    return PacketStar(rates[0], rates[1], wire_s)


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """Skipped where ns.py is not installed."""
    try:
        package = version("ns.py")
    except PackageNotFoundError:
        return PartOutcome(skipped="the package ns.py is not installed: pip install 'prism-sim[packets]'")
    wanted = list(cases())[: N_QUICK if settings.quick else None]
    tried = []
    for case in wanted:
        progress.line(f"packets: {case.name}")
        predicted_s = {sharing: case.predicted_s(sharing) for sharing in HOSTS}
        tried.append(Tried(case, predicted_s, {hosts: case.packets_s(hosts) for hosts in HOSTS.values()}))
    rows = tuple(
        JudgedRow(
            f"{sharing}: {one.case.name}", one.predicted_s[sharing], one.packets_s[hosts], tags={"sharing": sharing}
        )
        for one in tried
        for sharing, hosts in HOSTS.items()
    )
    by_sending = (_how_near(hosts, tried) for hosts in HOSTS.values())
    return PartOutcome(
        rows, tuple(_judgements(tried)), (f"Packets of {PACKET_BYTES} bytes, by ns.py {package}.", *by_sending)
    )


def _judgements(tried: Sequence[Tried]) -> Iterator[Judgement]:
    known = abs(tried[0].error("fifo", "in turn"))
    yield Judgement(f"the known case within {KNOWN_CLOSE:.0e} (off by {known:.0e})", known <= KNOWN_CLOSE)
    for sharing, hosts in HOSTS.items():
        off = [(abs(one.error(sharing, hosts)), one.case.allowed) for one in tried]
        worst = max((error for error, allowed in off if allowed == CLOSE), default=0.0)
        law = (
            f"{sharing} within {100 * CLOSE:.0f} % of hosts that send {hosts} (the worst: {size_text(worst)}); within "
            f"{100 * FEW_CLOSE:.0f} % where messages have fewer than {FEW_PACKETS} packets"
        )
        yield Judgement(law, all(error <= allowed for error, allowed in off))


def _how_near(hosts: str, tried: Sequence[Tried]) -> str:
    """How far either sharing is off where hosts send like this."""
    texts = []
    for sharing in HOSTS:
        errors = {one.case.name: one.error(sharing, hosts) for one in tried}
        worst = max(errors, key=lambda name: abs(errors[name]))
        median = statistics.median(map(abs, errors.values()))
        texts.append(
            f"{sharing} is off by {size_text(median)} in the median, {error_text(errors[worst])} at worst ({worst})"
        )
    return f"Where hosts send {hosts}, {', '.join(texts)}."


PART = ValidationPart(
    "packets", "Is a network of whole messages as fast as one of single packets?", "packets", run, order=2, digits=5
)
