"""Bytes that really cross, by strategy and collective: the formulas of the literature, to the byte.

N tokens of width D, b bytes an element, B blocks, P ranks; the input lies on every device and the output stays there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import Scenario, load_scenario
from prism_sim.simulation.simulate import simulate

N, D, B, BYTES, BATCH = 48, 48, 3, 4, 2
ROWS = BATCH * N * D * BYTES  # all rows of a batch
TEXT = f"""
model:
  dims: {{model_type: bert, hidden_size: {D}, num_hidden_layers: {B}, num_attention_heads: 8, intermediate_size: 96}}
workload: {{batch: {BATCH}, tokens: {N}}}
placement: {{input: replicated, output: in_place}}
devices: [{{compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: %d}}]
network: {{medium: %s, bandwidth: 10 Mbit/s, latency: 1 ms}}
strategy: {{name: voltage, segments: 2}}
"""


def sent(folder: Path, n_ranks: int, strategy: str, collective: str, medium: str = "switch") -> tuple[int, ...]:
    file = folder / "wire.yaml"
    file.write_text(TEXT % (n_ranks, medium))
    scenario: Scenario = load_scenario(file, {"strategy.name": strategy, "network.collective": collective})
    return simulate(scenario).timeline.sent_bytes[:n_ranks]


@pytest.mark.parametrize("n_ranks", [2, 3, 4, 8])
def test_ring_tensor_parallel_sends_four_times_the_bytes_of_voltage(n_ranks: int, tmp_path: Path) -> None:
    voltage = sent(tmp_path, n_ranks, "voltage", "direct")
    assert sum(voltage) == B * (n_ranks - 1) * ROWS
    assert sum(sent(tmp_path, n_ranks, "tensor_parallel", "ring")) == 4 * sum(voltage)
    assert sum(sent(tmp_path, n_ranks, "galaxy", "direct")) == 4 * sum(voltage)


@pytest.mark.parametrize("n_ranks", [2, 3, 4, 8])
@pytest.mark.parametrize("collective", ["direct", "ring"])
def test_prism_sends_its_segment_means_to_each_other_rank(n_ranks: int, collective: str, tmp_path: Path) -> None:
    means = BATCH * 2 * D * BYTES
    assert sent(tmp_path, n_ranks, "prism", collective) == (B * (n_ranks - 1) * means,) * n_ranks


@pytest.mark.parametrize("n_ranks", [2, 3, 4, 8])
def test_a_broadcasting_radio_carries_the_means_once(n_ranks: int, tmp_path: Path) -> None:
    means = BATCH * 2 * D * BYTES
    assert sent(tmp_path, n_ranks, "prism", "broadcast", "shared") == (B * means,) * n_ranks


@pytest.mark.parametrize("n_ranks", [2, 3, 4, 8])
def test_a_star_loads_its_root_with_everybodys_rows(n_ranks: int, tmp_path: Path) -> None:
    """TPI-LLM (arXiv 2410.00531): a worker sends 2 N D b up a block; the root sends that down to each worker."""
    per_block = sent(tmp_path, n_ranks, "tensor_parallel", "star")
    workers = (B * 2 * ROWS,) * (n_ranks - 1)
    assert per_block == (B * 2 * ROWS * (n_ranks - 1), *workers)


@pytest.mark.parametrize("n_ranks", [2, 3])
def test_a_pipeline_sends_all_rows_over_each_boundary_once(n_ranks: int, tmp_path: Path) -> None:
    assert sent(tmp_path, n_ranks, "pipeline", "direct") == (*(ROWS,) * (n_ranks - 1), 0)
