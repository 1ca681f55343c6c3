"""`strategy: {name: auto}` takes the fastest exact way, or a lossy one that loses no more than it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import Scenario, ScenarioError, load_scenario, strategies
from prism_sim.choice.auto import resolved
from prism_sim.choice.compare import compare
from prism_sim.choice.run import run
from prism_sim.simulation.simulate import simulate

DIMS = "{model_type: vit, hidden_size: 24, num_hidden_layers: 4, num_attention_heads: 3, intermediate_size: 40, "
TEXT = f"""
model: {{dims: {DIMS} image_size: 32, patch_size: 8}}}}
devices: [{{compute: 50 MFLOP/s, memory_bandwidth: 1 TB/s, count: 3}}]
network: {{bandwidth: %s, latency: 0 s, message_overhead: 0 s}}
strategy: {{name: auto, segments: 2}}
"""


@pytest.fixture
def asked(tmp_path: Path) -> Scenario:
    return scenario(tmp_path, "5 Mbit/s")


def scenario(folder: Path, bandwidth: str) -> Scenario:
    file = folder / "auto.yaml"
    file.write_text(TEXT % bandwidth)
    return load_scenario(file)


def test_auto_takes_the_fastest_exact_way(asked: Scenario) -> None:
    comparison = compare(asked, numerics=False)
    exact = [one.latency_s for one in comparison.candidates if one.lossless] + [comparison.single.latency_s]
    chosen = resolved(asked)
    assert simulate(chosen).latency_s == min(exact)
    assert strategies.find(chosen.strategy.name).lossless(chosen.strategy.options)


def test_a_slow_network_leaves_one_device_alone(tmp_path: Path) -> None:
    chosen = resolved(scenario(tmp_path, "1 kbit/s"))
    assert (chosen.strategy.name, chosen.ranks) == ("single", (0,))


@pytest.mark.parametrize(("max_loss", "lossy"), [(2.0, True), (0.0, False)])
def test_a_lossy_way_is_taken_only_within_what_it_may_lose(asked: Scenario, max_loss: float, lossy: bool) -> None:
    chosen = resolved(asked.with_overrides({"strategy.max_loss": max_loss}))
    assert (chosen.strategy.name == "prism") is lossy


def test_a_run_of_auto_names_its_choice_and_reports_no_unused_max_loss(asked: Scenario) -> None:
    result = run(asked.with_overrides({"strategy.max_loss": 2.0}), numerics=False)
    assert result.to_json()["strategy"] == "prism"
    assert result.to_json()["unused_fields"] == []


def test_shares_for_all_ranks_do_not_stand_in_the_way_of_fewer(tmp_path: Path) -> None:
    given = scenario(tmp_path, "1 kbit/s").with_overrides({"strategy.shares": [0.5, 0.25, 0.25]})
    assert resolved(given).strategy.name == "single"


def test_where_nothing_fits_auto_says_so(asked: Scenario) -> None:
    with pytest.raises(ScenarioError, match="auto finds nothing that fits"):
        resolved(asked.with_overrides({"devices[0].memory": "10 kB"}))


def test_another_strategy_stays_as_it_is(asked: Scenario) -> None:
    voltage = asked.with_overrides({"strategy.name": "voltage"})
    assert resolved(voltage) is voltage
