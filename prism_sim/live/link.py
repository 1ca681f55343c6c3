"""Measures the link between two processes: latency, bandwidth, and what a message costs its sender.

n messages of b bytes one way, the last answered by one byte, take  latency + n overhead + 8 (n b - burst) / rate;  the
answer costs latency + overhead. The burst is what passes at once where a token bucket holds the rate; else 0. Sizes
over five decades alone give the line over bytes, small messages in a row the cost of one; rounds are interleaved, and
medians are fitted by robust least squares.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from prism_sim.live.launcher import ProcessStart, Rendezvous, free_port, launch, on_loopback
from prism_sim.live.voice import Seat, Voice, die_with_parent, leave

# (messages in a row, bytes of each)
PROBES = (
    *((1, size) for size in (1, 10, 100, 1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)),
    *((count, 1) for count in (2, 4, 8, 16, 32, 64)),
)
WARMUP_ROUNDS, LEAST_ROUNDS, MOST_ROUNDS = 2, 5, 200
SLOWEST, ALWAYS_BYTES = 20, 100_000  # a probe takes this part of the time at most, unless it is small
BURSTS = 1.0, 300_000.0  # bytes; least and most that are looked for
BURSTS_TRIED = (1.0, 3_000.0, 30_000.0)  # a burst below the least message changes nothing: several starts
SOFT = 0.1  # relative deviation above which a probe counts less: as the spread of medians on a busy machine


@dataclass(frozen=True, slots=True)
class Probe:
    """seconds: median of there and back, of `messages` of `payload_bytes` and one answer of a byte."""

    messages: int
    payload_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LinkEstimate:
    """What a scenario's network section says of a link, in SI units; and the probes that it was fitted to.

    typical_error: median of the relative deviations of the fit from the probes.
    """

    latency_s: float
    bits_per_s: float
    message_overhead_s: float
    typical_error: float
    probes: tuple[Probe, ...]
    burst_bytes: float = 0.0

    def fitted_s(self, messages: int, payload_bytes: int) -> float:
        """There and back, as `Probe.seconds`."""
        queued_bytes = max(messages * payload_bytes + 1 - self.burst_bytes, 0.0)
        return 2 * self.latency_s + (messages + 1) * self.message_overhead_s + 8 * queued_bytes / self.bits_per_s

    def to_yaml(self) -> str:
        """A scenario's network section."""
        return (
            "network:\n"
            "  medium: switch\n"
            f"  bandwidth: {self.bits_per_s / 1e6:.4g} Mbit/s\n"
            f"  latency: {1e6 * self.latency_s:.4g} us\n"
            f"  message_overhead: {1e6 * self.message_overhead_s:.4g} us\n"
        )


def fit_link(probes: Sequence[Probe]) -> LinkEstimate:
    """Fits logarithms of ratios, of which large ones count less (soft L1). Raises ValueError for too few probes."""
    import numpy as np
    from scipy.optimize import least_squares

    if len({probe.payload_bytes for probe in probes}) < 2 or len({probe.messages for probe in probes}) < 2:
        raise ValueError("a link is fitted to probes of at least two sizes and two numbers of messages")
    measured = np.array([probe.seconds for probe in probes])
    counts = np.array([probe.messages for probe in probes], dtype=float)
    sizes = np.array([probe.payload_bytes for probe in probes], dtype=float)

    def deviations(logs: Any) -> Any:
        latency_s, overhead_s, byte_s, burst_bytes = np.exp(logs)
        queued_bytes = np.maximum(counts * sizes + 1 - burst_bytes, 0)
        model = 2 * latency_s + (counts + 1) * overhead_s + queued_bytes * byte_s
        return np.log(model / measured)  # twice too slow weighs as much as twice too fast

    largest = max(probes, key=lambda probe: probe.messages * probe.payload_bytes)
    least_s = float(measured.min())
    guess = (least_s / 4, least_s / 16, largest.seconds / (largest.messages * largest.payload_bytes))
    bounds = ([-np.inf] * 3 + [math.log(BURSTS[0] / 2)], [np.inf] * 3 + [math.log(BURSTS[1])])
    starts = [[*map(math.log, guess), math.log(burst)] for burst in BURSTS_TRIED]
    tries = [least_squares(deviations, start, bounds=bounds, loss="soft_l1", f_scale=SOFT) for start in starts]
    found = min(tries, key=lambda one: float(one.cost))
    latency_s, overhead_s, byte_s, burst_bytes = (float(value) for value in np.exp(found.x))
    typical = statistics.median(abs(float(one)) for one in deviations(found.x))
    return LinkEstimate(latency_s, 8 / byte_s, overhead_s, typical, tuple(probes), burst_bytes)


