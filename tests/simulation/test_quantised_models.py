"""Weights and rows in groups of 32: what they weigh, cost and change, predicted and seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import load_scenario
from prism_sim.outputs.fidelity import fidelity_of, sources
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.simulate import Simulation, simulate

WIDTH, INNER, HEADS, KEY_HEADS, HEAD_WIDTH, BLOCKS, WORDS = 64, 160, 4, 2, 16, 2, 50
DIMS = (
    f"model_type: llama, hidden_size: {WIDTH}, num_hidden_layers: {BLOCKS}, num_attention_heads: {HEADS}, "
    f"num_key_value_heads: {KEY_HEADS}, intermediate_size: {INNER}, vocab_size: {WORDS}"
)
DEVICE = "compute: 1 GFLOP/s, memory_bandwidth: 1000000 TB/s"
TEXT = f"""
model: {{dims: {{{DIMS}}}}}
workload: {{batch: 2, tokens: 15}}
devices: [{{{DEVICE}, count: 2}}]
network: {{bandwidth: 10 Mbit/s, latency: 0 s, message_overhead: 0 s}}
strategy: {{name: voltage}}
"""
BYTES_OF_32 = {"float32": 128, "q8_0": 34, "q4_0": 18}
MATRICES = 2 * WIDTH * WIDTH + 2 * WIDTH * KEY_HEADS * HEAD_WIDTH + 3 * WIDTH * INNER  # elements, of a block
SPREAD = ["voltage", "prism", "tensor_parallel", "pipeline", "galaxy", "replicas"]


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return load_scenario(file)


def sent(simulation: Simulation) -> int:
    return sum(simulation.timeline.sent_bytes)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kept", ["float32", "q8_0", "q4_0"])
def test_weights_weigh_34_or_18_bytes_for_32_and_norms_stay_in_float32(
    scenario: Scenario, kept: str, tied: bool
) -> None:
    change = {"model.dims.tie_word_embeddings": tied, "strategy.name": "single"}
    if kept != "float32":
        change["model.weight_dtype"] = kept
    found = simulate(scenario.with_overrides(change)).plan.weight_bytes
    group = BYTES_OF_32[kept]
    norms = 4 * (2 * BLOCKS * WIDTH)
    at_head = BYTES_OF_32["q8_0" if kept == "q4_0" else kept]  # a head is kept finer than 4 bits
    tables = WORDS * WIDTH // 32 * (at_head if tied else group + at_head)
    assert found[0] == BLOCKS * MATRICES // 32 * group + norms
    assert found[1] == tables + 4 * WIDTH  # the terminal has the tables and the last norm


@pytest.mark.parametrize("kept", ["q8_0", "q4_0"])
@pytest.mark.parametrize("strategy", ["single", "voltage", "tensor_parallel", "pipeline"])
def test_what_is_predicted_is_what_the_real_tensors_weigh(scenario: Scenario, kept: str, strategy: str) -> None:
    from prism_sim import families
    from prism_sim.element_types import ELEMENT_TYPES, head_type
    from prism_sim.numeric.loading import load, token_tables
    from prism_sim.numeric.quantised import packed

    simulation = simulate(scenario.with_overrides({"model.weight_dtype": kept, "strategy.name": strategy}))
    model, family = load(sources(scenario, simulation.job)[0]), families.find("llama")
    tables = {id(table): is_head for table, is_head in token_tables(model, family)}

    def nbytes(parameter: object) -> int:
        if parameter.dim() == 1:
            return parameter.nbytes
        at_head = tables.get(id(parameter), False)
        return packed(parameter, (head_type(ELEMENT_TYPES[kept]) if at_head else ELEMENT_TYPES[kept]).name).nbytes

    blocks = sum(nbytes(one) for layer in family.layers(model) for one in layer.parameters())
    norms = sum(one.nbytes for layer in family.layers(model) for one in layer.parameters() if one.dim() == 1)
    *ranks, terminal = simulation.plan.weight_bytes
    assert terminal == sum(map(nbytes, model.parameters())) - blocks
    whole = {"single": [blocks], "voltage": [blocks, blocks], "pipeline": [blocks // 2] * 2}
    if strategy in whole:
        assert ranks == whole[strategy]
    else:  # norms are on both, of matrices 96 of 160 columns on the first, and half of the heads
        assert sum(ranks) == blocks + norms


def test_the_product_of_a_head_reads_its_table_as_it_is_kept(scenario: Scenario) -> None:
    plans = [simulate(scenario.with_overrides(more)).plan for more in ({}, {"model.weight_dtype": "q8_0"})]
    full, small = (
        next(one for step in plan.programs[-1] for one in getattr(step, "kernels", ()) if one.name == "lm head")
        for plan in plans
    )
    assert full.moved_bytes - small.moved_bytes == WORDS * WIDTH // 32 * (128 - 34)
    assert full.flops == small.flops


def test_where_memory_bounds_the_time_is_that_of_the_bytes(scenario: Scenario) -> None:
    bound = {"devices[0].memory_bandwidth": "1 MB/s", "devices[0].compute": "1 PFLOP/s", "strategy.name": "single"}
    full = simulate(scenario.with_overrides(bound))
    small = simulate(scenario.with_overrides(bound | {"model.weight_dtype": "q4_0"}))
    saved_bytes = BLOCKS * MATRICES // 32 * (128 - 18) + WORDS * WIDTH // 32 * (128 - 34)  # an untied head
    assert full.latency_s - small.latency_s == pytest.approx(saved_bytes / 1e6, rel=1e-9)


@pytest.mark.parametrize("strategy", SPREAD)
def test_rows_cross_in_34_bytes_for_32(scenario: Scenario, strategy: str) -> None:
    full = scenario.with_overrides({"strategy.name": strategy})
    assert 34 * sent(simulate(full)) == 128 * sent(simulate(full.with_overrides({"model.wire_dtype": "q8_0"})))


@pytest.mark.parametrize("strategy", SPREAD)
def test_what_crosses_is_seen_to_be_rounded_and_as_many_bytes_as_predicted(scenario: Scenario, strategy: str) -> None:
    chosen = scenario.with_overrides({"model.wire_dtype": "q8_0", "strategy.name": strategy})
    found = fidelity_of(chosen, simulate(chosen).job)
    assert found.plan_confirmed
    assert found.max_abs_error > 1e-5  # more than float32 rounds
    assert found.cosine > 0.99


@pytest.mark.parametrize("strategy", ["tensor_parallel", "galaxy"])
def test_a_split_head_keeps_its_groups_and_its_logits_cross_unrounded(scenario: Scenario, strategy: str) -> None:
    """Of 50 words 17, 17 and 16, of whole rows; in q8_0, as a head is where the rest has four bits."""
    three = {"devices[0].count": 3, "model.dims.num_attention_heads": 8, "model.dims.num_key_value_heads": 8}
    wide = three | {"model.dims.head_dim": 16, "model.dims.intermediate_size": 192, "strategy.name": strategy}
    chosen = scenario.with_overrides(wide | {"model.weight_dtype": "q4_0", "model.wire_dtype": "q8_0"})
    asked = chosen.with_overrides({"strategy.head": "split"})
    whole, parted = simulate(chosen).plan, simulate(asked).plan
    own = [34 * WIDTH // 32 * n_words + 4 * WIDTH for n_words in (17, 17, 16)]
    assert [b - a for a, b in zip(whole.weight_bytes, parted.weight_bytes, strict=True)][:3] == own
    assert parted.weight_bytes[3] == WORDS * WIDTH // 32 * 18
    logits = next(one for one in parted.exchanges if one.label == "logits")
    assert logits.bytes_by_rank == (4 * 2 * 17, 4 * 2 * 17, 4 * 2 * 16, 0)
    assert fidelity_of(asked, simulate(asked).job).plan_confirmed


@pytest.mark.parametrize("kept", ["q8_0", "q4_0"])
@pytest.mark.parametrize("strategy", ["voltage", "tensor_parallel", "galaxy"])
def test_an_exact_strategy_loses_nothing_whatever_the_weights_are(scenario: Scenario, kept: str, strategy: str) -> None:
    chosen = scenario.with_overrides({"model.weight_dtype": kept, "strategy.name": strategy})
    found = fidelity_of(chosen, simulate(chosen).job)
    assert found.plan_confirmed
    assert found.max_abs_error <= 1e-6


@pytest.mark.parametrize("shares", ["equal", "proportional", "optimal", "[0.7, 0.3]"])
def test_no_split_parts_a_group(scenario: Scenario, shares: str) -> None:
    """160 columns are five groups, and a head of 16 shares its groups with its neighbour."""
    uneven = {"devices": [{"compute": f"{n} GFLOP/s", "memory_bandwidth": "1 TB/s"} for n in (3, 1)]}
    given = [0.7, 0.3] if shares.startswith("[") else shares
    chosen = scenario.with_overrides(
        uneven | {"model.weight_dtype": "q8_0", "strategy.name": "tensor_parallel", "strategy.shares": given}
    )
    simulation = simulate(chosen)
    assert simulation.shares is not None
    assert simulation.shares.sizes["heads"] == (2, 2)
    assert sum(simulation.shares.sizes["columns"]) == INNER
    assert all(columns % 32 == 0 for columns in simulation.shares.sizes["columns"])
    if shares == "equal":
        assert simulation.shares.sizes["columns"] == (96, 64)
    free = simulate(chosen.with_overrides({"model.weight_dtype": "int8", "strategy.shares": "equal"}))
    assert free.shares is not None
    assert free.shares.sizes["columns"] == (80, 80)


def test_too_many_ranks_for_whole_groups_are_refused_with_what_would_do(scenario: Scenario) -> None:
    chosen = scenario.with_overrides(
        {"devices[0].count": 3, "model.weight_dtype": "q8_0", "strategy.name": "tensor_parallel"}
    )
    with pytest.raises(
        ScenarioError, match=r"3 ranks cannot share 4 attention heads.*each needs 2.*weight_dtype: int8"
    ):
        simulate(chosen)
    assert simulate(chosen.with_overrides({"model.weight_dtype": "int8"})).fits


@pytest.mark.parametrize(
    ("change", "place", "rule"),
    [
        ({"model.dims.hidden_size": 72, "model.dims.head_dim": 16}, "weight_dtype", "queries, keys and values have 72"),
        ({"model.dims.head_dim": 18}, "weight_dtype", "attention output have 72"),
        ({"model.dims.intermediate_size": 100}, "weight_dtype", "contract have 100"),
        ({"model.dims.hidden_size": 72}, "wire_dtype", "a width of a multiple of 32.*model's is 72.*float16"),
    ],
)
def test_rows_that_groups_do_not_divide_are_refused(
    scenario: Scenario, change: dict[str, int], place: str, rule: str
) -> None:
    assert simulate(scenario.with_overrides(change | {f"model.{place}": "int8" if "weight" in place else "float16"}))
    with pytest.raises(ScenarioError, match=rf"model\.{place}.*{rule}"):
        scenario.with_overrides(change | {f"model.{place}": "q8_0"})


def test_a_device_computes_at_its_rate_of_the_weights_type(scenario: Scenario) -> None:
    rates = {"devices[0].compute_q8_0": "4 GFLOP/s", "devices[0].compute_float16": "2 GFLOP/s"}
    stated = scenario.with_overrides(rates)

    def compute_s(**model: str) -> float:
        found = simulate(stated.with_overrides({f"model.{field}": value for field, value in model.items()}))
        return found.timeline.breakdown_s["compute"]

    plain = compute_s()
    assert compute_s(weight_dtype="q8_0") == pytest.approx(plain / 4, rel=1e-6)
    assert compute_s(weight_dtype="q8_0", dtype="float16") == pytest.approx(plain / 4, rel=1e-6)
    assert compute_s(dtype="float16") == pytest.approx(plain / 2, rel=1e-6)
    assert compute_s(weight_dtype="int8") == pytest.approx(plain, rel=1e-6)


def test_without_a_rate_of_its_own_it_computes_as_before(scenario: Scenario) -> None:
    half = scenario.with_overrides({"devices[0].compute_float16": "2 GFLOP/s", "model.dtype": "float16"})
    small = half.with_overrides({"model.weight_dtype": "q8_0"})
    before, after = (simulate(one).timeline.breakdown_s["compute"] for one in (half, small))
    assert after == pytest.approx(before, rel=1e-6)


def test_a_device_that_states_the_other_types_rate_alone_is_refused(scenario: Scenario) -> None:
    stated = {"devices[0].compute_q8_0": "4 GFLOP/s", "model.weight_dtype": "q4_0"}
    with pytest.raises(ScenarioError, match=r"devices\[0\]\.compute_q4_0.*is missing.*states compute_q8_0.*q4_0"):
        scenario.with_overrides(stated)
    assert scenario.with_overrides(stated | {"devices[0].compute_q4_0": "3 GFLOP/s"})


def test_an_unstated_rate_changes_no_answers_name(scenario: Scenario) -> None:
    assert "q8_0" not in scenario.content_texts()["devices"]
    stated = scenario.with_overrides({"devices[0].compute_q8_0": "4 GFLOP/s"})
    assert "q8_0_flops_per_s" in stated.content_texts()["devices"]
    assert stated.hash != scenario.hash


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [("model.weight_dtype", "q8", "q8_0"), ("model.wire_dtype", "q8_1", "q8_0"), ("model.wire_dtype", "q4_0", "q8_0")],
)
def test_a_misspelt_type_is_refused(scenario: Scenario, field: str, value: str, hint: str) -> None:
    with pytest.raises(ScenarioError, match=rf"{field}.*'{value}'.*{hint}"):
        scenario.with_overrides({field: value})
