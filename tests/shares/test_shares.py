"""Laws of shares: words become numbers, the optimal split is the best there is, and it never loses to the others."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations, combinations_with_replacement, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from told_progress import Told

from prism_sim import ScenarioError, run, strategies, timing
from prism_sim.partition import even_split, shared_split
from prism_sim.reports.run import show
from prism_sim.scenario import json_schema, load_scenario
from prism_sim.shares import search as share_search
from prism_sim.shares.choice import alone_s, optimal_shares, proportional_shares, resolve_shares
from prism_sim.shares.stages import Stages, best_stages, stages_of
from prism_sim.simulation.simulate import job_of, simulate

SPREAD = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]
WORDS = ("equal", "proportional", "optimal", "auto")

MIXED = """\
model:
  dims: {model_type: bert, hidden_size: 48, num_hidden_layers: 5, num_attention_heads: 6, intermediate_size: 150,
    vocab_size: 300, max_position_embeddings: 256, type_vocab_size: 2}
workload: {batch: 4, tokens: 40}
devices:
  - {name: slow, compute: 1 GFLOP/s, memory_bandwidth: 2 GB/s, op_overhead: 20 us}
  - {name: fast, compute: 7 GFLOP/s, memory_bandwidth: 5 GB/s, op_overhead: 50 us}
  - {name: middle, compute: 3 GFLOP/s, memory_bandwidth: 9 GB/s}
ranks: [0, 1]
network: {bandwidth: 100 Mbit/s, latency: 0.2 ms}
strategy: {name: prism, segments: 3, shares: optimal}
"""
PAIR = (("a", "1 GFLOP/s"), ("b", "2 GFLOP/s"))
HARDWARE = {
    "as it is": {},
    "slow network": {"network.bandwidth": "1 Mbit/s"},
    "fast network": {"network.bandwidth": "10 Gbit/s", "network.latency": "0 s"},
    "fast terminal": {"terminal": 1},
    "in place": {"placement": {"input": "replicated", "output": "in_place"}},
    "micro-batches on one shared radio": {"strategy.micro_batches": 4, "network.medium": "shared"},
}


def open_setting(scenario, name=None):
    """The scenario's job before its shares are numbers."""
    name = name or scenario.strategy.name
    simulation = simulate(scenario, name)
    return replace(simulation.setting, job=job_of(scenario, name, simulation.job.n_ranks))


def all_splits(n_items, n_parts, least=1):
    cuts = range(least, n_items + 1 - least)
    for between in (combinations if least else combinations_with_replacement)(cuts, n_parts - 1):
        yield tuple(stop - start for start, stop in pairwise((0, *between, n_items)))


def splits_of(setting):
    """Every split of a setting's finest items that its strategy takes."""
    return all_splits(max(setting.items.values()), setting.job.n_ranks, setting.least)


def latency_s(setting, sizes):
    return setting.split(sizes).played().timeline.latency_s


def latencies(load, name, overrides):
    return {
        word: simulate(load({**overrides, "strategy.name": name, "strategy.shares": word}, MIXED)).latency_s
        for word in WORDS
    }


# --- words


def test_equal_is_what_no_shares_are(load):
    said, silent = load(["strategy.shares=equal"]), load()
    assert said.strategy == silent.strategy
    assert said.hash == silent.hash


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("word", WORDS)
def test_a_job_only_ever_has_numbers(load, name, word):
    simulation = simulate(load({"strategy.name": name, "strategy.shares": word}, MIXED))
    shares = simulation.job.options.shares
    assert shares is None or (sum(shares) == pytest.approx(1) and min(shares) >= 0)
    assert shares is None or min(shares) > 0 or name == "replicas"  # of a batch a rank may take nothing
    assert (shares is None) or word != "equal"


def test_numbers_stay_as_they_are(load):
    scenario = load(["strategy.shares=[0.25, 0.75]"])
    assert simulate(scenario).job.options == scenario.strategy.options


def test_over_one_rank_there_is_nothing_to_share(load):
    for word in WORDS:
        found = run(load(["ranks=[1]", f"strategy.shares={word}"], MIXED), numerics=False)
        assert found.simulation.job.options.shares is None
        assert found.to_json()["shares"] is None


