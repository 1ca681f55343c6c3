"""Metrics equal scikit-learn's and scipy's, and cases counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sklearn_metrics

from prism_sim.tasks import metrics

SEEDS = range(6)


def answers(prediction: object, target: object) -> dict[str, NDArray[np.float64]]:
    return {"prediction": np.asarray(prediction), "target": np.asarray(target)}


def compute(name: str, prediction: object, target: object) -> float:
    return metrics.find(name).compute(answers(prediction, target))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_metrics_of_classes_equal_scikit_learn(seed: int, n_classes: int) -> None:
    generator = np.random.default_rng(seed)
    target = generator.integers(n_classes, size=50)
    prediction = np.where(generator.random(50) < 0.5, target, generator.integers(n_classes, size=50))
    assert compute("accuracy", prediction, target) == sklearn_metrics.accuracy_score(target, prediction)
    expected = sklearn_metrics.matthews_corrcoef(target, prediction)
    assert compute("matthews", prediction, target) == pytest.approx(expected, abs=1e-14)
    expected = sklearn_metrics.f1_score(target == 1, prediction == 1)
    assert compute("f1", prediction, target) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [0, 1, 12])  # few decimals: many ties
def test_correlations_equal_scipy_ties_included(seed: int, decimals: int) -> None:
    generator = np.random.default_rng(seed)
    target = (5 * generator.random(40)).round(decimals)
    prediction = (target + generator.normal(size=40)).round(decimals)
    expected = stats.pearsonr(prediction, target).statistic
    assert compute("pearson", prediction, target) == pytest.approx(expected, abs=1e-14)
    expected = stats.spearmanr(prediction, target).statistic
    assert compute("spearman", prediction, target) == pytest.approx(expected, abs=1e-14)


def test_f1_counted_by_hand() -> None:
    # two right, one false alarm, one miss: precision 2/3, recall 2/3
    assert compute("f1", [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]) == 2 * 2 / (2 * 2 + 1 + 1)


def test_f1_is_about_class_1_and_not_about_class_0() -> None:
    assert compute("f1", [0, 0, 0], [0, 0, 1]) == 0
    assert compute("f1", [1, 1, 1], [1, 1, 0]) == 0.8


def test_f1_is_0_where_nothing_is_or_is_said_to_be_class_1() -> None:
    assert compute("f1", [0, 0], [0, 0]) == 0 == sklearn_metrics.f1_score([0, 0], [0, 0], zero_division=0.0)


def test_matthews_counted_by_hand() -> None:
    # TP 6, TN 3, FP 1, FN 2: (6 * 3 - 1 * 2) / sqrt(7 * 8 * 4 * 5)
    prediction, target = [1] * 6 + [0] * 3 + [1] + [0] * 2, [1] * 6 + [0] * 3 + [0] + [1] * 2
    assert compute("matthews", prediction, target) == pytest.approx(16 / math.sqrt(7 * 8 * 4 * 5), abs=1e-15)


@pytest.mark.parametrize(
    ("prediction", "target"), [([1, 1, 1], [0, 1, 1]), ([0, 1, 1], [1, 1, 1]), ([1, 1], [1, 1]), ([1, 1], [0, 0])]
)
def test_matthews_is_0_where_one_side_knows_one_class_only(prediction: list[int], target: list[int]) -> None:
    assert compute("matthews", prediction, target) == 0


def test_matthews_ignores_what_the_classes_are_called() -> None:
    prediction, target = np.array([0, 1, 2, 2, 1]), np.array([0, 1, 2, 1, 0])
    assert compute("matthews", prediction, target) == compute("matthews", 7 - 3 * prediction, 7 - 3 * target)


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_correlation_with_a_constant_is_undefined(name: str) -> None:
    assert math.isnan(compute(name, [0.1, 0.1, 0.1], [1, 2, 3]))  # the mean of three 0.1 is not 0.1
    assert math.isnan(compute(name, [1, 2, 3], [4, 4, 4]))
    assert math.isnan(compute(name, [1], [4]))


def test_spearman_sees_order_alone_and_pearson_does_not() -> None:
    scores = np.array([1.0, 2.0, 3.0, 10.0])
    assert compute("spearman", np.exp(scores), scores) == 1
    assert compute("pearson", np.exp(scores), scores) < 0.99
    assert compute("pearson", 3 - 2 * scores, scores) == pytest.approx(-1, abs=1e-15)


def test_pearson_of_tiny_differences_does_not_vanish() -> None:
    assert compute("pearson", np.array([1, 2, 4]) * 1e-200, [1, 2, 4]) == pytest.approx(1, abs=1e-15)


def test_perplexity_of_even_odds_is_the_number_of_choices() -> None:
    tokens = np.array([3, 50, 1])
    outcomes = {"nll": tokens * math.log(7), "tokens": tokens}
    assert metrics.find("perplexity").compute(outcomes) == pytest.approx(7, rel=1e-14)


def test_perplexity_weighs_tokens_and_not_examples() -> None:
    outcomes = {"nll": np.array([0.0, 4.0]), "tokens": np.array([3, 1])}
    assert metrics.find("perplexity").compute(outcomes) == pytest.approx(math.e, rel=1e-15)


def test_hopeless_perplexity_is_infinite() -> None:
    assert metrics.find("perplexity").compute({"nll": np.array([1e4]), "tokens": np.array([1])}) == math.inf


def test_bits_per_character_of_even_odds_among_256_bytes_is_8() -> None:
    characters = np.array([5, 8])
    outcomes = {"nll": characters * math.log(256), "characters": characters}
    assert metrics.find("bits_per_character").compute(outcomes) == pytest.approx(8, rel=1e-14)


def test_bits_per_character_does_not_depend_on_how_the_text_is_cut_into_tokens() -> None:
    outcomes = {"nll": np.array([6.0]), "tokens": np.array([2]), "characters": np.array([9])}
    finer = {**outcomes, "tokens": np.array([6])}
    both = [metrics.find("bits_per_character").compute(cut) for cut in (outcomes, finer)]
    assert both[0] == both[1] == pytest.approx(6 / math.log(2) / 9, rel=1e-15)


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_metric_does_not_depend_on_the_order_of_examples(name: str, seed: int) -> None:
    metric, generator = metrics.find(name), np.random.default_rng(seed)
    outcomes = {column: generator.integers(1, 4, size=30).astype(float) for column in metric.columns}
    order = generator.permutation(30)
    shuffled = {column: values[order] for column, values in outcomes.items()}
    assert metric.compute(shuffled) == pytest.approx(metric.compute(outcomes), rel=1e-13)


def test_what_is_missing_or_uneven_is_named() -> None:
    with pytest.raises(ValueError, match=r"f1 needs 'target' of each example, but prediction, nll is given"):
        metrics.find("f1").compute({"prediction": np.ones(2), "nll": np.ones(2)})
    with pytest.raises(ValueError, match=r"got prediction \(2,\) and target \(3,\)"):
        compute("accuracy", [1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="there is no example"):
        compute("accuracy", [], [])
    with pytest.raises(ValueError, match="prediction of example 1 is nan"):
        compute("pearson", [1, math.nan], [1, 2])


def test_a_misspelt_metric_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'perplexity'"):
        metrics.find("perplexty")
