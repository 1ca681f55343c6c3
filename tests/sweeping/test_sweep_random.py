"""Whatever a sweep varies, and however its points are played together, each row is that of its point alone."""

from __future__ import annotations

import json
from random import Random

import pytest
from sweep_laws import answered, by_itself, same

AXES = {
    "strategy.name": ["prism", "voltage", "tensor_parallel", "pipeline", "single", "galaxy", "replicas", "auto"],
    "strategy.segments": [1, 4, 99],
    "strategy.shares": [None, [0.7, 0.3], [0.2, 0.3, 0.5]],  # which fit some numbers of devices only
    "devices[0].count": [1, 2, 3],
    "devices[0].compute": ["200 MFLOP/s", "3 GFLOP/s"],
    "devices[0].memory": ["40 kB", "1 MiB"],  # the first is too little for some
    "devices[0].radio_power": ["0 W", "1 W"],
    "network.bandwidth": ["100 kbit/s", "5 Mbit/s", "1 Gbit/s"],
    "network.latency": ["0 ms", "3 ms"],
    "network.sharing": ["fifo", "fair"],
    "network.collective": ["quickest", "ring", "star", "tree"],
    "network.slow_start": [True, False],
    "workload.batch": [1, 3],
    "ranks": [[0], [1, 0], [0, 2]],  # which there are on some hardware only
}
RANGED = ["devices=[{preset: jetson-orin-nano, count: 2}]", "strategy.segments=2"]
AXES_OF_RANGED = ("network.bandwidth", "network.sharing", "strategy.name", "workload.batch")
TEXT = [
    "model={dims: {model_type: gpt2, n_embd: 16, n_layer: 2, n_head: 2, n_inner: 32, vocab_size: 64, n_positions: 64}}",
    "workload={tokens: 8, new_tokens: 3}",
]
AXES_OF_TEXT = ("strategy.name", "network.bandwidth", "workload.batch", "devices[0].count")


def drawn(rng: Random, names: list[str]) -> str:
    """A sweep over three of these fields, two values each."""
    chosen = {name: rng.sample(AXES[name], 2) for name in rng.sample(names, 3)}
    return "sweep:\n" + "".join(f"  '{name}': {json.dumps(values)}\n" for name, values in chosen.items())


@pytest.mark.parametrize(
    ("names", "overrides", "seed"),
    [
        *((list(AXES), [], seed) for seed in range(14)),
        *((list(AXES_OF_RANGED), RANGED, seed) for seed in range(2)),
        *((list(AXES_OF_TEXT), TEXT, seed) for seed in range(2)),
    ],
)
def test_a_row_of_a_random_sweep_is_that_of_its_point_alone(load, names, overrides, seed):
    grid, _, blocks = answered(load(drawn(Random(seed), names), overrides))
    found = {number: block.row(place) for block in blocks for place, number in enumerate(block.numbers)}
    assert sorted(found) == sorted(task.number for task in grid.tasks)
    for task in grid.tasks:
        expected, row = by_itself(grid.base, task.overrides), found[task.number]
        row = row.get("row", row)
        assert list(row) == list(expected), task.overrides
        assert [key for key in row if not same(row[key], expected[key])] == [], task.overrides