def test_single_reports_shares_as_not_used(load):
    scenario = load(["strategy.name=single", "strategy.shares=optimal"])
    assert scenario.written.unused_fields == ("strategy.segments", "strategy.shares")
    assert run(scenario, numerics=False).to_json()["shares"] is None


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("optimall", ["strategy.shares: 'optimall' is not one of equal", "did you mean 'optimal'?"]),
        ("even", ["'even' is not one of equal, proportional, optimal"]),
        ("0.5", ["0.5 is not a list"]),
        ("[0.5, x]", ["strategy.shares[1]: 'x' is not a number"]),
        ("[0.5, 0.6]", ["sums to 1.1"]),
        ("[0.2, 0.3, 0.5]", ["3 shares are given for 2 rank(s)"]),
    ],
)
def test_what_is_neither_a_word_nor_numbers_is_refused_at_its_place(load, value, parts):
    with pytest.raises(ScenarioError) as refused:
        load([f"strategy.shares={value}"])
    assert str(refused.value).startswith(f"--set strategy.shares={value}")
    assert all(part in str(refused.value) for part in parts)


def test_the_json_schema_takes_the_words_and_lists_of_numbers():
    rules = json_schema()["$defs"]["StrategySection"]["properties"]["shares"]["anyOf"]
    assert {"enum": list(WORDS), "type": "string"} in rules
    assert {"items": {"type": "number"}, "minItems": 1, "type": "array"} in rules
    assert len(rules) == 2


def test_too_many_ranks_are_refused_before_any_search(load, monkeypatch):
    monkeypatch.setattr(share_search._Search, "run", lambda *given: pytest.fail("a search began"))
    with pytest.raises(ScenarioError, match="3 ranks need at least 3 attention heads"):
        simulate(load({"strategy": {"name": "galaxy", "shares": "optimal"}, "devices[0].count": 3}))


def test_a_word_that_is_none_is_refused_by_the_study_too(load):
    setting = open_setting(load())
    odd = replace(setting, job=replace(setting.job, options=replace(setting.job.options, shares="best")))
    with pytest.raises(ValueError, match="'best' are neither numbers nor one of equal"):
        resolve_shares(odd)


@pytest.mark.parametrize("least", [1, 0])
@given(st.data())
def test_the_shares_of_sizes_come_to_these_sizes(least, data):
    n_parts = data.draw(st.integers(1, 8))
    some = st.lists(st.integers(least, 4000), min_size=n_parts, max_size=n_parts)
    sizes = data.draw(some.filter(any))
    assert shared_split(sum(sizes), [size / sum(sizes) for size in sizes], least) == tuple(sizes)


def test_a_rank_that_only_delays_the_batch_is_left_without_any_of_it(load):
    """Over so slow a network a sample's rows take longer to send than the terminal's own device takes for all four."""
    change = {"strategy": {"name": "replicas", "shares": "optimal"}, "terminal": 1, "network.bandwidth": "100 kbit/s"}
    simulation = simulate(load(change, MIXED))
    assert simulation.job.options.shares == (0, 1)
    assert simulation.latency_s == simulate(load({**change, "ranks": [1]}, MIXED), "single").latency_s


# --- proportional


def test_twice_the_speed_is_twice_the_share(load):
    fast = {"devices": [{"name": name, "compute": rate, "memory_bandwidth": "1000000 GB/s"} for name, rate in PAIR]}
    shares = proportional_shares(open_setting(load(fast)))
    assert shares == pytest.approx((1 / 3, 2 / 3), rel=1e-6)
    assert simulate(load({**fast, "strategy.shares": "proportional"})).job.options.shares == shares


def test_proportional_shares_are_inverse_to_the_time_alone(load):
    setting = open_setting(load({"ranks": [0, 1, 2]}, MIXED))
    shares = proportional_shares(setting)
    assert sum(shares) == pytest.approx(1, rel=1e-12)
    products = [share * alone_s(setting.job, board) for share, board in zip(shares, setting.devices, strict=True)]
    assert products == pytest.approx([products[0]] * 3, rel=1e-12)


