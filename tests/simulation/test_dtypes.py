"""Element types of weights, activations and the wire: what each changes, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import load_scenario
from prism_sim.outputs.fidelity import fidelity_of
from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import Simulation, simulate

DIMS = (
    "{model_type: bert, hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 3, intermediate_size: 40, "
    "vocab_size: 50}"
)
TEXT = f"""
model: {{dims: {DIMS}}}
workload: {{batch: 2, tokens: 15}}
devices: [{{compute: 1 GFLOP/s, compute_float16: 2 GFLOP/s, memory_bandwidth: 1000000 TB/s, count: 2}}]
network: {{bandwidth: 10 Mbit/s, latency: 0 s, message_overhead: 0 s}}
strategy: {{name: voltage}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return load_scenario(file)


def block_weight_bytes(simulation: Simulation) -> int:
    return simulation.plan.weight_bytes[0]


def sent(simulation: Simulation) -> int:
    return sum(simulation.timeline.sent_bytes)


def test_float16_halves_bytes_and_memory_and_computes_at_its_own_rate(scenario: Scenario) -> None:
    full = simulate(scenario)
    half = simulate(scenario.with_overrides({"model.dtype": "float16"}))
    assert sent(full) == 2 * sent(half)
    assert block_weight_bytes(full) == 2 * block_weight_bytes(half)
    assert full.timeline.breakdown_s["compute"] == pytest.approx(2 * half.timeline.breakdown_s["compute"], rel=1e-6)


def test_a_device_that_states_no_float16_rate_is_no_faster_in_it(scenario: Scenario) -> None:
    half = scenario.with_overrides({"model.dtype": "float16", "devices[0].compute_float16": "1 GFLOP/s"})
    full = simulate(scenario).timeline.breakdown_s["compute"]
    assert simulate(half).timeline.breakdown_s["compute"] == pytest.approx(full, rel=1e-6)


def test_int8_weights_are_a_byte_an_element_and_a_scale_a_row(scenario: Scenario) -> None:
    small = simulate(scenario.with_overrides({"model.weight_dtype": "int8"}))
    width, inner, n_blocks = 24, 40, 3
    elements = 4 * width * width + 2 * width * inner
    rows = 5 * width + inner  # of the six matrices' outputs
    assert block_weight_bytes(simulate(scenario)) - block_weight_bytes(small) == n_blocks * (3 * elements - 4 * rows)
    assert sent(small) == sent(simulate(scenario))


def test_the_wire_type_halves_what_crosses_and_nothing_else(scenario: Scenario) -> None:
    narrow = simulate(scenario.with_overrides({"model.wire_dtype": "float16"}))
    assert sent(simulate(scenario)) == 2 * sent(narrow)
    assert block_weight_bytes(narrow) == block_weight_bytes(simulate(scenario))


@pytest.mark.parametrize("strategy", ["voltage", "prism", "tensor_parallel", "pipeline", "galaxy"])
@pytest.mark.parametrize("wire", ["float16", "bfloat16"])
def test_a_narrow_wire_rounds_the_outputs_and_is_seen_to_carry_half(
    scenario: Scenario, strategy: str, wire: str
) -> None:
    chosen = scenario.with_overrides({"model.wire_dtype": wire, "strategy.name": strategy})
    job = simulate(chosen).job
    found = fidelity_of(chosen, job)
    assert found.plan_confirmed
    assert found.max_abs_error > 0
    assert found.cosine > 0.99


@pytest.mark.parametrize("field", [{"model.weight_dtype": "int8"}, {"model.dtype": "bfloat16"}])
def test_voltage_loses_nothing_whatever_the_weights_are(scenario: Scenario, field: dict[str, str]) -> None:
    chosen = scenario.with_overrides(field)
    found = fidelity_of(chosen, simulate(chosen).job)
    assert found.plan_confirmed
    assert found.max_abs_error <= (1e-6 if "model.weight_dtype" in field else 0.05)