def measure_link(seconds: float = 10.0, timeout_s: float = 60.0, meeting: Rendezvous | None = None) -> LinkEstimate:
    """Between two processes of this machine, for about so many seconds.

    meeting: where, in shaped namespaces say (`live.namespaces`), at another port; none: on loopback.
    Raises LiveError if the processes fail or are not done after `timeout_s`.
    """
    ends = on_loopback() if meeting is None else replace(meeting, port=free_port())
    deadline_s = time.monotonic() + timeout_s
    starts = [
        ProcessStart(
            name=f"process {rank}",
            arguments=["-m", "prism_sim.live.link", str(seconds), str(timeout_s)],
            environment=ends.environment(rank, 2, 1, deadline_s, timeout_s),
            prefix=ends.prefix(rank),
        )
        for rank in range(2)
    ]
    found = launch(starts, timeout_s)
    return fit_link([Probe(**one) for one in found["probes"]])


def _probe(seat: Seat, seconds: float, timeout_s: float, voice: Voice) -> list[Probe] | None:
    """At process 0, the medians."""
    from prism_sim.live.group import joined

    if seat.world != 2:
        raise ValueError(f"a link has 2 ends, but there are {seat.world} process(es); start 2")
    voice.doing("connects")
    with joined(seat, timeout_s):
        times = _rounds(seat.rank, seconds, voice)
    if seat.rank:
        return None
    return [Probe(*probe, statistics.median(found)) for probe, found in zip(PROBES, times, strict=True) if found]


def _rounds(rank: int, seconds: float, voice: Voice) -> list[list[float]]:
    """Per probe, its times. On a slow link large messages that would take most of the time are left out."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    times: list[list[float]] = [[] for _ in PROBES]
    act = (_there_and_back, _back)[rank]
    wanted = torch.ones(len(PROBES))  # none: the end
    end_s = time.monotonic() + seconds
    for number in range(WARMUP_ROUNDS + MOST_ROUNDS):
        voice.doing(f"is in round {number + 1}")
        for place, (count, payload_bytes) in enumerate(PROBES):
            if not wanted[place]:
                continue
            taken_s = act(count, payload_bytes)
            if number >= WARMUP_ROUNDS:
                times[place].append(taken_s)
            elif taken_s > seconds / SLOWEST and payload_bytes > ALWAYS_BYTES:
                wanted[place] = 0
        if number >= WARMUP_ROUNDS + LEAST_ROUNDS - 1 and time.monotonic() >= end_s:
            wanted.zero_()
        dist.broadcast(wanted, 0)
        if not wanted.any():
            break
    return times


def _there_and_back(count: int, payload_bytes: int) -> float:
    import torch
    import torch.distributed as dist

    payload, answer = torch.zeros(payload_bytes, dtype=torch.uint8), torch.empty(1, dtype=torch.uint8)
    heard: Any = dist.irecv(answer, 1, tag=count)
    dist.barrier()  # the other end expects all
    start_s = time.monotonic()
    sent: list[Any] = [dist.isend(payload, 1, tag=number) for number in range(count)]
    heard.wait()
    taken_s = time.monotonic() - start_s
    for one in sent:
        one.wait()
    return taken_s


def _back(count: int, payload_bytes: int) -> float:
    import torch
    import torch.distributed as dist

    payloads = [torch.empty(payload_bytes, dtype=torch.uint8) for _ in range(count)]
    heard: list[Any] = [dist.irecv(payload, 0, tag=number) for number, payload in enumerate(payloads)]
    dist.barrier()
    for one in heard:
        one.wait()
    dist.send(torch.zeros(1, dtype=torch.uint8), 0, tag=count)
    return 0.0


def main(arguments: Sequence[str]) -> int:
    """One end; also under torchrun, on two hosts: seconds, time-out. Process 0 prints the estimate."""
    die_with_parent()
    voice = Voice.from_environment()
    seconds, timeout_s = (float(text) for text in (*arguments, "10", "60")[:2])
    try:
        found = _probe(Seat.from_environment(), seconds, timeout_s, voice)
    except (ValueError, ConnectionError, RuntimeError) as error:
        voice.failed(str(error), because_of_peer=False)
        return 1
    if found is not None and voice.heard:
        voice.result({"probes": [asdict(probe) for probe in found]})
    elif found is not None:
        print(fit_link(found).to_yaml(), end="")
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
