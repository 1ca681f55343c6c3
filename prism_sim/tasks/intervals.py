"""How sure a metric is: intervals over examples, of differences on the same examples, and over seeds.

Every interval is seeded where it draws: same records, same seed, same interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prism_sim.tasks.metrics import Metric, Records
from prism_sim.tasks.scoring import Outcomes

CONFIDENCE = 0.95
RESAMPLES = 2000  # Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3: at least 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """low to high holds the true value in the stated part of all cases; nan where nothing can be said.

    estimate: the metric, or the difference, of the records themselves.
    """

    estimate: float
    low: float
    high: float


def interval(
    metric: Metric, outcomes: Outcomes, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Of a metric over examples: Wilson's for a proportion, else the bootstrap over examples."""
    rows = metric.records(outcomes)
    if metric.proportion:
        return wilson(int(np.sum(rows[:, 0] == rows[:, 1])), len(rows), confidence)
    drawn = [metric.formula(rows[chosen]) for chosen in _resampled(len(rows), seed, resamples)]
    return _percentile(metric.formula(rows), drawn, confidence)


def difference(metric: Metric, left: Outcomes, right: Outcomes, confidence: float = CONFIDENCE) -> Interval:
    """Of metric(left) - metric(right), outcomes of two models on the same examples in the same order.

    For a proportion Agresti and Min's, else the paired bootstrap: one draw of examples serves both sides (Efron and
    Tibshirani 1993, section 13.3; in use for such tests since Koehn, EMNLP 2004). Raises ValueError unless paired.
    """
    a, b = metric.records(left), metric.records(right)
    _check_paired(metric, a, b)
    if metric.proportion:
        a_right, b_right = a[:, 0] == a[:, 1], b[:, 0] == b[:, 1]
        return agresti_min(int(np.sum(a_right & ~b_right)), int(np.sum(b_right & ~a_right)), len(a), confidence)
    drawn = [metric.formula(a[rows]) - metric.formula(b[rows]) for rows in _resampled(len(a))]
    return _percentile(metric.formula(a) - metric.formula(b), drawn, confidence)


def difference_over_seeds(
    metric: Metric, left: Sequence[Outcomes], right: Sequence[Outcomes], confidence: float = CONFIDENCE
) -> Interval:
    """Of the mean over seeds of metric(left[s]) - metric(right[s]), where both seeds and examples are a sample.

    mean -+ t sqrt(V_seeds / S + V_examples): V_seeds is the variance of the S paired differences; V_examples that of
    their mean when examples are drawn anew, one draw for all seeds, as all were tested on the same examples (for a
    proportion Agresti and Min's, else from the paired bootstrap). A t interval over seeds alone takes the test set for
    the whole world, a bootstrap over examples alone takes the seeds for it; percentiles over 3 to 5 seeds are too
    narrow (sqrt((S - 1) / S), and no t). The sum counts what seed and example do together twice, so it errs to the
    wide side, like Owen's pigeonhole bootstrap of crossed samples (Annals of Applied Statistics 2007). Degrees of
    freedom: Satterthwaite (1946). Seeds as a source of variance: Bouthillier et al., arXiv 2103.03098.
    Raises ValueError for fewer than 2 seeds, or unless all are paired.
    """
    if len(left) != len(right) or len(left) < 2:
        raise ValueError(f"{len(left)} and {len(right)} seeds: an interval over seeds needs the same 2 or more of both")
    pairs = [(metric.records(a), metric.records(b)) for a, b in zip(left, right, strict=True)]
    first = pairs[0][0]
    for rows in (rows for pair in pairs for rows in pair):
        _check_paired(metric, first, rows)
    differences = _differences(metric, pairs)
    if metric.proportion:
        of_examples = _smoothed_variance(pairs)
    else:
        drawn = [_differences(metric, pairs, rows).mean() for rows in _resampled(len(first))]
        defined = np.array(drawn)[~np.isnan(drawn)]  # nothing is known of the others, nor from fewer than two
        of_examples = float(defined.var(ddof=1)) if len(defined) > 1 else math.nan
    variances = float(differences.var(ddof=1)) / len(pairs), of_examples
    return _student_interval(float(differences.mean()), variances, (len(pairs) - 1, len(first) - 1), confidence)