def test_equal_devices_have_proportional_shares_that_are_even(load):
    equal, proportional = (simulate(load([f"strategy.shares={word}"])) for word in ("equal", "proportional"))
    assert proportional.plan == equal.plan


# --- optimal


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("ranks", [[1, 0], [2, 0, 1]], ids=str)
@pytest.mark.parametrize("hardware", ["as it is", "slow network", "fast network"])
def test_the_optimal_split_is_never_slower_than_the_others(load, name, ranks, hardware):
    found = latencies(load, name, {"ranks": ranks, **HARDWARE[hardware]})
    assert found["optimal"] <= min(found.values()) * (1 + 1e-11)


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("hardware", HARDWARE)
def test_over_two_ranks_no_other_split_is_faster(load, name, hardware):
    """Of 149 splits of tokens or columns, of which the search plays some, 4 of blocks, or 5 of samples."""
    few = {} if name == "pipeline" else {"model.dims.num_hidden_layers": 2}
    scenario = load({**HARDWARE[hardware], **few, "strategy.name": name, "workload.tokens": 150}, MIXED)
    setting = open_setting(scenario)
    best = min(latency_s(setting, sizes) for sizes in splits_of(setting))
    assert simulate(scenario).latency_s == pytest.approx(best, rel=1e-11)


@pytest.mark.parametrize("name", ["prism", "voltage", "pipeline", "replicas"])
@pytest.mark.parametrize("hardware", HARDWARE)
def test_over_three_ranks_with_few_items_no_other_split_is_faster(load, name, hardware):
    change = {**HARDWARE[hardware], "strategy.name": name, "ranks": [0, 1, 2], "workload.tokens": 17}
    scenario = load(change, MIXED)
    setting = open_setting(scenario)
    best = min(latency_s(setting, sizes) for sizes in splits_of(setting))
    assert simulate(scenario).latency_s == pytest.approx(best, rel=1e-11)


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("n_ranks", [2, 3, 4])
def test_equal_devices_on_an_even_network_share_evenly(load, name, n_ranks):
    """Where what is split can be split evenly; else uneven columns can make up for uneven heads."""
    change = {
        "model.dims.hidden_size": 48,
        "model.dims.num_attention_heads": 12,
        "model.dims.intermediate_size": 36,
        "model.dims.num_hidden_layers": 12 if name == "pipeline" else 2,
        "workload.tokens": 24,
        "devices[0].count": n_ranks,
        "strategy.name": name,
    }
    equal, optimal = (simulate(load({**change, "strategy.shares": word})) for word in ("equal", "optimal"))
    assert optimal.latency_s == pytest.approx(equal.latency_s, rel=1e-4)
    if name != "pipeline":  # whose stages follow one another: it does not matter who has how many blocks
        assert optimal.plan == equal.plan


def test_two_equally_slow_ranks_both_give_to_two_fast_ones(load):
    """Neither alone makes the whole faster."""
    slow, fast = (
        {"name": name, "compute": rate, "memory_bandwidth": "1000000 GB/s", "count": 2}
        for name, rate in (("slow", "1 GFLOP/s"), ("fast", "5 GFLOP/s"))
    )
    change = {"devices": [slow, fast], "workload.tokens": 60, "strategy": {"name": "voltage", "shares": "optimal"}}
    change |= {"network": {"bandwidth": "100 Gbit/s"}}
    simulation = simulate(load(change))
    sizes = shared_split(60, simulation.job.options.shares)
    assert simulation.latency_s < 0.6 * simulate(load({**change, "strategy.shares": "equal"})).latency_s
    assert max(sizes[:2]) < min(sizes[2:])


def test_on_a_slow_network_prism_leaves_single_tokens_to_all_but_one(load):
    """Whose one row is less to send than their means: far from any even split, and no single step leads there."""
    change = {"network.bandwidth": "10 kbit/s", "ranks": [0, 1, 2], "workload.tokens": 60}
    simulation = simulate(load(change, MIXED))
    assert sorted(shared_split(60, simulation.job.options.shares)) == [1, 1, 58]


