"""Points that are resolved by parts and played together have, to the bit, the rows that each would have by itself."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sweep_laws import answered, by_itself, same

from prism_sim.sweeping import frames
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep

LINKS = (
    "{medium: links, links: [{between: [0, router], bandwidth: 40 Mbit/s}, {between: [1, router], bandwidth: 9 Mbit/s,"
    " latency: 2 ms}, {between: [2, router], bandwidth: 40 Mbit/s}]}"
)
THREE = ("devices[0].count=3", "model.dims.num_hidden_layers=3", "model.dims.num_attention_heads=4")
SWEEPS = {
    "strategies on networks": (
        "strategy.name: [prism, voltage, tensor_parallel, pipeline, single, galaxy, replicas]\n"
        "  network.bandwidth: [5 Mbit/s, 1 Gbit/s]\n  network.latency: [0 ms, 20 ms]",
        [*THREE],
    ),
    "devices, batch and means": (
        "devices[0].compute: [1 GFLOP/s, 9 GFLOP/s]\n  devices[0].busy_power: [3 W, 4 W]\n"
        "  devices[0].radio_power: [0 W, 1 W]\n  workload.batch: [1, 3]\n  strategy.segments: [1, 4]",
        [],
    ),
    "links": (
        "'network.links[1].bandwidth': [1 Mbit/s, 90 Mbit/s]\n  strategy.name: [prism, tensor_parallel]\n"
        "  network.collective: [quickest, ring]",
        [*THREE, f"network={LINKS}"],
    ),
    "a shared medium": (
        "network: [{medium: shared, bandwidth: 20 Mbit/s}, {medium: shared, bandwidth: 20 Mbit/s, direct: true}]\n"
        "  network.latency: [1 ms, 5 ms]\n  strategy.name: [prism, voltage, pipeline]",
        [*THREE],
    ),
    "unequal shares": (
        "strategy.shares: [null, [0.5, 0.5], [0.7, 0.3]]\n  strategy.name: [prism, tensor_parallel, pipeline]\n"
        "  network.bandwidth: [5 Mbit/s, 1 Gbit/s]",
        [],
    ),
    "requests in turn": (
        "network.bandwidth: [100 kbit/s, 5 Mbit/s, 1 Gbit/s]\n  devices[0].compute: [100 MFLOP/s, 9 GFLOP/s]\n"
        "  workload.batch: [1, 2, 4]",
        ["strategy.name=replicas", "strategy.segments=null"],
    ),
    "devices that differ, and who is fastest": (
        "devices[1].compute: [200 MFLOP/s, 3 GFLOP/s]\n  network.bandwidth: [100 kbit/s, 1 Gbit/s]\n"
        "  terminal: [0, 2]\n  ranks: [[0, 1, 2], [2, 0]]",
        ["devices=[{name: a, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}, "
         "{name: b, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, idle_power: 1 W, busy_power: 2 W}]"],
    ),
    "memory that is too small for some": (
        "devices[0].memory: [20 kB, 40 kB, 60 kB, 1 MB]\n  workload.batch: [1, 8]\n  strategy.name: [prism, pipeline]",
        [],
    ),
    "numbers of devices": ("devices[0].count: [1, 2, 9, 13]\n  network.slow_start: [true, false]", []),
    "devices that are alike in one element type": (
        "model.dtype: [float32, float16]\n  devices[1].compute_float16: [1 GFLOP/s, 9 GFLOP/s]\n"
        "  workload.batch: [1, 2]",
        ["devices=[{name: a, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}, "
         "{name: b, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}]", "devices[0].compute=1 GFLOP/s"],
    ),
    "element types": (
        "model.dtype: [float32, float16]\n  devices[0].compute_float16: [1 GFLOP/s, 2 GFLOP/s]\n  seed: [0, 1]",
        [],
    ),
}  # fmt: skip
WORDS = {
    "words for shares": (
        "strategy.shares: [equal, proportional, auto]\n  'devices[1].compute': [1 GFLOP/s, 3 GFLOP/s]",
        ["devices=[{compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}, {compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}]"],
    ),
    "a strategy that is chosen": ("strategy: [{name: auto}]\n  network.latency: [1 ms, 50 ms]", []),
}


@pytest.mark.parametrize("name", [*SWEEPS, *WORDS])
def test_a_row_of_many_is_that_of_its_point_alone(load, name):
    section, overrides = (SWEEPS | WORDS)[name]
    grid, _, blocks = answered(load(f"sweep:\n  {section}\n", overrides))
    found = {number: block.row(place) for block in blocks for place, number in enumerate(block.numbers)}
    assert sorted(found) == sorted(task.number for task in grid.tasks)
    for task in grid.tasks:
        expected, row = by_itself(grid.base, task.overrides), found[task.number]
        row = row.get("row", row)
        assert list(row) == list(expected)
        assert [key for key in row if not same(row[key], expected[key])] == [], task.overrides


@pytest.mark.parametrize(
    "name",
    ["strategies on networks", "devices, batch and means", "links", "a shared medium", "numbers of devices"],
)
def test_what_many_points_share_is_told_once(load, name):
    section, overrides = SWEEPS[name]
    grid, work, blocks = answered(load(f"sweep:\n  {section}\n", overrides))
    assert len(blocks) < len(grid.tasks)
    assert work.parts.n_whole < len(grid.tasks)


@pytest.mark.parametrize("name", WORDS)
def test_what_turns_on_more_than_its_part_is_told_by_each_point(load, name):
    section, overrides = WORDS[name]
    grid, _, blocks = answered(load(f"sweep:\n  {section}\n", overrides))
    assert [len(block.numbers) for block in blocks] == [1] * len(grid.tasks)


def test_where_one_point_cannot_be_played_each_says_so_for_itself(load, monkeypatch):
    """As where a network's numbers, or a plan, turn out to be wrong when it comes to it."""

    def refuse(plan, rigs):
        raise ValueError("this cannot be played")

    monkeypatch.setattr("prism_sim.simulation.many.throughputs", refuse)
    grid, _, blocks = answered(load("sweep: {network.latency: [1 ms, 2 ms]}"))
    assert [block.row(0)["row"] for block in blocks] == [by_itself(grid.base, task.overrides) for task in grid.tasks]


