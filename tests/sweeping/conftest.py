"""A tiny scenario with a sweep, and the command in processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from prism_sim.scenario import Scenario, load_scenario

TINY = """\
name: tiny
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2, initializer_range: 0.5}
workload: {tokens: 12}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2, idle_power: 1 W, busy_power: 3 W}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""
GRID = """\
sweep:
  network.bandwidth: {from: 10 Mbit/s, to: 1 Gbit/s, points: 5, scale: log}
  network.latency: [1 ms, 2 ms]
  strategy.segments: [1, 2, 3]
  strategy.name: [prism, voltage]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """The tiny scenario with this sweep section, as a file."""

    def write(sweep: str = GRID, name: str = "tiny.yaml") -> Path:
        path = tmp_path / name
        path.write_text(TINY + sweep)
        return path

    return write


@pytest.fixture
def load(written: Callable[[str], Path]) -> Callable[..., Scenario]:
    def loaded(sweep: str = GRID, overrides: Iterable[str] = ()) -> Scenario:
        return load_scenario(written(sweep), overrides)

    return loaded
