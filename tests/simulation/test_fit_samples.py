"""What the intervals of fitted numbers leave open: closed forms, and the same samples for whoever asks."""

from __future__ import annotations

import math
from dataclasses import replace
from io import StringIO
from pathlib import Path
from statistics import NormalDist

import pytest
from rich.console import Console

from prism_sim import run
from prism_sim.reports.run import show
from prism_sim.scenario import load_scenario
from prism_sim.scenario.ranged import sampled
from prism_sim.simulation import fit_samples
from prism_sim.simulation.fit_samples import N_SAMPLES, FitSamples, interval
from prism_sim.simulation.simulate import simulate

LOW, VALUE, HIGH = 2e9, 3e9, 5e9  # FLOP/s
BOARDS = """\
devices:
  board:
    summary: arithmetic alone
    memory_bandwidth: {value: 1000000 TB/s, source: assumption}
    runtime: a
    runtimes:
      a: {compute: {value: 3 GFLOP/s, range: [2 GFLOP/s, 5 GFLOP/s], source: assumption}}
      b:
        compute: {value: 4 GFLOP/s, range: [3 GFLOP/s, 5 GFLOP/s], source: assumption}
        message_overhead: {value: 2 ms, range: [1 ms, 3 ms], source: assumption}
        memory_overlap: {value: 0.9, range: [0.5, 1.0], source: assumption}
networks:
  cable:
    summary: between two desks
    bandwidth: {value: 10 Mbit/s, range: [9 Mbit/s, 12 Mbit/s], source: assumption}
    message_overhead: {value: 1 ms, range: [0.5 ms, 1.5 ms], source: assumption}
"""
SCENARIO = """\
model: {dims: {model_type: bert, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 128,
  vocab_size: 320, max_position_embeddings: 64}}
presets: [boards.yaml]
workload: {tokens: 32}
devices: [{preset: board, count: 2}]
network: {preset: cable, bandwidth: 1 Gbit/s, message_overhead: 0 s}
strategy: {name: voltage}
"""
TEXT = {
    "model": {
        "dims": {
            "model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 300, "n_positions": 64,
        }
    },
    "workload": {"tokens": 16, "new_tokens": 8},
    "strategy.name": "single",
}  # fmt: skip


@pytest.fixture
def load(tmp_path: Path):
    def load_with(overrides=None, boards: str = BOARDS):
        (tmp_path / "boards.yaml").write_text(boards)
        (tmp_path / "x.yaml").write_text(SCENARIO)
        return load_scenario(tmp_path / "x.yaml", overrides or {})

    return load_with


def shown(result) -> str:
    console = Console(width=120, record=True, file=StringIO())
    show(result, console)
    return console.export_text()


def quantile(share: float) -> float:
    """Of a log-normal number whose 5 % and 95 % quantiles are LOW and HIGH."""
    deviation = math.log(HIGH / LOW) / 2 / 1.6448536269514722
    return math.sqrt(LOW * HIGH) * math.exp(deviation * NormalDist().inv_cdf(share))


def test_the_range_of_what_goes_with_one_over_a_number_has_a_closed_form(load):
    scenario = load({"strategy.name": "single"})
    simulation = simulate(scenario)
    flop = simulation.latency_s * VALUE
    expected = sorted(flop / quantile((k + 0.5) / 16) for k in range(16))
    times = FitSamples.of(scenario).times(simulation)
    assert sorted(times.latency_s) == pytest.approx(expected, rel=1e-9)
    low, high = interval(times.latency_s)  # the 5 % quantile is 0.3 of the way from 1/32 to 3/32, the 95 % likewise
    assert low == pytest.approx(0.7 * expected[0] + 0.3 * expected[1], rel=1e-9)
    assert high == pytest.approx(0.7 * expected[15] + 0.3 * expected[14], rel=1e-9)
    assert (low, high) == pytest.approx((flop / HIGH, flop / LOW), rel=0.04)


def test_a_range_changes_no_prediction_and_without_one_there_is_none(load):
    ranged = run(load(), numerics=False).to_json()
    text = BOARDS.replace("range: [2 GFLOP/s, 5 GFLOP/s], ", "")
    bare = run(load(boards=text), numerics=False).to_json()
    assert ranged["latency_s"] == bare["latency_s"]
    assert ranged["latency_range_s"][0] < ranged["latency_s"] < ranged["latency_range_s"][1]
    assert bare["latency_range_s"] is bare["ranges"] is None
    assert bare["provenance"]["scenario_hash"] != ranged["provenance"]["scenario_hash"]
    stated = load({"devices[0].compute": "3 GFLOP/s"})
    assert stated.devices[0].fitted == ()
    assert FitSamples.of(stated) is None
    described = run(stated, numerics=False).to_json()
    assert (described["latency_s"], described["ranges"]) == (ranged["latency_s"], None)


def test_what_goes_unadvised_is_not_sampled(load):
    assert run(load(), numerics=False, advise=False).to_json()["latency_range_s"] is None


def test_devices_of_one_preset_and_runtime_share_their_sample_and_seeds_repeat_it(load):
    devices = "[{preset: board, runtime: b}, {preset: board, runtime: b}, {preset: board, name: c}]"
    scenario = load([f"devices={devices}"])
    drawn = sampled(scenario.devices, scenario.network, 7, N_SAMPLES)
    again = sampled(scenario.devices, scenario.network, 7, N_SAMPLES)
    other = sampled(scenario.devices, scenario.network, 8, N_SAMPLES)
    assert drawn == again
    assert all(one.flops_per_s == same.flops_per_s for (one, same, _), _ in drawn)

    def column(found, device, attribute):
        return [getattr(devices[device], attribute) for devices, _ in found]

    for device, attribute in ((0, "flops_per_s"), (0, "memory_overlap"), (2, "flops_per_s")):
        values, others = (column(found, device, attribute) for found in (drawn, other))
        assert values != others  # another order ...
        assert sorted(values) == sorted(others)  # ... of the same quantiles
    orders = [
        sorted(range(N_SAMPLES), key=column(drawn, 0, name).__getitem__) for name in ("flops_per_s", "memory_overlap")
    ]
    assert orders[0] != orders[1]  # each number has an order of its own


