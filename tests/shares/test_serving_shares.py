"""Shares that serve a strategy: chosen where the scenario is silent, within memory, and never worse than even ones."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_sim import ScenarioError, run
from prism_sim.choice.auto import resolved
from prism_sim.choice.compare import compare
from prism_sim.choice.verdict import verdict
from prism_sim.shares.search import balanced_shares
from prism_sim.simulation.simulate import simulate

# Memory and launches cost nothing, so a device's time is its FLOPs over its rate.
UNEQUAL = """\
name: unequal machines
model:
  dims: {model_type: bert, hidden_size: 60, num_hidden_layers: 4, num_attention_heads: 5, intermediate_size: 240,
    vocab_size: 300, max_position_embeddings: 512, type_vocab_size: 2}
workload: {batch: 4, tokens: 500}
devices:
  - {name: fast, compute: 100 MFLOP/s, memory_bandwidth: 1000 TB/s}
  - {name: slow, compute: 25 MFLOP/s, memory_bandwidth: 1000 TB/s}
network: {medium: switch, bandwidth: 100 Gbit/s, latency: 0 s}
placement: {input: replicated, output: in_place}
strategy: {name: tensor_parallel}
"""
SHORT = """\
name: shares would fit
model: {preset: gpt2-xl}
workload: {batch: 1, tokens: 64}
devices:
  - {name: big, compute: 50 GFLOP/s, memory_bandwidth: 9 GB/s, memory: 6 GB}
  - {name: small, compute: 50 GFLOP/s, memory_bandwidth: 9 GB/s, memory: 2 GB}
