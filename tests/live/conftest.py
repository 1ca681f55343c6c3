"""What the tests of live runs share: small scenarios, and a look at what a test leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from left_behind import gone

TINY = """\
name: tiny
model:
  dims: {model_type: bert, hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 3, intermediate_size: 35,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
workload: {tokens: 13, batch: 2}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 3}
ranks: [0, 1]
network: {bandwidth: 100 Mbit/s}
strategy: {name: prism, segments: 2}
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def no_orphans(tiny: Path) -> Iterator[None]:
    """Nothing that was started with the scenario outlives the test."""
    yield
    assert gone(str(tiny))
