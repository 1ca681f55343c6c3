"""What the tests of live runs share: small scenarios, and a look at what a test leaves behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def processes_with(text: str) -> list[int]:
    """Living processes, not yet waited-for ones aside, whose command line has `text`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in command and state != "Z":
            found.append(int(place.name))
    return found


def gone(text: str, within_s: float = 5.0) -> bool:
    """Whether no such process lives any more, after a while."""
    end_s = time.monotonic() + within_s
    while processes_with(text):
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def no_orphans(tiny: Path) -> Iterator[None]:
    """Nothing that was started with the scenario outlives the test."""
    yield
    assert gone(str(tiny))
