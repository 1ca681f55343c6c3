"""Only a strategy that splits the tokens needs one for each rank."""

from __future__ import annotations

import pytest

from prism_sim import ScenarioError, infer, strategies, sweep
from prism_sim.choice.compare import compare
from prism_sim.simulation.simulate import simulate
from prism_sim.why.varied import varied

SPREAD = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]
SPLITTING = ["galaxy", "prism", "voltage"]
WHOLE = ["pipeline", "replicas", "tensor_parallel"]
ONE = {"workload.tokens": 1}


def of(name):
    return {"strategy": {"name": name}}


def test_every_strategy_is_one_or_the_other():
    assert sorted(SPLITTING + WHOLE) == sorted(SPREAD)


@pytest.mark.parametrize("name", WHOLE)
def test_one_token_is_enough_where_tokens_are_not_split(load, name):
    found = simulate(load({**of(name), **ONE}))
    assert found.job.n_tokens == 1
    assert sum(found.block_flops(rank) for rank in range(2)) == simulate(load(ONE | of("single"))).block_flops(0)


@pytest.mark.parametrize("name", SPLITTING)
def test_where_they_are_each_rank_needs_one(load, name):
    with pytest.raises(ScenarioError, match="2 ranks cannot share 1 tokens: each needs at least one") as refused:
        load({**of(name), **ONE})
    assert all(other in str(refused.value) for other in WHOLE)
    assert simulate(load({**of(name), "workload.tokens": 2})).job.n_tokens == 2


def test_auto_takes_what_can_be_done(load):
    from prism_sim.choice.auto import resolved

    assert resolved(load({**of("auto"), **ONE})).strategy.name in (*WHOLE, "single")


def test_a_comparison_says_of_each_strategy_why_it_is_impossible(load):
    found = compare(load({**of("pipeline"), **ONE}), numerics=False)
    reasons = {one.strategy: one.reason for one in found.candidates}
    assert {name for name, reason in reasons.items() if reason is not None} == set(SPLITTING)
    assert all("2 ranks cannot share 1 tokens: each needs at least one" in reasons[name] for name in SPLITTING)


def test_the_points_of_a_sweep_are_judged_one_by_one(load):
    scenario = load({**of("pipeline"), **ONE, "sweep": {"strategy.name": ["pipeline", "voltage"]}})
    table = sweep(scenario, jobs=1, numerics=False)
    reasons = dict(zip(table["strategy.name"], table["reason"], strict=True))
    assert "cannot share 1 tokens" in reasons["voltage"]
    assert reasons["pipeline"] != reasons["pipeline"] or not reasons["pipeline"]  # NaN or empty


@pytest.mark.parametrize("name", SPREAD)
def test_a_range_of_tokens_begins_where_the_strategy_can(load, name):
    assert varied(load(of(name)), "workload.tokens").low == (2 if name in SPLITTING else 1)


@pytest.mark.parametrize("name", SPLITTING)
def test_the_refusal_without_a_scenario_is_the_same(name):
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20}
    model = BertModel(BertConfig(**sizes, vocab_size=9)).eval()
    with pytest.raises(ValueError, match="2 ranks cannot share 1 tokens: each needs at least one"):
        infer(model, {"input_ids": torch.tensor([[3]])}, 2, name)
