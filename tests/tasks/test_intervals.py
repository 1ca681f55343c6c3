"""Intervals hold what they promise to hold: exact counts where there are any, else seeded draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from prism_sim.tasks import intervals, metrics
from prism_sim.tasks.intervals import Interval
from prism_sim.tasks.scoring import Outcomes

ACCURACY, F1, SPEARMAN = map(metrics.find, ("accuracy", "f1", "spearman"))


def outcomes(prediction: object, target: object) -> Outcomes:
    return {"prediction": np.asarray(prediction), "target": np.asarray(target)}


def answered(right: object) -> Outcomes:
    """Of a model that has these examples right, and the others wrong."""
    return outcomes(np.asarray(right).astype(int), np.ones(len(np.asarray(right)), dtype=int))


def scores(generator: np.random.Generator, n: int, noise: float) -> Outcomes:
    target = generator.normal(size=n)
    return outcomes(target + noise * generator.normal(size=n), target)


@pytest.mark.parametrize(("n_right", "n"), [(0, 5), (1, 7), (45, 50), (9564, 10000), (8, 8)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_equals_scipy(n_right: int, n: int, confidence: float) -> None:
    found = intervals.wilson(n_right, n, confidence)
    expected = stats.binomtest(n_right, n).proportion_ci(confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-14)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_wilson_holds_the_true_proportion_in_its_share_of_cases() -> None:
    n, proportions = 40, np.linspace(0.02, 0.98, 97)
    found = [intervals.wilson(k, n) for k in range(n + 1)]
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, proportions)  # (right, proportions): exact
    held = np.array([[each.low <= p <= each.high for p in proportions] for each in found])
    assert (chances * held).sum(0).mean() == pytest.approx(0.95, abs=0.01)


def test_an_interval_of_accuracy_is_wilsons() -> None:
    found = intervals.interval(ACCURACY, answered([1, 1, 0, 1]))
    assert found == intervals.wilson(3, 4)


def test_agresti_min_is_a_wald_interval_after_two_more_examples() -> None:
    found = intervals.agresti_min(left_only=5, right_only=1, n=98)
    paired = np.array([1.0] * 5 + [-1.0] + [0.0] * 92)
    weights, values = np.append(np.ones(98), [0.5, 0.5, 0.5, 0.5]), np.append(paired, [1, -1, 0, 0])
    mean = np.average(values, weights=weights)
    error = math.sqrt(np.average((values - mean) ** 2, weights=weights) / 100)
    z = stats.norm.ppf(0.975)
    assert (found.low, found.high) == pytest.approx((mean - z * error, mean + z * error), abs=1e-15)
    assert found.estimate == 4 / 98


def test_agresti_min_holds_the_true_difference_in_its_share_of_cases() -> None:
    n, left_only, right_only = 30, 0.2, 0.1
    cells = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    chances = stats.multinomial.pmf([[b, c, n - b - c] for b, c in cells], n, [left_only, right_only, 0.7])
    found = [intervals.agresti_min(b, c, n) for b, c in cells]
    held = np.array([each.low <= left_only - right_only <= each.high for each in found])
    assert float(chances @ held) == pytest.approx(0.95, abs=0.02)


def test_two_models_that_never_differ_are_not_equal_for_certain() -> None:
    same = answered([1, 0, 1, 1])
    for found in (
        intervals.difference(ACCURACY, same, same),
        intervals.difference_over_seeds(ACCURACY, [same, same], [same, same]),
    ):
        assert found.estimate == 0
        assert found.low < 0 < found.high
        assert found.high == pytest.approx(-found.low, abs=1e-15)


def test_pairing_sees_a_difference_that_separate_intervals_hide() -> None:
    generator = np.random.default_rng(0)
    left = scores(generator, 200, noise=0.5)
    worse = outcomes(left["prediction"] + 0.2 * generator.normal(size=200), left["target"])
    first, second = (intervals.interval(SPEARMAN, each) for each in (left, worse))
    assert first.low < second.high
    assert intervals.difference(SPEARMAN, left, worse).low > 0


def test_a_difference_turns_its_sign_with_its_sides() -> None:
    generator = np.random.default_rng(1)
    left = scores(generator, 60, noise=0.5)
    right = outcomes(generator.normal(size=60), left["target"])
    there, back = intervals.difference(SPEARMAN, left, right), intervals.difference(SPEARMAN, right, left)
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low), abs=1e-14)


def test_the_bootstrap_equals_scipys() -> None:
    rows = scores(np.random.default_rng(2), 80, noise=1.0)
    found = intervals.interval(metrics.find("pearson"), rows, resamples=4000)
    expected = stats.bootstrap(
        (rows["prediction"], rows["target"]),
        lambda x, y: stats.pearsonr(x, y).statistic,
        paired=True,
        vectorized=False,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval
    width = found.high - found.low  # other draws: ends agree to a few hundredths of the width
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.06 * width)


def test_same_seed_same_interval_and_another_seed_another() -> None:
    rows = scores(np.random.default_rng(4), 30, noise=1.0)
    found = [intervals.interval(SPEARMAN, rows, seed=seed, resamples=100) for seed in (7, 7, 8)]
    assert found[0] == found[1] != found[2]


def test_four_times_the_examples_halve_the_interval() -> None:
    rows = scores(np.random.default_rng(5), 100, noise=1.0)
    more = {name: np.tile(column, 4) for name, column in rows.items()}
    few, many = (intervals.interval(SPEARMAN, each) for each in (rows, more))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2, rel=0.1)


def test_more_confidence_widens_every_interval() -> None:
    generator = np.random.default_rng(6)
    left, right = (answered(generator.random(50) < p) for p in (0.8, 0.6))
    for wide, narrow in (
        [intervals.interval(F1, left, confidence=c) for c in (0.99, 0.8)],
        [intervals.difference(ACCURACY, left, right, confidence=c) for c in (0.99, 0.8)],
        [intervals.difference_over_seeds(F1, [left] * 2, [right] * 2, confidence=c) for c in (0.99, 0.8)],
    ):
        assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high


def test_one_seed_repeated_gives_the_interval_of_its_examples() -> None:
    generator = np.random.default_rng(7)
    left, right = (answered(generator.random(400) < p) for p in (0.8, 0.6))
    repeated = intervals.difference_over_seeds(ACCURACY, [left] * 3, [right] * 3)
    once = intervals.difference(ACCURACY, left, right)
    z, t = stats.norm.ppf(0.975), stats.t.ppf(0.975, 399)
    assert (repeated.high - repeated.low) / t == pytest.approx((once.high - once.low) / z, rel=1e-12)
    assert repeated.estimate == pytest.approx(once.estimate, abs=1e-15)


def test_seeds_that_disagree_give_the_t_interval_of_their_differences() -> None:
    n = 20_000  # so many examples that only the seeds matter
    generator = np.random.default_rng(8)
    left = [answered(generator.random(n) < p) for p in (0.5, 0.7, 0.9)]
    right = [answered(generator.random(n) < 0.5) for _ in range(3)]
    found = intervals.difference_over_seeds(ACCURACY, left, right)
    differences = [ACCURACY.compute(a) - ACCURACY.compute(b) for a, b in zip(left, right, strict=True)]
    expected = stats.t.interval(0.95, 2, np.mean(differences), stats.sem(differences))
    assert (found.low, found.high) == pytest.approx(expected, rel=2e-2)


def test_over_seeds_and_examples_the_true_difference_is_held_at_least_in_its_share_of_cases() -> None:
    """Answers of 4 seeds on 100 shared examples: a seed's skill, an example's difficulty and chance all vary."""
    generator, held = np.random.default_rng(9), []
    for _ in range(400):
        skill, difficulty = 0.05 * generator.normal(size=(4, 1)), 0.15 * generator.normal(size=100)
        chance = np.clip(0.6 + skill + difficulty, 0, 1)  # of the left side; the right side always has 0.6
        left = [answered(row) for row in generator.random((4, 100)) < chance]
        right = [answered(row) for row in generator.random((4, 100)) < 0.6]
        found = intervals.difference_over_seeds(ACCURACY, left, right)
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) >= 0.93  # 0.95 less two standard errors of 400 cases


def test_what_cannot_be_paired_is_refused() -> None:
    left = answered([1, 0, 1])
    with pytest.raises(ValueError, match="3 and 2 examples cannot be paired"):
        intervals.difference(ACCURACY, left, answered([1, 0]))
    with pytest.raises(ValueError, match="target of example 2 is 1 on one side and 0 on the other"):
        intervals.difference(SPEARMAN, left, outcomes([1, 0, 1], [1, 1, 0]))
    with pytest.raises(ValueError, match="1 and 1 seeds"):
        intervals.difference_over_seeds(ACCURACY, [left], [left])


@pytest.mark.parametrize("metric", [ACCURACY, F1])
@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_is_a_part_of_one(metric: metrics.Metric, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals.interval(metric, answered([1, 0, 1]), confidence=confidence)


def test_nothing_is_said_of_what_is_undefined() -> None:
    constant = outcomes([1, 1, 1], [1, 2, 3])
    found = intervals.interval(SPEARMAN, constant)
    assert isinstance(found, Interval)
    assert all(math.isnan(value) for value in (found.estimate, found.low, found.high))
    over_seeds = intervals.difference_over_seeds(SPEARMAN, [constant] * 2, [constant] * 2)
    assert all(math.isnan(value) for value in (over_seeds.estimate, over_seeds.low, over_seeds.high))
