"""Does a run's wall time grow no faster than its messages?

BERT-base with PRISM, direct exchange, over 8 to 64 devices: prediction of the plan and play of it, by the engine to
which a process turns for as much.

python benchmarks/scaling.py     prints seconds and the fitted exponent; exit status 1 if 64 devices take over 10 s or
the exponent of wall time over messages exceeds 1.05
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from prism_sim import Scenario, load_scenario
from prism_sim.shapes.interpreter import predict
from prism_sim.simulation.simulate import simulate
from prism_sim.timing.engines import prefer_compiled

DEVICES, REPEATS = (8, 16, 32, 64), 5
ALLOWED_S, ALLOWED_EXPONENT = 10.0, 1.05
SCENARIO = """
model: {preset: bert-base-uncased}
workload: {batch: 1, tokens: 256}
devices: [{preset: raspberry-pi-5, count: %d}]
network: {preset: gigabit-ethernet, collective: direct}
strategy: {name: prism, segments: 1}
"""


def main() -> int:
    messages, walls_s = [], []
    prefer_compiled()
    with TemporaryDirectory() as folder:
        for n_devices in DEVICES:
            file = Path(folder) / f"{n_devices}.yaml"
            file.write_text(SCENARIO % n_devices)
            scenario = load_scenario(file)
            _wall_s(scenario)  # loads what is compiled
            walls_s.append(median(_wall_s(scenario) for _ in range(REPEATS)))
            messages.append(len(simulate(scenario).timeline.messages))
            print(f"{n_devices:3} devices  {messages[-1]:6} messages  {walls_s[-1]:7.3f} s")
    exponent = float(np.polyfit(np.log(messages), np.log(walls_s), 1)[0])
    print(f"wall time grows as messages^{exponent:.2f}    (at most {ALLOWED_EXPONENT}; 64 devices: {ALLOWED_S} s)")
    return int(exponent > ALLOWED_EXPONENT or walls_s[-1] > ALLOWED_S)


def _wall_s(scenario: Scenario) -> float:
    predict.cache_clear()
    start = perf_counter()
    simulate(scenario)
    return perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
