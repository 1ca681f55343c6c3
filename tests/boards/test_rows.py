"""Measured rows are what a scenario can be made of, and their kernels take as long as the engine says."""

from __future__ import annotations

import pytest

from prism_sim.boards.cases import PARTS, beside, scenario_of, work
from prism_sim.boards.clusters import cluster_scenario
from prism_sim.boards.facts import boards
from prism_sim.boards.rows import BoardRow, board_rows, cluster_rows
from prism_sim.simulation.simulate import simulate
from prism_sim.syntax import presets

USED = [row for row in board_rows() if row.left_out is None]
NUMBERS = {"attention_efficiency": 1.0, "op_overhead_s": 0.0}
QUICK = {(row.device, row.runtime, row.phase): row for row in USED if "70b" not in row.model}  # one of each kind


def test_every_row_has_its_source_and_is_used_or_says_why_not():
    for row in (*board_rows(), *cluster_rows()):
        assert row.seconds > 0
        assert all((row.source, row.confidence, row.measured))
        assert row.left_out is None or len(row.left_out) > 5
    for row in USED:
        assert row.runtime in presets.READY.device(row.device).by_runtime, row.name


@pytest.mark.parametrize("row", QUICK.values(), ids=lambda row: row.name)
def test_kernels_take_as_long_as_the_engine_says(row: BoardRow):
    simulation = simulate(scenario_of(row))
    device = simulation.devices[0]
    numbers = {name: getattr(device, name) for name in PARTS}
    generation = simulation.generation
    played_s = simulation.latency_s
    if row.phase != "forward":
        assert generation is not None
        played_s = generation.ttft_s if row.phase == "prefill" else generation.tpot_s
    # a host that feeds its accelerator waits for it between embedding, blocks and head, which one list does not know
    close = 0.02 if device.dispatch_s else 1e-9
    assert work(row).seconds(numbers) / (1 + beside(row.model)) == pytest.approx(played_s, rel=close)


def test_a_step_that_memory_bounds_takes_its_bytes_over_the_bandwidth():
    row = next(row for row in USED if row.model == "llama-2-7b" and row.phase == "decode")
    seconds = work(row).seconds({**NUMBERS, "flops_per_s": 1e15, "memory_bytes_per_s": 1e9})
    weights = 32 * (4 * 4096**2 + 3 * 4096 * 11008) * 18 / 32  # blocks in q4_0
    head = 4096 * 32000 * 34 / 32  # in q8_0
    assert seconds == pytest.approx((weights + head) / 1e9, rel=0.05)  # and cache, norms, activations


def test_whisper_is_timed_with_what_stands_beside_its_blocks():
    row = next(row for row in USED if row.model == "whisper-tiny")
    numbers = {**NUMBERS, "flops_per_s": 1e9, "memory_bytes_per_s": 1e15}
    blocks = 4 * (24 * 1500 * 384**2 + 4 * 1500**2 * 384)  # FLOPs: products of rows, and among rows
    assert work(row).seconds(numbers) == pytest.approx(1.16 * blocks / 1e9, rel=1e-2)  # and BERT's pooler


def test_attention_takes_longer_by_its_efficiency_and_nothing_else_does():
    row = next(row for row in USED if row.model == "whisper-tiny")
    numbers = {**NUMBERS, "flops_per_s": 1e9, "memory_bytes_per_s": 1e15}
    attention = 1.16 * 4 * 4 * 1500**2 * 384 / 1e9
    longer = work(row).seconds({**numbers, "attention_efficiency": 0.25}) - work(row).seconds(numbers)
    assert longer == pytest.approx(3 * attention)


def test_clusters_send_as_their_runtime_does():
    row = next(row for row in cluster_rows() if row.left_out is None and row.n_devices == 2 and row.wire_dtype)
    scenario = cluster_scenario(row)
    assert (scenario.network.collective, scenario.model.wire_dtype, len(scenario.ranks)) == ("star", "q8_0", 2)
    assert scenario.network.message_overhead_s == pytest.approx(30e-6)  # the runtime's, not the network preset's
    slow = next(row for row in cluster_rows() if row.bandwidth_mbit == 100 and row.left_out is None)
    assert cluster_scenario(slow).network.up_bits_per_s == 100e6


def test_all_boards_have_presets_of_their_names():
    assert set(boards()) == set(presets.names("devices"))