def test_parts_are_read_once(load):
    """The first point, then each new value of the first field that varies beside it, and so on."""
    axes = (
        "network.latency: [1 ms, 2 ms, 3 ms], 'devices[0].compute': [1 GFLOP/s, 2 GFLOP/s], strategy.segments: [1, 2]"
    )
    _, work, _ = answered(load(f"sweep: {{{axes}}}"))
    assert work.parts.n_whole == 1 + 2 + 1 + 1


def test_points_that_are_wrong_only_together_say_so(load):
    section = "sweep: {workload.tokens: [2, 12], 'devices[0].count': [2, 3], strategy.shares: [null, [0.5, 0.5]]}"
    table = Sweep(Grid.of(load(section)), False).table(1)
    assert [reason is None for reason in table.columns["reason"]] == [True] * 2 + [False] * 2 + [True] * 3 + [False]
    reasons = [reason for reason in table.columns["reason"] if reason is not None]
    assert all("2 shares are given for 3 rank(s)" in reasons[place] for place in (1, 2))
    assert "3 ranks cannot share 2 tokens" in reasons[0]


def test_a_csv_is_what_pandas_would_write(load):
    section = """\
sweep:
  strategy.shares: [null, [0.5, 0.5], optimal]
  strategy.name: [prism, pipeline]
  network: [{bandwidth: 9 Mbit/s}, {bandwidth: 12345678.9 bit/s, slow_start: true}]
  workload.batch: [1, 900000]
"""
    frame = frames.frame_of(Sweep(Grid.of(load(section, ["devices[0].memory=1 GB"])), False).table(1))
    assert frame["reason"].notna().any()
    assert frames.csv_text(frame) == frame.to_csv(index=False)


def test_swept_lists_of_one_length_are_texts(load):
    table = Sweep(Grid.of(load("sweep: {strategy.shares: [[0.5, 0.5], [0.7, 0.3]]}")), False).table(1)
    assert list(table.columns["strategy.shares"]) == ["[0.5, 0.5]", "[0.7, 0.3]"]


def test_odd_numbers_and_texts_are_written_as_pandas_writes_them():
    draw = np.random.default_rng(0)
    numbers = draw.integers(0, 2**64, 4000, dtype=np.uint64).view(np.float64)
    numbers[:6] = [0.0, -0.0, math.inf, -math.inf, 1e16, 1e-5]
    texts = ["", 'a "b"', "a,b", "a\nb", "a\rb", " a", None, "nan"]
    frame = pd.DataFrame(
        {
            "a,b": numbers,
            "powers": 10.0 ** (np.arange(4000) % 40 - 20),
            "text": pd.Series([texts[row % len(texts)] for row in range(4000)], dtype="str"),
            "object": pd.Series([[1, "a,b", None, 0.1, True][row % 5] for row in range(4000)], dtype=object),
            "whole": pd.Series([None if row % 3 else row for row in range(4000)], dtype="Int64"),
            "truth": pd.Series([None if row % 3 else row % 2 == 0 for row in range(4000)], dtype="boolean"),
            "int": np.arange(4000),
        }
    )
    assert frames.csv_text(frame) == frame.to_csv(index=False)
