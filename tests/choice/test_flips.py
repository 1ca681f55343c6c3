"""Answers that flip within what the intervals of the numbers leave open are said to, with how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import run
from prism_sim.choice.compare import compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.verdict import verdict
from prism_sim.scenario import load_scenario
from prism_sim.scenario.ranged import sampled
from prism_sim.simulation.fit_samples import N_SAMPLES, FitSamples, interval
from prism_sim.simulation.simulate import simulate

BOARDS = """\
devices:
  board:
    summary: arithmetic alone
    compute: {value: 3 GFLOP/s, range: [2 GFLOP/s, 5 GFLOP/s], source: assumption}
    memory_bandwidth: {value: 1000000 TB/s, source: assumption}
"""
SCENARIO = """\
model: {dims: {model_type: bert, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 128,
  vocab_size: 320, max_position_embeddings: 64}}
presets: [boards.yaml]
workload: {tokens: 32}
devices: [{preset: board, count: 2}]
network: {bandwidth: 1 Gbit/s}
strategy: {name: voltage}
"""


@pytest.fixture
def load(tmp_path: Path):
    def load_with(overrides=None):
        (tmp_path / "boards.yaml").write_text(BOARDS)
        (tmp_path / "x.yaml").write_text(SCENARIO)
        return load_scenario(tmp_path / "x.yaml", overrides or {})

    return load_with


@pytest.fixture
def even(load):
    """A bandwidth (text) at which Voltage takes as long as one device alone."""
    fast, slow = (simulate(load({"network.bandwidth": rate})).latency_s for rate in ("1 Gbit/s", "10 Mbit/s"))
    bits = (slow - fast) / (1 / 10e6 - 1 / 1e9)  # on the critical path, whose transfers take bits / rate
    return bits / (simulate(load(), "single").latency_s - (fast - bits / 1e9))


def n_faster(scenario, own: str, other: str) -> int:
    """In how many samples `other` is the faster one, each asked as a scenario that states its numbers."""
    drawn = sampled(scenario.devices, scenario.network, scenario.seed, N_SAMPLES)
    stated = [scenario.with_overrides({"devices[0].compute": f"{one[0].flops_per_s!r} FLOP/s"}) for one, _ in drawn]
    return sum(simulate(one, other).latency_s < simulate(one, own).latency_s for one in stated)


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_a_run_says_in_how_many_samples_its_verdict_flips(load, even, share):
    scenario = load({"network.bandwidth": f"{even * share!r} bit/s"})
    own, other = ("voltage", "single") if share > 1 else ("single", "voltage")
    n = n_faster(scenario, own, other)
    assert 1 < n < 9
    result = run(scenario, numerics=False)
    name = "board-0 alone" if share > 1 else "voltage over 2 devices"
    assert verdict(result).endswith(f": in {n} of 16 samples {name} is faster (docs/trust.md).")
    described = result.to_json()["ranges"]["verdict"]
    assert (described["samples"], described["faster"]) == (16, {name: n})
    low, high = described["speedup_range"]
    assert low < 1 < high


def test_a_verdict_that_holds_in_all_samples_says_nothing(load, even):
    clear = run(load({"network.bandwidth": f"{20 * even!r} bit/s"}), numerics=False)
    assert clear.to_json()["ranges"]["verdict"]["faster"] == {}
    assert "samples" not in verdict(clear)
    stated = run(load({"network.bandwidth": f"{even!r} bit/s", "devices[0].compute": "3 GFLOP/s"}), numerics=False)
    assert "samples" not in verdict(stated)


def test_a_comparison_samples_every_strategy_on_the_same_devices(load):
    comparison = compare(load(), numerics=False)
    samples = comparison.samples
    by_name = {name: samples.times(one.simulation).latency_s for name, one in comparison.named() if one.simulation}
    assert by_name["replicas x2"] == pytest.approx(by_name["board-0 alone"], rel=1e-12)  # one sample on one device
    alone = FitSamples.of(comparison.scenario).times(simulate(comparison.scenario, "single")).latency_s
    assert alone == by_name["board-0 alone"]
    described = comparison.to_json()
    for one in (*described["candidates"], described["alone"]):
        assert one["latency_range_s"][0] < one["latency_s"] < one["latency_range_s"][1]
    assert described["alone"]["latency_range_s"] == list(interval(alone))


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_a_comparison_says_in_how_many_samples_another_is_fastest(load, even, share):
    scenario = load({"network.bandwidth": f"{even * share!r} bit/s", "strategy.segments": 4})
    comparison = compare(scenario, numerics=False)
    chosen = comparison.best_lossless
    exact = [one.simulation for one in (comparison.alone, *comparison.candidates) if one.lossless and one.fits]
    latencies = list(zip(*(comparison.samples.times(one).latency_s for one in exact), strict=True))
    own = comparison.samples.times(chosen.simulation).latency_s
    n = sum(min(one) < own_s * (1 - 1e-9) for one, own_s in zip(latencies, own, strict=True))
    assert n > 1
    found = comparison.flips(chosen)
    assert found.n_samples == n
    assert comparison.to_json()["ranges"]["best_lossless"]["faster"] == found.faster
    (line,) = [line for line in comparison_verdict(comparison) if line.startswith("Without loss")]
    assert f"in {n} of 16 samples" in line


def test_without_ranges_a_comparison_is_what_it_was(load):
    comparison = compare(load({"devices[0].compute": "3 GFLOP/s"}), numerics=False)
    assert comparison.samples is comparison.to_json()["ranges"] is None
    assert {one["latency_range_s"] for one in comparison.to_json()["candidates"]} == {None}
