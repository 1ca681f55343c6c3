"""A tiny scenario whose times have closed forms, and a cache of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from prism_sim.scenario import Scenario, load_scenario

# Memory and launches cost nothing here, so a rank's time is its FLOPs / 1e9. Weights are large enough that means err.
TINY = """\
name: tiny
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2, initializer_range: 0.5}
workload: {tokens: 12}
placement: {input: replicated, output: in_place}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1000000 GB/s, count: 2}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRISM_SIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Scenario]:
    """A scenario from overrides of the tiny one, or of another text."""

    def loaded(overrides: Iterable[str] | Mapping[str, Any] = (), text: str = TINY) -> Scenario:
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return load_scenario(path, overrides)

    return loaded
