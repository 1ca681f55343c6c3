"""A study that is small enough to compute whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prism_sim.scenario import Scenario, load_scenario

pytest.importorskip("optuna")

SMALL = """\
name: small
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
workload: {tokens: 12}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, memory: 1 GiB, count: 2, idle_power: 1 W,
    busy_power: 4 W, radio_power: 1 W}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
sweep:
  strategy.name: [prism, voltage, tensor_parallel]
  strategy.segments: [1, 2, 4]
  devices[0].count: [1, 2, 3]
  network.bandwidth: [1 Mbit/s, 10 Mbit/s, 100 Mbit/s]
"""


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Scenario]:
    def loaded(text: str = SMALL, **options: Any) -> Scenario:
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return load_scenario(path, **options)

    return loaded
