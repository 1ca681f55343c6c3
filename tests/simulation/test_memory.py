"""A plan that does not fit is refused with what it needs, what there is, and what would fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prism_sim import Scenario, ScenarioError, load_scenario
from prism_sim.choice.run import run
from prism_sim.element_types import ELEMENT_TYPES
from prism_sim.simulation.memory import SMALLER_WEIGHTS, demands
from prism_sim.simulation.simulate import simulate

DIMS = "{model_type: vit, hidden_size: 32, num_hidden_layers: 6, num_attention_heads: 4, intermediate_size: 64, "
TEXT = f"""
model: {{dims: {DIMS} image_size: 32, patch_size: 8}}}}
workload: {{batch: 4}}
devices:
  - {{compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}}
  - {{name: desk, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}}
terminal: desk
ranks: [0, 1]
network: {{bandwidth: 100 Mbit/s, latency: 1 ms}}
strategy: {{name: prism, segments: 2}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "tight.yaml"
    file.write_text(TEXT)
    return load_scenario(file)


def with_memory(scenario: Scenario, memory_bytes: float) -> Scenario:
    return scenario.with_overrides({"devices[0].memory": f"{memory_bytes:.0f} B"})


def need_bytes(scenario: Scenario) -> int:
    simulation = simulate(scenario)
    return max(one.need_bytes for one in demands(simulation)[:2])


def test_a_device_of_unknown_memory_holds_anything(scenario: Scenario) -> None:
    assert simulate(scenario).fits


def test_exactly_enough_memory_is_enough_and_a_byte_less_is_not(scenario: Scenario) -> None:
    need = need_bytes(scenario)
    enough, short = with_memory(scenario, need), with_memory(scenario, need - 1)
    assert simulate(enough).fits
    assert not simulate(short).fits


def test_participants_of_one_device_share_its_memory(scenario: Scenario) -> None:
    beside = scenario.with_overrides({"terminal": 0})
    simulation = simulate(beside)
    held = [sum(pair) for pair in zip(simulation.plan.weight_bytes, simulation.plan.activation_bytes, strict=True)]
    assert demands(simulation)[0].need_bytes == held[0] + held[2]


def test_the_refusal_names_need_have_and_what_would_fit(scenario: Scenario) -> None:
    short = with_memory(scenario, 0.8 * need_bytes(scenario))
    with pytest.raises(ScenarioError) as refused:
        run(short, numerics=False)
    message = str(refused.value)
    assert re.search(r"does not fit \S+: it needs \S+ kB for weights and activations, but has \S+ kB", message)
    assert "strategy.name galaxy or pipeline or tensor_parallel" in message
    assert "model.dtype float16" in message


@pytest.mark.parametrize("remedy", [{"model.dtype": "float16"}, {"strategy.name": "pipeline"}, {"workload.batch": 1}])
def test_each_remedy_that_is_named_does_fit(scenario: Scenario, remedy: dict[str, object]) -> None:
    weights = simulate(scenario).plan.weight_bytes[0]
    short = with_memory(scenario, (weights + need_bytes(scenario)) / 2)  # a smaller batch helps too
    with pytest.raises(ScenarioError, match=r"workload\.batch"):
        run(short, numerics=False)
    run(short.with_overrides(remedy), numerics=False)


@pytest.mark.parametrize(("tied", "tables"), [(True, 1), (False, 2)])
def test_a_tied_head_needs_the_token_table_wherever_it_runs(tmp_path: Path, tied: bool, tables: int) -> None:
    """A terminal that embeds holds the table once for both; one that only runs the head holds it for that."""
    file = tmp_path / "tied.yaml"
    dims = (
        f"n_embd: 12, n_layer: 2, n_head: 2, n_positions: 20, vocab_size: 100, tie_word_embeddings: {str(tied).lower()}"
    )
    file.write_text(
        f"""
model: {{dims: {{model_type: gpt2, {dims}}}}}
workload: {{tokens: 8}}
devices: [{{compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 3}}]
terminal: 2
ranks: [0, 1]
network: {{bandwidth: 100 Mbit/s}}
strategy: {{name: voltage}}
"""
    )
    table, positions, norm = 100 * 12, 20 * 12, 2 * 12
    embeds = simulate(load_scenario(file))
    assert embeds.plan.weight_bytes[2] == 4 * (tables * table + positions + norm)
    runs_the_head = simulate(load_scenario(file, {"placement.input": "replicated"}))
    assert runs_the_head.plan.weight_bytes[2] == 4 * (table + norm)


GROUPS = "{model_type: gpt2, n_embd: 64, n_layer: 4, n_head: 2, n_positions: 20, vocab_size: 100}"


@pytest.mark.parametrize(
    ("rates", "offered"),
    [
        ("", " or ".join(f"{name} (no compute_{name} stated: at the plain rate)" for name in ("int8", "q8_0", "q4_0"))),
        ("compute_int8: 2 GFLOP/s, compute_q8_0: 2 GFLOP/s, compute_q4_0: 1 GFLOP/s,", "int8 or q8_0 or q4_0"),
        ("compute_int8: 2 GFLOP/s, compute_q4_0: 1 GFLOP/s,", "int8 or q4_0"),  # a q8_0 of unknown rate is refused
    ],
)
def test_types_of_weights_that_would_fit_are_offered_with_what_is_not_known_of_them(
    tmp_path: Path, rates: str, offered: str
) -> None:
    file = tmp_path / "groups.yaml"
    board = f"{rates} compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s"
    file.write_text(
        f"""
model: {{dims: {GROUPS}}}
workload: {{tokens: 8}}
devices: [{{{board}}}]
network: {{bandwidth: 100 Mbit/s}}
strategy: {{name: single}}
"""
    )
    scenario = load_scenario(file)
    with pytest.raises(ScenarioError) as refused:
        run(with_memory(scenario, 0.5 * sum(simulate(scenario).held_bytes)), numerics=False)
    assert str(refused.value).endswith(f"model.weight_dtype {offered}")


@pytest.mark.parametrize(("now", "smaller"), [("int8", {"q4_0"}), ("q8_0", {"int8", "q4_0"}), ("q4_0", set())])
def test_only_smaller_types_of_weights_are_offered(now: str, smaller: set[str]) -> None:
    assert set(SMALLER_WEIGHTS[now]) == smaller
    sizes = {name: ELEMENT_TYPES[name].element_bytes for name in (now, *smaller)}
    assert all(sizes[name] < sizes[now] for name in smaller)
