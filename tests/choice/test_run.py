"""`run` against closed forms, the papers' tables, and itself."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from prism_sim import ScenarioError, run, strategies
from prism_sim.reports.run import show
from prism_sim.scenario import load_scenario
from prism_sim.simulation.simulate import simulate

SCENARIOS = Path(__file__).parents[2] / "scenarios"
N, D, F, BLOCKS, FLOPS_PER_S, BITS_PER_S, LATENCY_S = 12, 16, 32, 3, 1e9, 100e6, 1e-3
SMALL = 1e-6  # memory-bound steps at 10^15 byte/s: far below this part of a latency


def block_flops(rows: int, keys: int) -> int:
    """Projections of queries and output, of keys and values, the feed-forward, the two products of attention."""
    return 2 * (2 * rows * D * D + 2 * keys * D * D + 2 * rows * D * F + 2 * rows * keys * D)


def exchange_s(rows: int) -> float:
    return rows * D * 4 * 8 / BITS_PER_S + LATENCY_S


@pytest.mark.parametrize(("segments", "sent"), [(1, 1), (2, 2), (3, 3), (6, 6), (50, 6)])
def test_prism_takes_its_blocks_and_the_means_before_each(load, segments, sent):
    found = run(load([f"strategy.segments={segments}"]), numerics=False).to_json()
    flops = BLOCKS * block_flops(N // 2, N // 2 + sent)
    assert [rank["flops"] for rank in found["ranks"]] == [flops] * 2
    assert found["latency_s"] == pytest.approx(flops / FLOPS_PER_S + BLOCKS * exchange_s(sent), rel=SMALL)
    assert [rank["sent_bytes"] for rank in found["ranks"]] == [BLOCKS * sent * D * 4] * 2
    assert [rank["received_bytes"] for rank in found["ranks"]] == [BLOCKS * sent * D * 4] * 2
    assert found["gflops_per_device"] == pytest.approx(flops / 1e9, rel=1e-12)
    assert found["breakdown_s"]["compute"] == pytest.approx(flops / FLOPS_PER_S, rel=SMALL)
    assert found["breakdown_s"]["transfer"] == pytest.approx(BLOCKS * sent * D * 32 / BITS_PER_S, rel=1e-9)
    assert found["breakdown_s"]["propagation"] == pytest.approx(BLOCKS * LATENCY_S, rel=1e-9)
    assert found["compression_rate"] == pytest.approx(6 / sent)
    assert found["communication_reduction"] == pytest.approx(1 - sent / 6)
    assert found["segments"] == (None if sent == 6 else segments)


def test_segments_listed_block_by_block_are_sent_and_reported_as_a_list(load):
    found = run(load({"strategy.segments": [5, 50, 1]}), numerics=False).to_json()
    assert found["segments"] == [5, 6, 1]
    assert [rank["sent_bytes"] for rank in found["ranks"]] == [12 * D * 4] * 2
    assert found["compression_rate"] == pytest.approx(6 / 4)
    assert found["communication_reduction"] == pytest.approx(1 - 4 / 6)


@pytest.mark.parametrize(
    ("compressor", "row_bytes", "counts_bytes"),
    [("int8", 16 + 8, 0), ("int4", 8 + 8, 0), ("segment_means+int8", 16 + 8, 0), ("cluster_means", 64, 1)],
)
def test_what_a_compressor_packs_is_sent_and_is_the_reduction(load, compressor, row_bytes, counts_bytes):
    """Two rows of 16 float32 are sent, or all six; counts of up to six take three bits each."""
    found = run(load({"strategy.compressor": compressor}), numerics=False).to_json()
    n_rows = 6 if found["segments"] is None else found["segments"]
    sent = n_rows * row_bytes + counts_bytes
    assert [rank["sent_bytes"] for rank in found["ranks"]] == [BLOCKS * sent] * 2
    assert found["communication_reduction"] == pytest.approx(1 - sent / (6 * D * 4))
    assert found["compression_rate"] == pytest.approx(6 / n_rows)


def test_options_that_mean_nothing_to_the_compressor_are_reported(load):
    def unused(**options):
        return load({f"strategy.{name}": value for name, value in options.items()}).written.unused_fields

    assert unused(codebook_size=64) == ("strategy.codebook_size",)
    assert unused(compressor="int8") == ("strategy.segments",)
    assert unused(compressor="int8", compression_rate=3) == ("strategy.compression_rate",)
    assert unused(compressor="vector_quantisation", codebook_groups=2) == ("strategy.segments",)
    assert unused(compressor="segment_means+vector_quantisation", codebook_groups=2) == ()


@pytest.mark.parametrize("compressor", ["vector_quantisation", "token_merging+int4"])
def test_a_compressed_scenario_is_the_same_to_the_bit_and_as_predicted(load, compressor, own_cache):
    scenario = load({"strategy.compressor": compressor, "workload.batch": 2})
    first = run(scenario).to_json()
    (kept,) = own_cache.rglob("*.json")
    kept.unlink()
    assert run(scenario).to_json()["fidelity"] == first["fidelity"]
    assert first["plan_confirmed"] is True
    assert 0 < first["fidelity"]["max_abs_error"] < 10


def test_one_device_alone_is_the_measure(load):
    found = run(load(), numerics=False)
    alone_s = BLOCKS * block_flops(N, N) / FLOPS_PER_S
    versus = found.to_json()["versus_single"]
    assert versus["latency_s"] == pytest.approx(alone_s, rel=SMALL)
    assert versus["fastest_single_latency_s"] == versus["latency_s"]
    assert versus["fastest_single_device"] == "board-0"
    assert versus["speedup"] == pytest.approx(alone_s / found.latency_s, rel=SMALL)
    assert versus["flops_reduction"] == pytest.approx(1 - block_flops(6, 8) / block_flops(12, 12))
    assert found.single.timeline.sent_bytes == (0, 0)


def test_voltage_is_prism_with_all_rows(load):
    voltage = run(load(["strategy.name=voltage"]), numerics=False).to_json()
    identity = run(load(["strategy.segments=6"]), numerics=False).to_json()
    for name in ("latency_s", "ranks", "breakdown_s", "versus_single", "versus_voltage", "gflops_per_device"):
        assert voltage[name] == identity[name], name
    assert voltage["compression_rate"] == 1
    assert voltage["communication_reduction"] == 0
    assert voltage["segments"] is None
    assert voltage["unused_fields"] == ["strategy.segments"]


def test_prism_beats_voltage_by_the_rows_that_it_does_not_send_and_project(load):
    found = run(load(), numerics=False)
    assert found.voltage is not None
    saved_s = BLOCKS * ((block_flops(6, 12) - block_flops(6, 8)) / FLOPS_PER_S + exchange_s(6) - exchange_s(2))
    assert found.voltage.latency_s - found.latency_s == pytest.approx(saved_s, rel=1e-5)


def test_flops_per_device_are_of_one_sample_and_the_rest_of_the_whole_batch(load):
    one, eight = (run(load([f"workload.batch={batch}"]), numerics=False).to_json() for batch in (1, 8))
    assert eight["gflops_per_device"] == pytest.approx(one["gflops_per_device"], rel=1e-12)
    assert [rank["flops"] for rank in eight["ranks"]] == [8 * rank["flops"] for rank in one["ranks"]]
    assert [rank["sent_bytes"] for rank in eight["ranks"]] == [8 * rank["sent_bytes"] for rank in one["ranks"]]
    assert eight["versus_single"]["flops_reduction"] == pytest.approx(one["versus_single"]["flops_reduction"])


PAIR = """\
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
workload: {tokens: 12}
devices:
  - {name: slow, compute: 10 MFLOP/s, memory_bandwidth: 1000000 GB/s}
  - {name: fast, compute: 1 GFLOP/s, memory_bandwidth: 1000000 GB/s}
