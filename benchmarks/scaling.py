"""Does a run's wall time grow no faster than its messages?

BERT-base with PRISM, direct exchange, over 8 to 64 devices: prediction of the plan and play of it, by the engine to
which a process turns for as much, on ports in turn or shared fairly, equal ones or each of a rate of its own.

python benchmarks/scaling.py     prints seconds and the fitted exponent; exit status 1 if 64 devices take over 10 s or
the exponent of wall time over messages exceeds 1.05
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from prism_sim import Scenario, load_scenario
from prism_sim.shapes.interpreter import predict
from prism_sim.simulation.simulate import split_of
from prism_sim.timing import Switch, play_once
from prism_sim.timing.engines import prefer_compiled

DEVICES, REPEATS = (8, 16, 32, 64), 5
ALLOWED_S, ALLOWED_EXPONENT = 10.0, 1.05
SCENARIO = """
model: {preset: bert-base-uncased}
workload: {batch: 1, tokens: 256}
devices: [{preset: raspberry-pi-5, count: %d}]
network: {preset: gigabit-ethernet, collective: direct, sharing: %s}
strategy: {name: prism, segments: 1}
"""


def main() -> int:
    slow = False
    prefer_compiled()
    for sharing, ports in product(("fifo", "fair"), ("equal", "unequal")):
        print(f"{sharing} sharing, {ports} ports")
        exponent, last_s = grows(sharing, ports == "unequal")
        print(f"wall time grows as messages^{exponent:.2f}    (at most {ALLOWED_EXPONENT}; 64 devices: {ALLOWED_S} s)")
        slow |= exponent > ALLOWED_EXPONENT or last_s > ALLOWED_S
    return int(slow)


def grows(sharing: str, unequal: bool) -> tuple[float, float]:
    """The exponent of wall time over messages, and the seconds of most devices."""
    messages, walls_s = [], []
    with TemporaryDirectory() as folder:
        for n_devices in DEVICES:
            file = Path(folder) / f"{n_devices}.yaml"
            file.write_text(SCENARIO % (n_devices, sharing))
            scenario, draw = load_scenario(file), Random(n_devices)
            rates = tuple(draw.uniform(1e8, 1e9) for _ in range(n_devices)) if unequal else None
            found = [_played(scenario, rates) for _ in range(REPEATS + 1)][1:]  # the first loads what is compiled
            walls_s.append(median(wall_s for wall_s, _ in found))
            messages.append(found[0][1])
            print(f"{n_devices:3} devices  {messages[-1]:6} messages  {walls_s[-1]:7.3f} s")
    return float(np.polyfit(np.log(messages), np.log(walls_s), 1)[0]), walls_s[-1]


def _played(scenario: Scenario, rates: tuple[float, ...] | None) -> tuple[float, int]:
    """Wall seconds, and how many messages there were. rates: of the ports, bits per second; None: the scenario's."""
    predict.cache_clear()
    start = perf_counter()
    setting = split_of(scenario).setting
    network = setting.network
    if rates is not None:
        assert isinstance(network, Switch)
        network = replace(network, up_bits_per_s=rates, down_bits_per_s=rates)
    timeline = play_once(predict(setting.job), setting.devices, setting.device_of, network)
    wall_s = perf_counter() - start
    return wall_s, len(timeline.messages)


if __name__ == "__main__":
    sys.exit(main())
