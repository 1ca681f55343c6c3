"""Is a sweep faster than a loop over `run`, and by how much? Two-device ViT-Base; bandwidth x latency x segments x
strategy, timing alone. The loop takes every 25th of the same points, each loaded and run by itself.

    python benchmarks/sweep.py       prints points a second and both ratios; exit status 1 if a sweep is slower
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter

from prism_sim import load_scenario, run
from prism_sim.scenario import Scenario
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep

SCENARIO = Path(__file__).parent.parent / "scenarios" / "vit-base-orin-nano.yaml"
SWEEP = {
    "network.bandwidth": {"from": "10 Mbit/s", "to": "1 Gbit/s", "points": 10, "scale": "log"},
    "network.latency": {"from": "0.1 ms", "to": "10 ms", "points": 5, "scale": "log"},
    "strategy.segments": {"from": 1, "to": 10, "points": 10},
    "strategy.name": ["prism", "voltage"],
}
REPEATS, EVERY = 3, 25


def main() -> int:
    scenario = load_scenario(SCENARIO, {"sweep": SWEEP})
    rounds = [(loop_per_s(scenario), sweep_per_s(scenario, 1), sweep_per_s(scenario, 2)) for _ in range(REPEATS)]
    loop, one, two = (median(figures) for figures in zip(*rounds, strict=True))
    print(f"loop over run  {loop:8.0f} points/s")
    print(f"sweep, 1 job   {one:8.0f} points/s    {one / loop:5.2f} times the loop")
    print(f"sweep, 2 jobs  {two:8.0f} points/s    {two / loop:5.2f} times the loop")
    return int(max(one, two) < loop)


def loop_per_s(scenario: Scenario) -> float:
    axes = {axis.field: axis.values for group in Grid.of(scenario).groups for axis in group}
    points = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())][::EVERY]
    begin_s = perf_counter()
    for point in points:
        run(load_scenario(SCENARIO, point), numerics=False).to_json()
    return len(points) / (perf_counter() - begin_s)


def sweep_per_s(scenario: Scenario, jobs: int) -> float:
    """Starting of processes included."""
    begin_s = perf_counter()
    table = Sweep(Grid.of(scenario), numerics=False).table(jobs)
    return table.n_points / (perf_counter() - begin_s)


if __name__ == "__main__":
    sys.exit(main())