def test_a_split_that_fits_wins_over_a_faster_one_that_does_not(load):
    """Of the pipeline: the fast device would take all blocks but one, if it could hold them."""
    change = {"strategy.name": "pipeline", "strategy.shares": "optimal"}
    greedy = simulate(load(change, MIXED))
    assert len(set(greedy.plan.weight_bytes[:2])) == 2
    held = greedy.plan.weight_bytes[1] + greedy.plan.activation_bytes[1]
    small = simulate(load({**change, "devices[1].memory": f"{held // 2} B"}, MIXED))
    assert small.plan.weight_bytes[1] + small.plan.activation_bytes[1] <= held // 2
    assert small.latency_s > greedy.latency_s


@pytest.mark.parametrize("name", SPREAD)
def test_a_search_finds_the_same_again(load, name):
    change = {"strategy.name": name, "ranks": [0, 1, 2], "model.dims.num_hidden_layers": 3}
    first, second = (optimal_shares.__wrapped__(open_setting(load(change, MIXED))) for _ in range(2))
    assert first == second


def test_the_number_of_simulations_is_bounded(load, monkeypatch):
    monkeypatch.setattr(share_search, "MOST_SIMULATIONS", 90)
    played = []
    simulated = timing.play_once
    monkeypatch.setattr(timing, "play_once", lambda *given: played.append(given) or simulated(*given))
    setting = open_setting(load({"ranks": [0, 1, 2], "workload.tokens": 131}, MIXED))
    optimal_shares.__wrapped__(setting)
    assert 3 < len(played) <= 90


def test_what_was_played_in_choosing_is_not_played_again(load, monkeypatch):
    played, simulated = [], timing.play_once
    monkeypatch.setattr(timing, "play_once", lambda *given: played.append(given[0]) or simulated(*given))
    found = simulate(load({"ranks": [0, 1, 2], "workload.tokens": 131, "strategy.shares": "auto"}, MIXED))
    assert len(played) > 1
    assert played.count(found.plan) == 1


def test_a_long_search_is_announced_once(load, monkeypatch):
    monkeypatch.setattr(share_search, "ANNOUNCED_AFTER_S", -1.0)
    told = Told()
    run(load({"workload.tokens": 37}, MIXED), numerics=False, progress=told)
    assert told.lines == ["searching the best shares of prism over 2 ranks"]


# --- stages of a pipeline

SECONDS = st.integers(1, 50).map(float)  # sums of whole numbers are exact


@st.composite
def some_stages(draw):
    n_ranks = draw(st.integers(1, 4))
    n_blocks = draw(st.integers(n_ranks, 8))
    per_rank = st.lists(SECONDS, min_size=n_ranks, max_size=n_ranks)
    alike = draw(st.booleans())
    of_blocks = st.lists(SECONDS, min_size=n_blocks, max_size=n_blocks).map(tuple)
    rows = [(draw(SECONDS),) * n_blocks if alike else draw(of_blocks) for _ in range(n_ranks)]
    most = draw(st.lists(st.integers(0, n_blocks), min_size=n_ranks, max_size=n_ranks))
    return Stages(tuple(rows), tuple(draw(per_rank)), tuple(most))


@given(some_stages(), st.integers(1, 6))
def test_the_best_stages_are_the_best_of_all(stages, n_passes):
    n_blocks, n_ranks = len(stages.block_s[0]), len(stages.block_s)
    allowed = [
        sizes
        for sizes in all_splits(n_blocks, n_ranks)
        if all(size <= most for size, most in zip(sizes, stages.most_blocks, strict=True))
    ]
    found = best_stages(stages, n_passes)
    if not allowed:
        assert found is None
        return
    assert found in allowed
    assert stages.latency_s(found, n_passes) == min(stages.latency_s(sizes, n_passes) for sizes in allowed)