terminal: big
network: {preset: gigabit-ethernet}
strategy: {name: pipeline}
"""
GPT2_XL_BLOCK_BYTES = 4 * (12 * 1600**2 + 13 * 1600)


def test_heads_that_follow_speed_make_unequal_machines_worth_it(load):
    """Four heads of five on a device four times as fast: both are busy for 4/5 of the time of the fast one alone."""
    comparison = compare(load(text=UNEQUAL), numerics=False)
    best = next(one for one in comparison.candidates if one.strategy == "tensor_parallel")
    assert best.simulation.shares.sizes["heads"] == (4, 1)
    assert comparison.single.latency_s / best.latency_s == pytest.approx(125 / 100, rel=1e-4)
    assert comparison.describe(best)["shares"]["sizes"]["columns"] == [192, 48]


def test_a_silent_run_is_split_evenly_and_says_that_other_shares_would_pay(load):
    result = run(load(text=UNEQUAL), numerics=False)
    assert result.shares.kind == "equal"
    said = verdict(result)
    assert said.startswith("Distribute, but not evenly: tensor_parallel with 4/1 heads over 2 devices takes ")
    assert "(1.25 times as fast)" in said
    assert "strategy.shares: auto" in said
    advised = result.to_json()["better_shares"]
    taken = run(load({"strategy.shares": "auto"}, text=UNEQUAL), numerics=False)
    assert advised["latency_s"] == taken.latency_s
    assert advised["sizes"] == taken.to_json()["shares"]["sizes"]
    assert verdict(taken).startswith("Distribute: tensor_parallel over 2 devices takes ")


def test_stated_shares_are_obeyed(load):
    stated = load({"strategy.shares": [0.6, 0.4]}, text=UNEQUAL)
    comparison = compare(stated, numerics=False)
    assert {one.simulation.shares.kind for one in comparison.candidates if one.simulation.shares} == {"given"}
    assert run(stated, numerics=False).served is None
    even = compare(load({"strategy.shares": "equal"}, text=UNEQUAL), numerics=False)
    assert {one.simulation.shares.kind for one in even.candidates if one.simulation.shares} == {"equal"}


def test_voltage_s_best_split_of_unequal_machines_by_hand(load):
    """Every rank projects keys and values of all rows: a device's time is (a + b x) / rate at its share x of the rows.

    A block of N rows of width D: 4 N D^2 for keys and values of all; 4 N D^2 for queries and output, 16 N D^2 for the
    feed-forward at four times the width, and 4 N^2 D for attention follow the share. Equal times give x.
    """
    n, d = 500, 60
    whole, shared = 4 * n * d**2, 20 * n * d**2 + 4 * n**2 * d
    x = ((100 - 25) * whole + 100 * shared) / (shared * (100 + 25))  # (a + b x) / 100 = (a + b (1 - x)) / 25
    comparison = compare(load(text=UNEQUAL), numerics=False)
    best = next(one for one in comparison.candidates if one.strategy == "voltage")
    assert best.simulation.shares.kind == "balanced"
    assert best.simulation.shares.sizes["tokens"][0] == pytest.approx(n * x, abs=1.5)
    ratio = (whole + shared) / (whole + shared * x)
    assert comparison.single.latency_s / best.latency_s == pytest.approx(ratio, rel=5e-3)


def test_parts_that_follow_memory_fit_where_equal_ones_do_not(load):
    assert 24 * GPT2_XL_BLOCK_BYTES > 2e9 > 16 * GPT2_XL_BLOCK_BYTES
    with pytest.raises(ScenarioError, match=r"what would fit: strategy\.shares \[0\.\d+, 0\.\d+\] \(3\d/1\d blocks\)"):
        run(load(text=SHORT), numerics=False)
    for word in ("proportional", "optimal", "auto"):
        result = run(load({"strategy.shares": word}, text=SHORT), numerics=False)
        assert result.simulation.fits
        assert result.shares.sizes["blocks"][1] <= 16
    comparison = compare(load(text=SHORT), numerics=False)
    assert {one.strategy for one in comparison.candidates if one.fits} >= {"pipeline", "tensor_parallel", "galaxy"}
    assert simulate(resolved(load({"strategy.name": "auto"}, text=SHORT))).fits


def test_proportional_shares_give_way_to_memory_and_others_take_the_rest(load):
    """Three times as fast, but with room for 12 blocks of 48 beside the activations: 12, and 36 on the slower one."""
    overrides = {
        "devices[0].compute": "10 GFLOP/s",
        "devices[1].compute": "30 GFLOP/s",
        "devices[1].memory": f"{12.5 * GPT2_XL_BLOCK_BYTES:.0f} B",
        "strategy.shares": "proportional",
    }
    result = run(load(overrides, text=SHORT), numerics=False)
    assert result.shares.kind == "within memory"
    assert result.shares.sizes["blocks"] == (36, 12)
    roomy = run(load(overrides | {"devices[1].memory": "64 GB"}, text=SHORT), numerics=False)
    assert roomy.shares.kind == "proportional"
    assert roomy.shares.sizes["blocks"][1] > 24


@given(
    starts=st.lists(st.floats(0, 10), min_size=2, max_size=5),
    items=st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
)
@settings(max_examples=50, deadline=None)
def test_balanced_shares_keep_all_busy_equally_long_who_have_more_than_nothing(starts, items):
    n_ranks, n_items = len(starts), 1000
    lines = list(zip(starts, items, strict=False))

    def played(sizes):
        busy_s = tuple(a + b * size for (a, b), size in zip(lines, sizes, strict=True))
        return SimpleNamespace(sizes=tuple(sizes), busy_s=busy_s)

    even = [n_items // n_ranks] * n_ranks
    even[0] += n_items - sum(even)
    other = [size // 2 for size in even]
    other[-1] += n_items - sum(other)
    shares = balanced_shares(played(even), played(other))
    assert sum(shares) == pytest.approx(1)
    busy = [a + b * n_items * share for (a, b), share in zip(lines, shares, strict=True)]
    working = [seconds for seconds, share in zip(busy, shares, strict=True) if share > 1e-9]
    assert max(working) == pytest.approx(min(working), rel=1e-6)
    idle = [seconds for seconds, share in zip(busy, shares, strict=True) if share <= 1e-9]
    assert all(seconds >= max(working) * (1 - 1e-6) for seconds in idle)
