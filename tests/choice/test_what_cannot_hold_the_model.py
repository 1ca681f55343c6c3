"""What cannot hold the model is no alternative: not in a verdict, not in a speed-up, not in a figure."""

from __future__ import annotations

import json

import pandas
import pytest

from prism_sim import ScenarioError, run
from prism_sim.choice.compare import compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.verdict import verdict
from prism_sim.figures.rows import with_references
from prism_sim.simulation.memory import what_would_fit
from prism_sim.why.breakeven import break_even

# GPT-2 XL in float16, 2 bytes a parameter: tables of words and positions, 48 blocks, the last norm; the head is tied.
TABLES, BLOCK, LAST_NORM = (50257 + 1024) * 1600, 12 * 1600**2 + 13 * 1600, 2 * 1600
WEIGHT_BYTES = 2 * (TABLES + 48 * BLOCK + LAST_NORM)

ALONE = """\
name: does it fit?
model: {preset: gpt2-xl, dtype: float16}
workload: {batch: 1, tokens: 64}
devices:
  - {name: small, count: 2, compute: 57 GFLOP/s, memory_bandwidth: 9 GB/s, memory: 3.1 GB, op_overhead: 10 us}
terminal: 0
network: {preset: gigabit-ethernet}
strategy: {name: pipeline}
"""
NOBODY = """\
name: nobody can hold it
model: {preset: gpt2-xl, dtype: float16}
workload: {batch: 1, tokens: 64}
devices:
  - {name: ask, compute: 10 GFLOP/s, memory_bandwidth: 9 GB/s, memory: 2 GB}
  - {name: fast, count: 2, compute: 500 GFLOP/s, memory_bandwidth: 50 GB/s, memory: 2 GB}
terminal: ask
ranks: [fast-0, fast-1]
network: {preset: gigabit-ethernet}
strategy: {name: pipeline}
"""


def test_embedding_and_head_count_on_the_device_that_they_share_with_a_rank(load):
    assert 2 * 48 * BLOCK < 3.1e9 < WEIGHT_BYTES  # the blocks alone would fit
    comparison = compare(load(text=ALONE), numerics=False)
    described = comparison.describe(comparison.alone)
    assert described["peak_memory_bytes"] > WEIGHT_BYTES
    assert not described["fits"]
    with pytest.raises(ScenarioError, match=r"single does not fit small-0: it needs 3\.12 GB"):
        run(load({"strategy.name": "single"}, text=ALONE), numerics=False)


def test_a_run_shows_the_memory_of_a_device_and_that_of_each_participant(load):
    found = run(load(text=ALONE), numerics=False).to_json()
    ranks, devices = found["ranks"], found["devices"]
    terminal_bytes = devices[0]["peak_memory_bytes"] - ranks[0]["peak_memory_bytes"]
    assert terminal_bytes >= 2 * (TABLES + LAST_NORM)  # the terminal, on the first rank's device
    assert devices[1]["peak_memory_bytes"] == ranks[1]["peak_memory_bytes"] > 2 * 24 * BLOCK
    assert [one["memory_bytes"] for one in devices] == [3_100_000_000] * 2


@pytest.mark.parametrize("text", [ALONE, NOBODY])
def test_where_nobody_can_hold_it_splitting_is_what_makes_it_possible(load, text):
    result = run(load(text=text), numerics=False)
    said, found = verdict(result), result.to_json()
    assert said.startswith("Distribute: pipeline over 2 devices takes ")
    assert "No device can hold the model alone: that needs 3.12 GB" in said
    assert "splitting is what makes it possible" in said
    assert "alone takes" not in said
    assert "Shipping" not in said
    assert result.speedup is None
    versus = found["versus_single"]
    assert (versus["fits"], versus["speedup"]) == (False, None)
    assert (versus["fastest_single_latency_s"], versus["fastest_single_device"]) == (None, None)
    assert found["versus_voltage"]["fits"] is False
    assert found["versus_voltage"]["speedup"] is None


def test_a_comparison_in_which_nobody_can_hold_it_names_no_single_device(load):
    comparison = compare(load(text=NOBODY), numerics=False)
    assert comparison.describe(comparison.best_lossless)["speedup"] is None
    lines = comparison_verdict(comparison)
    assert lines[0].startswith("Without loss: distribute.")
    assert lines[0].endswith("where no device could hold the model alone.")
    assert not any("fast-0 alone" in line or "ask alone" in line for line in lines)


