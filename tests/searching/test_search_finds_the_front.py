"""A fifth of the points is enough for 99 % of the front, whatever the study: against all points computed."""

from __future__ import annotations

from statistics import median

import pytest
from front_area import hypervolume

from prism_sim.progress import SILENT
from prism_sim.searching.goals import Front, Goals
from prism_sim.searching.search import Search, SearchRequest
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep

MOST_SHARE, LEAST_PART, SEEDS = 5, 0.99, range(3)

# 2016 distinct points; the front trades the energy of many fast devices for speed-up over one
SPEED_UP = """\
name: speed-up against energy
model:
  dims: {model_type: gpt2, n_embd: 128, n_layer: 6, n_head: 8, n_inner: 512, vocab_size: 500, n_positions: 512}
workload: {tokens: 192, batch: 1}
devices:
  - {preset: raspberry-pi-4, count: 2}
network: {preset: wifi-6}
strategy: {name: prism, segments: 2}
sweep:
  strategy.name: [prism, pipeline, voltage]
  strategy.segments: [1, 3, 6, 12, 24]
  network.preset: [gigabit-ethernet, fast-ethernet, wifi-6, wifi-4]
  devices[0].preset: [raspberry-pi-4, jetson-nano, laptop-cpu]
  devices[0].count: [1, 2, 3]
  workload.batch: [1, 2, 4, 8, 12, 16, 24, 32]
"""

# 2310 distinct points; the front trades memory for time
MEMORY = """\
name: memory against time
model:
  dims: {model_type: bert, hidden_size: 256, num_hidden_layers: 2, num_attention_heads: 8, intermediate_size: 1024,
    vocab_size: 300, max_position_embeddings: 512, type_vocab_size: 2}
workload: {tokens: 256, batch: 1}
devices:
  - {preset: raspberry-pi-5, count: 2}
network: {preset: wifi-5}
strategy: {name: prism, segments: 2}
sweep:
  devices[0].preset: [raspberry-pi-4, raspberry-pi-5, jetson-nano, jetson-orin-nano, laptop-cpu]
  strategy.name: [voltage, prism, tensor_parallel]
  strategy.segments: [1, 2, 3, 5, 8, 13, 21, 34, 55]
  devices[0].count: [1, 2, 3, 4, 5, 6]
  network.bandwidth: {from: 5 Mbit/s, to: 1 Gbit/s, points: 7, scale: log}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "minimise", "maximise"),
    [
        (SPEED_UP, ["energy_j"], ["versus_single_speedup"]),
        (MEMORY, ["latency_s", "max_rank_peak_memory_bytes"], []),
    ],
    ids=["speed-up and energy", "memory and time"],
)
def test_a_fifth_of_the_points_finds_99_percent_of_the_hypervolume(load, text, minimise, maximise):
    scenario, goals = load(text), Goals.of(minimise, maximise, [])
    grid = Grid.of(scenario)
    assert len(grid.tasks) >= 2000
    rows = _all_rows(grid)
    front = Front()
    for number, row in rows.items():
        front.add(number, goals.outcome(row)[0])
    whole = [front.members[key].costs for key in front.feasible]
    reference = _beyond(whole)
    budget = len(grid.tasks) // MOST_SHARE
    parts = []
    for seed in SEEDS:
        found = Search(grid, SearchRequest(scenario, goals, budget, seed), rows.__getitem__).run(SILENT)
        assert len({one.number for one in found.evaluated}) <= budget
        own = [found.evaluated[place].outcome.costs for place in found.front]
        parts.append(hypervolume(own, reference) / hypervolume(whole, reference))
    assert median(parts) >= LEAST_PART, parts


def _all_rows(grid):
    sweep = Sweep(grid, numerics=False)
    sweep.table(jobs=1)
    return {
        number: {"reason": found["reason"]} if "reason" in found else found["row"]
        for number, found in sweep.known["timing"].items()
    }


def _beyond(front):
    """A tenth of the front's extent beyond its worst: a point far away would forgive everything."""
    axes = list(zip(*front, strict=True))
    return tuple(max(axis) + 0.1 * (max(axis) - min(axis)) for axis in axes)
