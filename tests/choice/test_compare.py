"""`compare`: every strategy on the same hardware, each as it would be alone, and a verdict that follows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_sim import Scenario, load_scenario, strategies
from prism_sim.choice.compare import Comparison, compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.subsets import candidates
from prism_sim.simulation.memory import demands
from prism_sim.simulation.simulate import simulate

DIMS = "{model_type: bert, hidden_size: 24, num_hidden_layers: 4, num_attention_heads: 3, intermediate_size: 40, "
TEXT = f"""
model: {{dims: {DIMS} vocab_size: 50}}}}
workload: {{batch: 2, tokens: 24}}
devices:
  - {{name: slow, compute: 50 MFLOP/s, memory_bandwidth: 1 TB/s, memory: 1 GiB, idle_power: 1 W, busy_power: 3 W}}
  - {{name: fast, compute: 500 MFLOP/s, memory_bandwidth: 1 TB/s, memory: 1 GiB, idle_power: 2 W, busy_power: 9 W}}
  - {{name: third, compute: 50 MFLOP/s, memory_bandwidth: 1 TB/s, memory: 1 GiB, idle_power: 1 W, busy_power: 3 W}}
network: {{bandwidth: 5 Mbit/s, latency: 0.1 ms, message_overhead: 0 s}}
strategy: {{name: prism, segments: 2}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    file = tmp_path / "three.yaml"
    file.write_text(TEXT)
    return load_scenario(file)


@pytest.fixture
def comparison(scenario: Scenario) -> Comparison:
    return compare(scenario, numerics=False)


def test_every_strategy_is_there_over_every_number_of_devices(comparison: Comparison) -> None:
    seen = {(one.strategy, len(one.devices)) for one in comparison.candidates}
    several = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]
    assert seen == {(name, n_ranks) for name in several for n_ranks in (2, 3)}


def test_each_candidate_is_what_its_strategy_gives_by_itself(comparison: Comparison, scenario: Scenario) -> None:
    for candidate in comparison.candidates:
        by_itself = simulate(scenario, candidate.strategy, candidate.devices, silent_shares="auto")
        assert candidate.simulation is not None
        assert candidate.simulation.latency_s == by_itself.latency_s
        described = comparison.describe(candidate)
        assert sum(described["breakdown_s"].values()) == pytest.approx(described["latency_s"], rel=1e-9)


def test_the_best_of_each_kind_is_the_least_latency_of_its_kind(comparison: Comparison) -> None:
    exact = [one.latency_s for one in comparison.candidates if one.lossless]
    lossy = [one.latency_s for one in comparison.candidates if not one.lossless]
    assert comparison.best_lossless.latency_s == min(*exact, comparison.single.latency_s)
    assert comparison.best_lossy is not None
    assert comparison.best_lossy.latency_s == min(lossy)


def test_one_device_alone_may_be_another_than_the_terminal(comparison: Comparison) -> None:
    assert comparison.alone.devices == (0,)
    assert comparison.fastest_alone.devices == (1,)
    assert comparison.single is comparison.fastest_alone


def test_fidelity_is_computed_for_what_loses_and_for_nothing_else(scenario: Scenario) -> None:
    for candidate in compare(scenario).candidates:
        assert (candidate.fidelity is None) is candidate.lossless


def test_the_identity_as_compressor_is_called_exact(scenario: Scenario) -> None:
    exact = compare(scenario.with_overrides({"strategy.compressor": "identity"}), numerics=False)
    assert all(candidate.lossless for candidate in exact.candidates)
    assert exact.best_lossy is None


def test_what_does_not_fit_is_shown_and_never_wins(scenario: Scenario) -> None:
    least = simulate(scenario, "galaxy")
    needs = enumerate(demands(least))
    tight = {f"devices[{number}].memory": f"{one.need_bytes} B" for number, one in needs}
    comparison = compare(scenario.with_overrides(tight), numerics=False)
    assert not comparison.alone.fits
    fitting = {one.strategy for one in comparison.candidates if one.fits}
    assert "voltage" not in fitting
    assert comparison.best_lossless.strategy in fitting
    assert any("no device could hold the model alone" in line for line in comparison_verdict(comparison))


def test_a_strategy_that_cannot_serve_is_a_row_with_its_reason(scenario: Scenario) -> None:
    few = scenario.with_overrides({"model.dims.num_attention_heads": 2})
    reasons = {one.strategy: one.reason for one in compare(few, numerics=False).candidates if len(one.devices) == 3}
    assert "attention heads" in (reasons["tensor_parallel"] or "")
    assert reasons["prism"] is None


def test_a_slow_network_says_do_not_distribute(scenario: Scenario) -> None:
    lines = comparison_verdict(compare(scenario.with_overrides({"network.bandwidth": "1 kbit/s"}), numerics=False))
    assert lines[0].startswith("Without loss: do not distribute.")
    assert lines[1].startswith("With loss: nothing to gain")


def test_a_fast_network_among_equals_says_distribute(scenario: Scenario) -> None:
    equal = scenario.with_overrides({"devices[1].compute": "50 MFLOP/s", "network.bandwidth": "10 Gbit/s"})
    lines = comparison_verdict(compare(equal, numerics=False))
    assert lines[0].startswith("Without loss: distribute.")
    assert "times as fast as slow alone" in lines[0]


def test_the_json_is_whole_and_the_same_each_time(scenario: Scenario) -> None:
    first, second = (json.dumps(compare(scenario, numerics=False).to_json(), allow_nan=False) for _ in range(2))
    assert first == second
    assert json.loads(first)["schema"] == "prism-sim/compare/1"


def test_compare_counts_what_it_played_and_what_it_ruled_out(comparison: Comparison, scenario: Scenario) -> None:
    found = comparison.to_json()
    ways = [
        devices
        for one in strategies.catalogue().values()
        if not one.one_rank
        for devices in candidates(scenario, range(2, 4))
    ]
    assert found["played"] + found["ruled_out"] == len(ways)
    assert found["played"] >= len(found["candidates"])
    assert str(comparison.effort) == f"{found['played']} ways to distribute were played, {found['ruled_out']} ruled out"