def wilson(n_right: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Of a proportion (Wilson 1927; Brown, Cai and DasGupta, Statistical Science 2001, recommend it for any n)."""
    from scipy.stats import binomtest

    _check_confidence(confidence)
    low, high = binomtest(n_right, n).proportion_ci(confidence, method="wilson")
    return Interval(n_right / n, float(low), float(high))


def agresti_min(left_only: int, right_only: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Of the difference of two proportions on the same n examples (Agresti and Min, Statistics in Medicine 2005).

    left_only, right_only: examples that only the one side has right. Half an example is added to each of the four
    cells, so that two models which never differed on n examples are not taken for equal for certain, as a bootstrap
    would. scipy has no interval of paired proportions.
    """
    from scipy.stats import norm

    _check_confidence(confidence)
    b, c, total = left_only + 0.5, right_only + 0.5, n + 2
    centre = (b - c) / total
    half = float(norm.ppf((1 + confidence) / 2)) * math.sqrt(b + c - (b - c) ** 2 / total) / total
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return Interval((left_only - right_only) / n, low, high)


def _differences(
    metric: Metric, pairs: Sequence[tuple[Records, Records]], rows: slice | NDArray[np.int64] = slice(None)
) -> NDArray[np.float64]:
    """Of each seed, on the same examples."""
    return np.array([metric.formula(a[rows]) - metric.formula(b[rows]) for a, b in pairs])


def _smoothed_variance(pairs: Sequence[tuple[Records, Records]]) -> float:
    """Of the mean over seeds of a difference of proportions: with Agresti and Min's half examples."""
    right = [[(rows[:, 0] == rows[:, 1]).astype(np.float64) for rows in pair] for pair in pairs]
    each = np.mean([a - b for a, b in right], axis=0)  # (examples,), between -1 and 1
    total = len(each) + 2
    return (float(each @ each) + 1 - float(each.sum()) ** 2 / total) / total**2


def _student_interval(
    estimate: float, variances: tuple[float, float], freedoms: tuple[int, int], confidence: float
) -> Interval:
    """Plus and minus t sqrt(sum of variances), its degrees of freedom after Satterthwaite."""
    from scipy.stats import t

    _check_confidence(confidence)
    variance = sum(variances)
    if variance == 0:  # no seed and no example makes a difference
        return Interval(estimate, estimate, estimate)
    terms = [part**2 / max(1, freedom) for part, freedom in zip(variances, freedoms, strict=True)]
    low, high = t.interval(confidence, variance**2 / sum(terms), estimate, math.sqrt(variance))
    return Interval(estimate, float(low), float(high))


def _check_paired(metric: Metric, left: Records, right: Records) -> None:
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} examples cannot be paired; both sides need the same ones")
    if len(unequal := np.flatnonzero(left[:, 1] != right[:, 1])):
        row = int(unequal[0])
        values = f"{left[row, 1]:g} on one side and {right[row, 1]:g} on the other"
        raise ValueError(
            f"{metric.columns[1]} of example {row} is {values}; both sides need the same examples in the same order"
        )


def _resampled(n: int, seed: int = 0, resamples: int = RESAMPLES) -> Iterator[NDArray[np.int64]]:
    """The draws of `scipy.stats.bootstrap`, which refuses one example, and is nan where one resample is undefined."""
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield generator.integers(n, size=n)


def _percentile(estimate: float, drawn: Sequence[float], confidence: float) -> Interval:
    """Resamples on which the metric is undefined (a constant column) are left out."""
    _check_confidence(confidence)
    defined = [value for value in drawn if not math.isnan(value)]
    if math.isnan(estimate) or not defined:
        return Interval(estimate, math.nan, math.nan)
    tail = (1 - confidence) / 2
    return Interval(estimate, *np.quantile(defined, [tail, 1 - tail]).tolist())


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, but must lie between 0 and 1, such as 0.95")