@given(some_stages())
def test_of_very_many_micro_batches_only_the_slowest_stage_counts(stages):
    n_blocks, n_ranks = len(stages.block_s[0]), len(stages.block_s)
    free = replace(stages, most_blocks=(n_blocks,) * n_ranks)
    slowest_s = min(max(free.stage_s(sizes)) for sizes in all_splits(n_blocks, n_ranks))
    assert max(free.stage_s(best_stages(free, 10**6))) == slowest_s


@pytest.mark.parametrize("hardware", ["as it is", "slow network", "fast network"])
def test_one_pass_through_the_modelled_stages_takes_what_is_simulated(load, hardware):
    """But for embedding and head, and the way from and to the terminal, the same for every split."""
    scenario = load({**HARDWARE[hardware], "strategy.name": "pipeline", "strategy.shares": "equal"}, MIXED)
    setting = open_setting(scenario)
    stages = stages_of(setting)
    rest_s = [latency_s(setting, sizes) - stages.latency_s(sizes, 1) for sizes in all_splits(5, 2)]
    assert rest_s == pytest.approx([rest_s[0]] * len(rest_s), rel=1e-9)


# --- what is reported


@pytest.mark.parametrize("name", SPREAD)
def test_a_run_says_who_has_how_much_and_what_an_even_split_takes(load, name):
    found = run(load({"strategy.name": name}, MIXED), numerics=False)
    shares = found.to_json()["shares"]
    assert shares["kind"] == "optimal"
    totals = {"tokens": 40, "heads": 6, "columns": 150, "blocks": 5, "samples": 4}
    assert {items: sum(sizes) for items, sizes in shares["sizes"].items()} == {
        items: totals[items] for items in shares["sizes"]
    }
    even = run(load({"strategy.name": name, "strategy.shares": "equal"}, MIXED), numerics=False)
    assert shares["even_latency_s"] == even.latency_s
    assert even.to_json()["shares"] == {
        "kind": "equal",
        "sizes": {items: list(even_split(totals[items], 2)) for items in shares["sizes"]},
        "even_latency_s": even.latency_s,
    }
    assert found.shares.gain == even.latency_s / found.latency_s
    assert shown(found).count("as an even split") == 1
    assert "even split" not in shown(even)


def test_numbers_of_the_user_are_held_against_an_even_split_too(load):
    found = run(load(["strategy.shares=[0.75, 0.25]"], MIXED), numerics=False)
    assert found.shares.kind == "given"
    assert found.shares.sizes == {"tokens": (30, 10)}
    assert found.shares.gain < 1
    assert f"shares 30/10 tokens: {found.shares.gain:.2f} times as fast as an even split" in shown(found)


def test_many_ranks_are_not_all_listed(load):
    change = {"devices[0].count": 12, "strategy": {"name": "prism", "shares": "proportional"}}
    assert str(run(load(change), numerics=False).shares).startswith("proportional shares 1/1/1/1/1/1/1/.../1 tokens:")


def test_the_outputs_of_an_optimal_split_are_the_model_s_own(load):
    fast = {"devices": [{"name": name, "compute": rate, "memory_bandwidth": "1000000 GB/s"} for name, rate in PAIR]}
    fast |= {"strategy": {"name": "voltage", "shares": "optimal"}, "network.bandwidth": "10 Gbit/s"}
    found = run(load(fast))
    assert found.simulation.job.options.shares is not None
    assert found.fidelity.plan_confirmed
    assert found.fidelity.max_abs_error < 1e-5


def test_infer_refuses_a_word():
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel

    from prism_sim import infer

    config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, vocab_size=30)
    ids = {"input_ids": torch.arange(8)[None]}
    with pytest.raises(ValueError, match="shares 'optimal' are no numbers"):
        infer(BertModel(config), ids, shares="optimal")


def test_the_ready_scenario_with_unequal_devices_gains_by_every_step(load):
    file = Path(__file__).parents[2] / "scenarios" / "gpt2-pi5-and-orin.yaml"
    equal, proportional, optimal, chosen = (
        run(load_scenario(file, {"strategy.shares": word}), numerics=False).latency_s for word in WORDS
    )
    assert optimal <= chosen <= proportional < equal


def shown(result) -> str:
    text = io.StringIO()
    show(result, Console(file=text, width=120))
    return text.getvalue()
