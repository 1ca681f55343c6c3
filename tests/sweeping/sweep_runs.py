"""The tiny scenario of sweeps, and the command in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys

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
SAME_PATH = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}  # of the source under test


def start(*arguments: object, **more: object) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "prism_sim.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | SAME_PATH | {"COLUMNS": "200"},
        **more,  # type: ignore[call-overload]
    )


def command(*arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    process = start(*arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