terminal: slow
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2, shares: [0.2, 0.8]}
"""


def test_shipping_to_a_fast_device_wins_on_a_fast_network(load):
    found = run(load(text=PAIR), numerics=False)
    versus = found.to_json()["versus_single"]
    assert versus["fastest_single_device"] == "fast"
    # there all rows, back the row that the classifier reads; the terminal runs the head
    head_s = found.fastest_single.labelled_flops(1, "head") / 10e6
    there_s = N * D * 32 / BITS_PER_S + LATENCY_S
    back_s = D * 32 / BITS_PER_S + LATENCY_S
    shipped_s = there_s + BLOCKS * block_flops(N, N) / 1e9 + back_s + head_s
    assert versus["fastest_single_latency_s"] == pytest.approx(shipped_s, rel=SMALL)
    assert shipped_s < versus["latency_s"]


def test_shipping_to_a_fast_device_loses_on_a_slow_network(load):
    found = run(load(["network.bandwidth=10 kbit/s"], PAIR), numerics=False)
    versus = found.to_json()["versus_single"]
    assert versus["fastest_single_device"] == "slow"
    assert versus["fastest_single_latency_s"] == versus["latency_s"]


def test_a_single_run_by_name_is_the_one_that_others_are_measured_against(load):
    single = run(load(["strategy.name=single"]), numerics=False).to_json()
    split = run(load(), numerics=False).to_json()
    assert single["latency_s"] == split["versus_single"]["latency_s"]
    assert single["versus_single"]["speedup"] == 1
    assert single["versus_single"]["flops_reduction"] == 0
    assert single["versus_voltage"] is None
    assert (single["segments"], single["compression_rate"], single["communication_reduction"]) == (None, None, None)


@pytest.mark.parametrize("strategy", strategies.catalogue())
def test_over_one_rank_every_strategy_is_one_device_alone(load, strategy):
    found = run(load([f"strategy.name={strategy}", "ranks=[0]"]), numerics=False).to_json()
    assert len(found["ranks"]) == 1
    assert found["ranks"][0]["sent_bytes"] == 0
    assert found["latency_s"] == pytest.approx(found["versus_single"]["latency_s"], rel=1e-12)
    assert found["versus_single"]["flops_reduction"] == 0
    assert found["compression_rate"] is None


@pytest.mark.parametrize("given", ["terminal", "replicated"])
@pytest.mark.parametrize("wanted", ["terminal", "in_place"])
def test_placement_decides_what_travels_and_who_embeds(load, given, wanted):
    found = run(load([f"placement.input={given}", f"placement.output={wanted}"]), numerics=False).to_json()
    own = BLOCKS * 2 * D * 4
    scattered = 6 * D * 4 if given == "terminal" else 0  # the half of the rank that is not the terminal's device
    assert found["terminal"]["sent_bytes"] == scattered
    assert found["ranks"][1]["received_bytes"] == own + scattered
    assert (found["terminal"]["head_flops"] > 0) == (wanted == "terminal")
    assert [rank["sent_bytes"] for rank in found["ranks"]] == [own, own]  # the classifier's row is at the terminal
    assert found["latency_s"] > 0


def test_an_input_on_every_device_is_never_later_than_one_that_travels(load):
    at_terminal, replicated = (
        run(load([f"placement.input={place}"]), numerics=False).latency_s for place in ("terminal", "replicated")
    )
    assert replicated < at_terminal


def test_the_headline_of_prism():
    """PRISM, arXiv 2507.12145: 51.24 % less computation, 99.2 % less communication."""
    found = run(SCENARIOS / "bert-paper-headline.yaml", numerics=False).to_json()
    assert found["versus_single"]["flops_reduction"] == pytest.approx(0.5124, abs=2e-4)
    assert found["communication_reduction"] == pytest.approx(0.992, abs=5e-4)
    assert found["compression_rate"] == 128


# strategy, segments, GFLOPs per device, computation cut, communication cut: arXiv 2605.25682, Table 3
VIT = [
    ("single", None, 35.15, None, None),
    ("voltage", None, 20.37, 0.4205, None),
    ("prism", 10, 17.54, 0.5011, 0.8990),
    ("prism", 20, 17.86, 0.4920, 0.7980),
    ("prism", 30, 18.18, 0.4829, 0.6970),
]


@pytest.mark.parametrize(("strategy", "segments", "gflops", "computation", "communication"), VIT)
def test_the_costs_of_vit_are_those_of_the_paper(strategy, segments, gflops, computation, communication):
    scenario = load_scenario(
        SCENARIOS / "vit-base-orin-nano.yaml",
        {"strategy.name": strategy} | ({} if segments is None else {"strategy.segments": segments}),
    )
    found = run(scenario, numerics=False).to_json()
    assert found["gflops_per_device"] == pytest.approx(gflops, rel=1.5e-3)  # the paper adds norms and softmax
    if computation is not None:
        assert found["versus_single"]["flops_reduction"] == pytest.approx(computation, abs=1.5e-4)
    if communication is not None:
        assert found["communication_reduction"] == pytest.approx(communication, abs=1e-4)
        assert found["compression_rate"] == pytest.approx(99 / segments)


def test_a_compression_rate_and_its_segments_are_the_same_run():
    by_rate, by_segments = (
        run(load_scenario(SCENARIOS / "vit-base-orin-nano.yaml", change), numerics=False).latency_s
        for change in (
            {"strategy": {"name": "prism", "compression_rate": 9.9}},
            {"strategy": {"name": "prism", "segments": 10}},
        )
    )
    assert by_rate == by_segments


@pytest.mark.parametrize("strategy", strategies.catalogue())
def test_the_same_scenario_gives_the_same_json_to_the_bit(load, strategy):
    first, second = (json.dumps(run(load([f"strategy.name={strategy}"]), False).to_json()) for _ in range(2))
    assert first == second


def test_the_python_call_takes_a_file_and_gives_what_the_scenario_gives(load):
    scenario = load()
    assert run(scenario.path, numerics=False).to_json() == run(scenario, numerics=False).to_json()


def test_a_strategy_that_does_not_fit_says_so_where_the_strategy_is_written(load):
    with pytest.raises(ScenarioError, match=r"case\.yaml:10:11: strategy: pipeline: .*blocks") as refused:
        simulate(load({"devices[0].count": 4}), "pipeline")
    assert refused.value.field == "strategy"


def test_a_run_lives_where_voltage_cannot_be_compared(load, monkeypatch):
    def refusing(scenario, strategy=None, devices=None, **how):
        if strategy == "voltage":
            raise ScenarioError("cannot")
        return simulate(scenario, strategy, devices, **how)

    monkeypatch.setattr(sys.modules["prism_sim.choice.run"], "simulate", refusing)
    assert run(load(), numerics=False).to_json()["versus_voltage"] is None


def shown(result) -> str:
    text = io.StringIO()
    show(result, Console(file=text, width=120))
    return text.getvalue()


GPT2 = "dims: {model_type: gpt2, n_embd: 16, n_layer: 2, n_head: 2, vocab_size: 300, n_positions: 64}"


def test_gpt2_is_labelled_as_prefill_and_others_are_not(load):
    bert = load()
    gpt2 = load([f"model={{{GPT2}}}"])
    assert "one forward pass (prefill)" in shown(run(gpt2, numerics=False))
    assert "prefill" not in shown(run(bert, numerics=False))


def test_unused_fields_are_shown(load):
    text = shown(run(load(["strategy.name=voltage"]), numerics=False))
    assert "not used by voltage: strategy.segments" in text


# --- with numbers


def test_lossless_strategies_reproduce_the_model_and_their_plan(load):
    for name, strategy in strategies.catalogue().items():
        scenario = load([f"strategy.name={name}", "placement.input=terminal", "placement.output=terminal"])
        found = run(scenario)
        assert found.fidelity is not None
        assert found.fidelity.plan_confirmed, name
        if strategy.lossless(scenario.strategy.options):
            assert found.fidelity.max_abs_error < 1e-5, name
            assert found.fidelity.cosine == pytest.approx(1, abs=1e-6), name
        else:
            assert found.fidelity.max_abs_error > 1e-3, name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_halves_the_bytes_and_its_plan_holds(load, dtype):
    whole, half = (run(load([f"model.dtype={kind}"])) for kind in ("float32", dtype))
    assert half.fidelity is not None
    assert half.fidelity.plan_confirmed
    assert 2 * sum(half.simulation.timeline.sent_bytes) == sum(whole.simulation.timeline.sent_bytes)
    assert [2 * held for held in half.simulation.plan.weight_bytes] == list(whole.simulation.plan.weight_bytes)


def test_a_text_file_is_the_input(load, tmp_path):
    (tmp_path / "one.txt").write_text("the quick brown fox")
    (tmp_path / "two.txt").write_text("jumps over the lazy dog")
    errors = [
        run(load({"workload": {"tokens": 12, "input": name}})).fidelity.max_abs_error for name in ("one.txt", "two.txt")
    ]
    assert errors[0] != errors[1]
    noise = run(load()).fidelity.max_abs_error
    assert noise not in errors


VIT_TINY = """\
model:
  dims: {model_type: vit, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    image_size: 32, patch_size: 8, num_channels: 3}
devices: [{name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}]
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_a_picture_of_any_size_and_kind_is_the_input(load, tmp_path, mode):
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (40, 51, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(tmp_path / "picture.png")
    found = run(load({"workload": {"batch": 2, "input": "picture.png"}}, VIT_TINY))
    assert found.fidelity is not None
    assert found.fidelity.plan_confirmed
    assert found.simulation.job.n_tokens == 17
    noise = run(load({"workload.batch": 2}, VIT_TINY))
    assert found.fidelity.max_abs_error != noise.fidelity.max_abs_error
    assert found.simulation.plan == noise.simulation.plan
