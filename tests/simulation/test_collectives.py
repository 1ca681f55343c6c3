"""By which ways exchanges go, from a scenario to what the commands tell."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from prism_sim.choice.compare import compare
from prism_sim.choice.run import run
from prism_sim.reports import compare as compare_report
from prism_sim.reports import explain as explain_report
from prism_sim.reports import run as run_report
from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import simulate
from prism_sim.sweeping.rows import flat
from prism_sim.why.explain import explain

Load = Callable[..., Scenario]

# Tensor parallel over eight equal boards on cables: sums so large, and a latency so short, that a ring pays.
EIGHT = """\
name: eight boards
model:
  dims: {model_type: bert, hidden_size: 256, num_hidden_layers: 2, num_attention_heads: 8, intermediate_size: 512,
    vocab_size: 300, max_position_embeddings: 128}
workload: {tokens: 128, batch: 8}
devices:
  - {name: board, compute: 20 GFLOP/s, memory_bandwidth: 4 GB/s, memory: 2 GB, count: 8}
network: {preset: gigabit-ethernet}
strategy: {name: tensor_parallel}
"""
STATED = ("direct", "ring", "star", "tree")


@pytest.fixture
def eight(load: Load) -> Callable[..., Scenario]:
    return lambda *overrides: load(overrides, EIGHT)


def test_a_silent_scenario_is_as_fast_as_the_best_of_all_that_it_could_state(eight: Load):
    stated_s = {name: simulate(eight(f"network.collective={name}")).latency_s for name in STATED}
    found = simulate(eight())
    assert stated_s["ring"] < stated_s["direct"] / 1.2
    assert found.latency_s <= min(stated_s.values()) * (1 + 1e-9)
    assert found.collectives["all_reduce"] == ["ring"]


@pytest.mark.parametrize("stated", STATED)
def test_a_stated_collective_is_obeyed_and_named(eight: Load, stated: str):
    broadcast = "direct" if stated == "star" else stated  # a star is no way of its own to broadcast
    expected = {"broadcast": [broadcast], "all_reduce": [stated]}
    assert simulate(eight(f"network.collective={stated}")).collectives == expected


def test_quickest_may_be_written(eight: Load):
    assert eight("network.collective=quickest").network == eight().network


def test_strategies_that_only_send_scatter_and_gather_name_no_way(eight: Load):
    for strategy in ("galaxy", "pipeline", "single"):
        chosen = ["strategy.name=pipeline", "ranks=[0, 1]"] if strategy == "pipeline" else [f"strategy.name={strategy}"]
        assert simulate(eight(*chosen)).collectives == {}


@pytest.mark.parametrize(("rate", "broadcasts"), [("", False), (", broadcast_rate: 100 Mbit/s", True)])
def test_a_radio_broadcasts_unasked_only_where_its_rate_of_broadcasts_is_stated(
    eight: Load, rate: str, broadcasts: bool
):
    radio = f"network={{medium: shared, bandwidth: 100 Mbit/s, direct: true{rate}}}"
    found = simulate(eight(radio, "ranks=[0, 1, 2, 3]", "strategy={name: voltage}"))
    assert (found.collectives == {"all_gather": ["broadcast"]}) == broadcasts


def shown(show: Callable[..., None], found: object) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(found, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return " ".join(text.split())


def test_run_explain_and_a_sweeps_row_name_the_ways(eight: Load):
    silent, stated = run(eight(), numerics=False), run(eight("network.collective=ring"), numerics=False)
    described = json.loads(json.dumps(silent.to_json()))
    ways = described["collectives"]
    assert ways["all_reduce"] == ["ring"]
    assert explain(eight()).to_json()["collectives"] == ways
    assert flat(described)["collectives"] == f"broadcast {ways['broadcast'][0]}, all_reduce ring"
    assert "exchanges, each by its quickest way: broadcast" in shown(run_report.show, silent)
    assert "all-reduce round a ring" in shown(explain_report.show_explanation, explain(eight()))
    as_stated = "exchanges, as network.collective says: broadcast round a ring, all-reduce round a ring"
    assert as_stated in shown(run_report.show, stated)


def test_compare_names_the_ways_of_each_strategy(eight: Load):
    found = compare(eight(), numerics=False)
    rows = {(one["strategy"], len(one["devices"])): one.get("collectives") for one in found.to_json()["candidates"]}
    assert rows["tensor_parallel", 8]["all_reduce"] == ["ring"]
    assert rows["galaxy", 8] == {}
    assert "all-reduce round a ring: tensor_parallel x8" in shown(compare_report.show_comparison, found)