def test_numbers_that_end_somewhere_end_there(load):
    scenario = load({"devices[0].runtime": "b"})
    overlaps = [devices[0].memory_overlap for devices, _ in sampled(scenario.devices, scenario.network, 0, N_SAMPLES)]
    assert max(overlaps) == 1.0
    assert min(overlaps) < 0.5


def fields_of(scenario):
    return {number.name: number.attributes for number in scenario.network.fitted}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {}),
        ({"network.bandwidth": None}, {"cable bandwidth": ("up_bits_per_s", "down_bits_per_s")}),
        ({"network.up": "1 Mbit/s"}, {"cable bandwidth": ("down_bits_per_s",)}),
        ({"network.message_overhead": None}, {"cable message_overhead": ("message_overhead_s",)}),
        (
            {"network.message_overhead": None, "devices[0].runtime": "b"},
            {"board b message_overhead": ("message_overhead_s",)},
        ),
        (
            {"network.message_overhead": None, "devices[0].runtime": "b", "devices[0].message_overhead": "2 ms"},
            {},
        ),
    ],
)
def test_a_number_that_is_stated_has_no_range_and_its_neighbours_keep_theirs(load, overrides, expected):
    assert fields_of(load(overrides)) == expected


def test_a_links_preset_lends_its_range_to_the_link(load):
    network = "{medium: links, links: [{between: [0, 1], preset: cable}]}"
    scenario = load([f"network={network}"])
    drawn = sampled(scenario.devices, scenario.network, 0, N_SAMPLES)
    rates = [network.links[0].up_bits_per_s for _, network in drawn]
    assert rates == [network.links[0].down_bits_per_s for _, network in drawn]
    assert len(set(rates)) == N_SAMPLES


def test_every_sample_is_what_its_numbers_give_when_they_are_stated(load):
    """Each strategy on the same sampled devices and network, as if a scenario had said so."""
    scenario = load({"network.bandwidth": None})
    samples = FitSamples.of(scenario)
    drawn = sampled(scenario.devices, scenario.network, scenario.seed, N_SAMPLES)
    for strategy in ("voltage", "tensor_parallel"):
        found = samples.times(simulate(scenario, strategy)).latency_s
        for sample, (devices, network) in list(enumerate(drawn))[::5]:
            stated = scenario.with_overrides(
                {
                    "devices[0].compute": f"{devices[0].flops_per_s!r} FLOP/s",
                    "network.bandwidth": f"{network.up_bits_per_s!r} bit/s",
                }
            )
            assert stated.devices[1].fitted == stated.network.fitted == ()
            assert found[sample] == simulate(stated, strategy).latency_s


def test_text_has_ranges_of_its_first_token_and_of_later_ones(load):
    scenario = load(TEXT)
    simulation = simulate(scenario)
    times = FitSamples.of(scenario).times(simulation)
    generation = simulation.generation
    drawn = sampled(scenario.devices, scenario.network, scenario.seed, N_SAMPLES)
    ratios = [VALUE / devices[0].flops_per_s for devices, _ in drawn]
    assert times.ttft_s == pytest.approx([generation.ttft_s * ratio for ratio in ratios], rel=1e-6)
    assert times.tpot_s == pytest.approx([generation.tpot_s * ratio for ratio in ratios], rel=1e-6)
    assert times.latency_s == pytest.approx([simulation.latency_s * ratio for ratio in ratios], rel=1e-6)
    described = run(scenario, numerics=False).to_json()["ranges"]
    assert described["tpot_range_s"] == list(interval(times.tpot_s))
    one = load(TEXT | {"workload": {"tokens": 16, "new_tokens": 1}})
    assert run(one, numerics=False).to_json()["ranges"]["tpot_range_s"] is None


def test_what_is_too_large_is_not_sampled_and_says_so(load, monkeypatch):
    monkeypatch.setattr(fit_samples, "MOST_PLAIN", 3)
    monkeypatch.setattr(fit_samples, "MOST_COMPILED", 3)
    result = run(load(), numerics=False)
    assert result.to_json()["latency_range_s"] is result.to_json()["ranges"] is None
    assert "too large a plan" in shown(result)


def test_a_range_is_shown_where_there_is_one(load):
    assert "5 % to 95 % of 16 samples" in shown(run(load(), numerics=False))
    assert "range" not in shown(run(load({"devices[0].compute": "3 GFLOP/s"}), numerics=False))


def test_an_interval_is_that_of_the_values_whatever_their_order():
    assert interval([float(k) for k in range(20, 0, -1)]) == pytest.approx((1.5, 19.5))
    assert interval([2.0] * 16) == (2.0, 2.0)


def test_a_wide_interval_is_as_wide_on_both_sides(load):
    scenario = load()
    (number,) = scenario.devices[0].fitted
    assert (number.low, number.high) == (LOW, HIGH)
    drawn = sampled((replace(scenario.devices[0]),), scenario.network, 0, 101)
    values = sorted(devices[0].flops_per_s for devices, _ in drawn)
    assert values[50] == pytest.approx(math.sqrt(LOW * HIGH), rel=1e-12)
    assert [one < LOW for one in values].count(True) == [one > HIGH for one in values].count(True) == 5
