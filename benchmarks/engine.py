"""Is the general engine as fast as SimPy written for one case alone, and how much faster is the compiled one?

The case, with an exact answer of 497.17 ms: 12 x (5 ms of compute, then an all-gather among 4 devices of 151,296 bytes
each) on a full-duplex star of 100 Mbit/s ports with 0.12 ms latency, cut-through.

    python benchmarks/engine.py        prints both medians and their ratio; exit status 1 if the engine is slower
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from statistics import median
from time import perf_counter

import simpy

from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Step, Wait
from prism_sim.timing import Device, Switch, Timeline, compiled
from prism_sim.timing.once import play_plainly
from prism_sim.timing.rig import Rig

N_BLOCKS, N_RANKS = 12, 4
COMPUTE_S, PAYLOAD_BYTES = 5e-3, 151_296
BITS_PER_S, LATENCY_S = 100e6, 0.12e-3
Play = Callable[[Plan, Rig], Timeline]
ENGINES: dict[str, Play] = {"general": play_plainly, "compiled": compiled.once}
# ratio of wall times
ALLOWED = {
    ("general", "fifo"): 1.0,
    ("general", "fair"): 3.0,
    ("compiled", "fifo"): 0.2,
    ("compiled", "fair"): 0.2,
}
EXACT_S = N_BLOCKS * (COMPUTE_S + (N_RANKS - 1) * 8 * PAYLOAD_BYTES / BITS_PER_S + LATENCY_S)


def all_gather_plan(n_ranks: int = N_RANKS, n_blocks: int = N_BLOCKS, payload_bytes: int = PAYLOAD_BYTES) -> Plan:
    """On a device of 1 GFLOP/s each block computes for 5 ms."""
    ranks = tuple(range(n_ranks))
    kernels = (Kernel("block", round(COMPUTE_S * 1e9), 0),)
    program: list[Step] = []
    for block in range(n_blocks):
        program += [Compute(f"block {block}", kernels), Start(block), Wait(block)]
    exchanges = tuple(
        Exchange("all_gather", ranks, (payload_bytes,) * n_ranks, None, f"block {block}") for block in range(n_blocks)
    )
    nothing = (0,) * (n_ranks + 1)
    return Plan(n_ranks, (tuple(program),) * n_ranks + ((),), exchanges, nothing, nothing)


def engine(plan: Plan, sharing: str = "fifo", play: Play = play_plainly) -> float:
    devices = [Device(f"device {number}", flops_per_s=1e9, memory_bytes_per_s=1e9) for number in range(N_RANKS)]
    network = Switch(BITS_PER_S, BITS_PER_S, LATENCY_S, sharing=sharing)
    return play(plan, Rig.of(devices, (*range(N_RANKS), 0), network)).latency_s


def free(port: simpy.Resource, request: simpy.resources.resource.Request) -> None:
    port.release(request)


def plain() -> float:
    """The same case in plain SimPy: a resource a port, a process a message."""
    env = simpy.Environment()
    uplinks = [simpy.Resource(env) for _ in range(N_RANKS)]
    downlinks = [simpy.Resource(env) for _ in range(N_RANKS)]
    arrived = [[env.event() for _ in range(N_RANKS)] for _ in range(N_BLOCKS)]
    missing = [[N_RANKS - 1] * N_RANKS for _ in range(N_BLOCKS)]
    transfer_s = 8 * PAYLOAD_BYTES / BITS_PER_S

    def message(block: int, source: int, destination: int) -> Generator[simpy.Event, None, None]:
        uplink = uplinks[source].request()
        yield uplink
        sent = env.timeout(transfer_s)  # the head travels on while the uplink is still busy with the rest
        sent.callbacks.append(lambda _: free(uplinks[source], uplink))
        yield env.timeout(LATENCY_S)
        with downlinks[destination].request() as downlink:
            yield downlink
            yield env.timeout(transfer_s)
        missing[block][destination] -= 1
        if not missing[block][destination]:
            arrived[block][destination].succeed()

    def rank(number: int) -> Generator[simpy.Event, None, None]:
        for block in range(N_BLOCKS):
            yield env.timeout(COMPUTE_S)
            for step in range(1, N_RANKS):
                env.process(message(block, number, (number + step) % N_RANKS))
            yield arrived[block][number]

    for number in range(N_RANKS):
        env.process(rank(number))
    env.run()
    return float(env.now)


def seconds(work: Callable[[], float]) -> float:
    begin_s = perf_counter()
    latency_s = work()
    end_s = perf_counter()
    if abs(latency_s / EXACT_S - 1) > 1e-9:
        raise AssertionError(f"{work} gives {latency_s} s, not {EXACT_S} s")
    return end_s - begin_s


def ratio(sharing: str = "fifo", repeats: int = 60, play: Play = play_plainly) -> tuple[float, float, float]:
    """Median wall seconds of the engine and of plain SimPy, interleaved to meet the same noise, and their ratio."""
    plan = all_gather_plan()
    engine(plan, sharing, play)  # loads it, and its tables
    pairs = [(seconds(lambda: engine(plan, sharing, play)), seconds(plain)) for _ in range(repeats)]
    engine_s, plain_s = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return engine_s, plain_s, engine_s / plain_s


def main() -> int:
    slow = False
    for (name, sharing), allowed in ALLOWED.items():
        engine_s, plain_s, found = ratio(sharing, play=ENGINES[name])
        times = f"{engine_s * 1e3:.3f} ms, plain SimPy {plain_s * 1e3:.3f} ms"
        print(f"{name:8} engine, {sharing:4}  {times}, ratio {found:.3f}    (at most {allowed})")
        slow |= found > allowed
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
