"""A task answered through the distributed computation: laws that hold whatever the model has learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_tasks import CONFIGS, examples, model, nll, task

from prism_sim import strategies
from prism_sim.evaluation import Evaluation, Spread, evaluate, fitting
from prism_sim.strategies import prism

FAMILIES = tuple(CONFIGS)
RANKS = 3


def spread(strategy: str = "prism", n_ranks: int = RANKS, **options: object) -> Spread:
    kind = strategies.find(strategy)
    return Spread(strategy, kind.options(**options), 1 if kind.one_rank else n_ranks)


def lossy(n_ranks: int = RANKS) -> Spread:
    return spread(n_ranks=n_ranks, segments=1)


def evaluated(family: str, how: Spread | None = None, **more: object) -> Evaluation:
    return evaluate(model(family), task(family), examples(family), how, **more)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "strategy", [name for name, one in strategies.catalogue().items() if one.lossless(one.options())]
)
def test_a_lossless_strategy_answers_as_the_undistributed_model(family, strategy):
    n_ranks = 2  # no more than the toys have blocks
    alone, through = evaluated(family), evaluated(family, spread(strategy, n_ranks))
    assert set(alone.outcomes) == set(through.outcomes)
    for name in set(alone.outcomes) - {"nll"}:
        np.testing.assert_array_equal(through.outcomes[name], alone.outcomes[name])
    np.testing.assert_allclose(nll(through.outcomes), nll(alone.outcomes), rtol=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_identity_compressor_loses_nothing_also_in_unequal_parts(family):
    alone = evaluated(family)
    through = evaluated(family, spread(compressor="identity", shares=(0.5, 0.2, 0.3)))
    np.testing.assert_allclose(nll(through.outcomes), nll(alone.outcomes), rtol=1e-10)
    assert evaluated(family, lossy()).values != alone.values or family != "gpt2"
    assert not np.allclose(nll(evaluated(family, lossy()).outcomes), nll(alone.outcomes), rtol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_rank_loses_nothing(family):
    np.testing.assert_allclose(
        nll(evaluated(family, lossy(n_ranks=1)).outcomes), nll(evaluated(family).outcomes), rtol=1e-10
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", [None, lossy()], ids=["undistributed", "lossy"])
def test_examples_are_answered_alike_in_whatever_batch_they_are(family, how):
    one_by_one = evaluated(family, how, batch=1)
    assert one_by_one.n == 13
    for batch in (5, 13, 64):  # 13 = 5 + 5 + 3
        together = evaluated(family, how, batch=batch)
        np.testing.assert_allclose(nll(together.outcomes), nll(one_by_one.outcomes), rtol=1e-10)


@pytest.mark.parametrize("how", [None, lossy()], ids=["undistributed", "lossy"])
def test_the_number_of_workers_changes_no_bit(how):
    alone, several = (
        evaluate(model("bert", "float32"), task("bert", 64), examples("bert", 64), how, batch=4, workers=workers)
        for workers in (1, 4)
    )
    for name, values in alone.outcomes.items():
        np.testing.assert_array_equal(several.outcomes[name], values)


def test_the_model_stays_as_it_was_and_torchs_threads_too():
    network = model("bert").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    threads = torch.get_num_threads()
    evaluate(network, task("bert"), examples("bert"), lossy())
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.get_num_threads() == threads
    assert not any(parameter.grad is not None for parameter in network.parameters())


def test_the_watcher_is_told_of_every_batch():
    told: list[tuple[int, int]] = []
    evaluated("vit", batch=5, watch=lambda done, n: told.append((done, n)))
    assert told == [(5, 13), (10, 13), (13, 13)]


def test_the_values_are_the_metrics_of_the_outcomes():
    found = evaluated("vit")
    right = np.mean(found.outcomes["prediction"] == found.outcomes["target"])
    assert found.values == {"accuracy": pytest.approx(right)}
    lm = evaluated("gpt2")
    assert lm.values["perplexity"] == pytest.approx(np.exp(nll(lm.outcomes).sum() / lm.outcomes["tokens"].sum()))


# --- what cannot be answered is said


def test_an_output_that_is_not_finite_is_no_answer():
    network = model("vit")
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="the distributed model's output is not finite in float64"):
        evaluate(network, task("vit"), examples("vit"), lossy())


def test_without_examples_there_is_nothing_to_say():
    with pytest.raises(ValueError, match="no example"):
        evaluate(model("vit"), task("vit"), examples("vit").take([]))


def test_more_segments_than_rows_are_all_rows():
    many = replace(lossy(), options=prism.Options(segments=100))
    np.testing.assert_allclose(nll(evaluated("vit", many).outcomes), nll(evaluated("vit").outcomes), rtol=1e-10)


def test_a_token_that_the_model_does_not_know_is_told():
    network = model("bert")
    network.config.vocab_size = 7
    with pytest.raises(ValueError, match="the model knows only 0 to 6; give a checkpoint"):
        evaluate(network, task("bert"), examples("bert"))


@pytest.mark.parametrize(
    ("family", "changed", "message"),
    [
        ("vit", {"model_type": "bert"}, "the model is a bert, but the task toy-vit is for a vit"),
        ("vit", {"num_labels": 4}, "tells 4 classes apart, but the task toy-vit has 3; give a checkpoint"),
        ("vit", {"image_size": 16}, "pictures of toy-vit have 1 x 12 x 12 values, but the model reads 1 x 16 x 16"),
        ("bert", {"max_position_embeddings": 8}, "up to 16 tokens, but the model has 8 positions"),
    ],
)
def test_a_model_that_does_not_fit_the_task_is_told(family, changed, message):
    one = task(family)
    fitting.check(one, one.load(), CONFIGS[family])
    with pytest.raises(ValueError, match=message):
        fitting.check(one, one.load(), CONFIGS[family] | changed)


def test_another_tokenizer_than_that_of_the_tokens_is_told(tmp_path):
    one = task("bert")
    splits = replace(one.load(), tokenizer='{"model": {"vocab": {"a": 0}}}')
    fitting.check(one, splits, CONFIGS["bert"], tmp_path)  # none there: nothing to compare
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')
    fitting.check(one, splits, CONFIGS["bert"], tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"b": 0}}}')
    with pytest.raises(ValueError, match="is not the tokenizer that made the tokens of toy-bert"):
        fitting.check(one, splits, CONFIGS["bert"], tmp_path)
