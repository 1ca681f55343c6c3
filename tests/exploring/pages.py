"""A served page, and a browser's page that shows it, for tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Two boards, so slow and with such a network that every control moves what is shown.
SCENARIO = """\
name: two boards & <b>a name</b>
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2, initializer_range: 0.5}
workload: {tokens: 12, batch: 2}
devices:
  - {name: board, compute: 10 MFLOP/s, memory_bandwidth: 1 GB/s, memory: 1 MB, count: 2}
network: {bandwidth: 3 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    line: str

    @property
    def address(self) -> str:
        """With its token."""
        found = re.search(r"http://\S+", self.line)
        assert found is not None, self.line
        return found[0]

    @property
    def origin(self) -> str:
        return self.address.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def ended(self) -> tuple[int, str]:
        """Exit status and standard error after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        errors = self.process.communicate(timeout=60)[1]
        return self.process.returncode, errors


@contextmanager
def served(path: Path, *options: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "prism_sim.cli", "explore", str(path), "--no-browser", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        assert process.stdout is not None
        yield Served(process, process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