def test_a_terminal_that_is_too_small_is_held_against_the_device_that_is_not(load):
    overrides = {"devices[1].memory": "16 GB", "network.latency": "10 ms"}  # once more for a pipeline of two
    result = run(load(overrides, text=NOBODY), numerics=False)
    assert result.fastest_single is not None
    assert result.to_json()["versus_single"]["fastest_single_device"] == "fast-0"
    said = verdict(result)
    assert said.startswith("Do not distribute: pipeline over 2 devices takes ")  # a message more, and no less work
    assert "shipping all of it to fast-0 takes" in said
    assert "ask cannot hold the model alone: it needs 3.12 GB for weights and activations, but has 2.00 GB" in said


def test_the_own_strategy_that_does_not_fit_is_refused_though_others_do(load):
    with pytest.raises(ScenarioError, match=r"strategy\.name galaxy or pipeline or"):
        run(load({"strategy.name": "voltage"}, text=NOBODY), numerics=False)


def test_a_figure_draws_no_single_device_that_cannot_hold_the_model():
    table = pandas.DataFrame(
        {
            "strategy": ["prism"] * 3,
            "workload.batch": [1, 2, 4],
            "latency_s": [1.0, 2.0, 4.0],
            "versus_single_latency_s": [2.0, 4.0, 8.0],
            "versus_single_fits": [True, True, False],
        }
    )
    drawn = with_references(table)
    assert list(drawn[drawn["strategy"] == "single"]["workload.batch"]) == [1, 2]
    written = pandas.DataFrame(json.loads(table.astype(str).to_json(orient="records")))  # as a file may give it
    assert len(with_references(written)) == 5


def test_where_only_one_of_two_strategies_fits_it_is_the_one_that_wins(load):
    """In float32 a block of GPT-2 XL takes 4 * BLOCK bytes and cannot be held twice over; in between one device can."""
    scenario = load({"model.dtype": "float32", "devices[0].count": 2}, text=ALONE)
    single_bytes = 4 * (TABLES + 48 * BLOCK + LAST_NORM)
    found = break_even(scenario, "devices[0].memory", "single", "4 GB", "8 GB", n_points=9)
    (crossing,) = found.crossings
    assert crossing.kind == "fits"
    assert found.winner(crossing.low) == "pipeline"
    assert found.winner(crossing.high) == "single"  # a message less
    assert crossing.high.amount == pytest.approx(single_bytes, rel=0.01)  # and its activations
    assert crossing.high.amount > single_bytes
    described = found.to_json()
    assert described["points"][0]["against_latency_s"] is None
    assert described["crossings"][0]["winner_below"] == "pipeline"


def test_what_would_fit_tries_two_changes_where_one_is_not_enough(load):
    """With 18 bytes for 32 weights a half is 0.41 GB, and the tables, beside the first of them, 0.09 GB."""
    tight = load({"devices[0].memory": "480 MB", "model.dtype": "float32"}, text=ALONE)
    half, tables = 24 * BLOCK * 18 / 32, TABLES * 34 / 32
    assert half + tables > 480e6 > half + tables / 2
    found = what_would_fit(tight)
    assert found
    assert all(" with " in one for one in found)
    assert any(one.startswith("strategy.shares proportional with model.weight_dtype q4_0") for one in found)
    fitting = {"strategy.shares": "proportional", "model.weight_dtype": "q4_0"}
    assert run(tight.with_overrides(fitting), numerics=False).simulation.fits


def test_one_change_is_enough_where_its_tables_shrink_too(load):
    """A byte a weight is 0.74 GB a half; the tables stay 0.33 GB in float32 with int8, but not in groups."""
    tight = load({"devices[0].memory": "1 GB", "model.dtype": "float32"}, text=ALONE)
    assert 4 * TABLES + 24 * BLOCK > 1e9 > (TABLES + 24 * BLOCK) * 34 / 32
    (offered,) = [one for one in what_would_fit(tight) if one.startswith("model.weight_dtype")]
    assert "q8_0" in offered
    assert "int8" not in offered
    fitting = {"model.dtype": "float16", "model.weight_dtype": "int8"}
    assert run(tight.with_overrides(fitting), numerics=False).simulation.fits


def test_what_would_fit_leaves_out_the_devices_that_are_too_small(load):
    overrides = {"devices[1].memory": "8 GB", "ranks": ["ask", "fast-0", "fast-1"], "strategy.name": "voltage"}
    small_terminal = load(overrides, text=NOBODY)
    found = what_would_fit(small_terminal)
    assert "ranks without ask" in found
    assert run(small_terminal.with_overrides({"ranks": ["fast-0", "fast-1"]}), numerics=False).simulation.fits
