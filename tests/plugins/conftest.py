"""A scenario that needs all plug-ins of `extensions/` and a presets file, and a registry that tests leave as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

BOARDS = """\
devices:
  my-board:
    summary: one core on a desk
    compute: {value: 1 GFLOP/s, source: "assumption"}
    memory_bandwidth: {value: 2 GB/s, source: "measured by hand, 2026"}
networks:
  my-cable:
    summary: a cable between two desks
    bandwidth: {value: 100 Mbit/s, source: assumption}
models:
  my-model:
    hub: someone/my-model
    head: none
    source: assumption
    config: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
      vocab_size: 300, max_position_embeddings: 64}
"""
SCENARIO = """\
name: all from outside
model:
  dims: {model_type: bert-generation, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2,
    intermediate_size: 32, vocab_size: 300, max_position_embeddings: 64, initializer_range: 0.5}
presets: [boards.yaml]
workload: {tokens: 12}
devices: [{preset: my-board, count: 2}]
network: {preset: my-cable}
strategy: {name: rare, compressor: int2, every: 2}
sweep:
  strategy.every: [1, 2]
  strategy.compressor: [int2, segment_means+int2, segment_means]
"""


@pytest.fixture(autouse=True)
def apart(no_plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept on disk is the test's own."""
    monkeypatch.setenv("PRISM_SIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    (tmp_path / "boards.yaml").write_text(BOARDS)
    path = tmp_path / "outside.yaml"
    path.write_text(SCENARIO)
    return path
