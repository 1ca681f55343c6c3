"""The benchmarks' metrics, each a pure function of what is known of each example (`scoring.Outcomes`).

A metric reads two of the outcomes, side by side as records: one row an example, so rows can be resampled and paired
(`prism_sim.tasks.intervals`). That takes thousands of values, so the formulas are numpy's: scikit-learn's f1_score and
matthews_corrcoef take 100 times as long a call (8 and 14 ms for 5,000 examples), scipy's pearsonr, with its p-value, 9
times as long for 400. Tests hold them to be equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from prism_sim.catalogue import look_up
from prism_sim.tasks.scoring import Outcomes

Records: TypeAlias = NDArray[np.float64]
"""(examples, 2): a metric's two columns."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the catalogue.

    better: which way. columns: the outcomes that it reads. formula: from records of these columns to the value, nan
    where it is undefined. proportion: it is the mean over examples of right (1) or wrong (0).
    The second column belongs to the example, whatever the model says: it is the same in outcomes that can be paired.
    """

    name: str
    summary: str
    better: Literal["high", "low"]
    columns: tuple[str, str]
    formula: Callable[[Records], float]
    proportion: bool = False

    def compute(self, outcomes: Outcomes) -> float:
        """The metric over all examples. Raises ValueError as `records` does."""
        return self.formula(self.records(outcomes))

    def records(self, outcomes: Outcomes) -> Records:
        """The metric's columns (examples, 2).

        Raises ValueError unless both are there, of one length, finite and not empty.
        """
        for name in self.columns:
            if name not in outcomes:
                given = ", ".join(outcomes) or "nothing"
                raise ValueError(f"{self.name} needs {name!r} of each example, but {given} is given")
        columns = [np.asarray(outcomes[name], dtype=np.float64) for name in self.columns]
        if columns[0].ndim != 1 or columns[0].shape != columns[1].shape:
            shapes = " and ".join(f"{name} {column.shape}" for name, column in zip(self.columns, columns, strict=True))
            raise ValueError(f"{self.name} needs one number an example in both columns, but got {shapes}")
        joined = np.stack(columns, axis=1)
        if not len(joined):
            raise ValueError(f"there is no example; {self.name} needs at least one")
        if len(found := np.argwhere(~np.isfinite(joined))):
            row, column = found[0].tolist()
            wrong = f"{self.columns[column]} of example {row} is {joined[row, column]}"
            raise ValueError(f"{wrong}, but {self.name} needs finite numbers")
        return joined


def accuracy(rows: Records) -> float:
    """The part of the examples whose predicted class is the true one."""
    return float(np.mean(rows[:, 0] == rows[:, 1]))


def f1(rows: Records) -> float:
    """F1 of class 1: 2 TP / (2 TP + FP + FN), as GLUE scores MRPC and QQP (Wang et al., arXiv 1804.07461).

    0 where there is neither a predicted nor a true 1, as scikit-learn's `f1_score` with its usual zero_division.
    """
    predicted, true = rows[:, 0] == 1, rows[:, 1] == 1
    either = int(np.sum(predicted)) + int(np.sum(true))
    return 2 * int(np.sum(predicted & true)) / either if either else 0.0


def matthews(rows: Records) -> float:
    """Matthews correlation of classes, GLUE's metric of CoLA; for more than two classes Gorodkin's R_K (2004, eq. 8).

    0 where all predictions, or all true classes, are one class: no correlation can be seen there.
    """
    _, index = np.unique(rows, return_inverse=True)
    classes = index.reshape(rows.shape)
    n, n_classes = len(rows), int(index.max()) + 1
    predicted, true = (np.bincount(column, minlength=n_classes).astype(np.float64) for column in classes.T)
    spread = (n * n - float(predicted @ predicted)) * (n * n - float(true @ true))
    if spread == 0:
        return 0.0
    right = int(np.sum(classes[:, 0] == classes[:, 1]))
    return (n * right - float(predicted @ true)) / math.sqrt(spread)


def pearson(rows: Records) -> float:
    """Pearson's correlation of scores; nan where one column is constant."""
    if bool((rows == rows[0]).all(axis=0).any()):  # a rounded mean would hide that nothing varies
        return math.nan
    centred = rows - rows.mean(axis=0)
    x, y = (centred / np.abs(centred).max(axis=0)).T  # squares of tiny scores would vanish
    return max(-1.0, min(1.0, float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))))


def spearman(rows: Records) -> float:
    """Pearson's correlation of ranks, ties sharing their mean rank (GLUE's metric of STS-B, beside Pearson's)."""
    from scipy.stats import rankdata

    return pearson(rankdata(rows, axis=0))


def perplexity(rows: Records) -> float:
    """Exp(nats / tokens), both summed over the examples: a token weighs the same wherever it stands."""
    with np.errstate(over="ignore"):  # inf says what there is to say
        return float(np.exp(_ratio(rows)))


def bits_per_character(rows: Records) -> float:
    """Nats / ln 2 / characters, both summed over the examples: comparable whatever the vocabulary.

    enwik8 and text8 count bytes: there a character is a byte.
    """
    return _ratio(rows) / math.log(2)


def _ratio(rows: Records) -> float:
    above, below = rows.sum(axis=0).tolist()
    return float(above / below) if below else math.nan


ANSWERS = ("prediction", "target")
_ALL = (
    Metric("accuracy", "part of the examples that are classified rightly", "high", ANSWERS, accuracy, True),
    Metric("cloze_accuracy", "part of the gaps that are filled rightly", "high", ANSWERS, accuracy, True),
    Metric("f1", "F1 of class 1: of those said or meant to be 1, how many are both", "high", ANSWERS, f1),
    Metric("matthews", "Matthews correlation of the classes", "high", ANSWERS, matthews),
    Metric("pearson", "Pearson correlation of the scores", "high", ANSWERS, pearson),
    Metric("spearman", "Spearman rank correlation of the scores", "high", ANSWERS, spearman),
    Metric("perplexity", "exp of the mean negative log likelihood of a token", "low", ("nll", "tokens"), perplexity),
    Metric(
        "bits_per_character",
        "mean negative log2 likelihood of a character",
        "low",
        ("nll", "characters"),
        bits_per_character,
    ),
)
METRICS = {metric.name: metric for metric in _ALL}


def find(name: str) -> Metric:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("metric", name, METRICS)
