"""docs/accuracy.md in small, really trained: what holds there holds after few steps on half of the digits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from prism_sim import load_scenario, tasks
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT, AccuracyPoint, AccuracyRequest, Curve, curve
from prism_sim.loss.finetune import FinetuneRequest, finetune
from prism_sim.tasks import metrics
from prism_sim.tasks.intervals import Interval, difference
from prism_sim.training import references

pytestmark = pytest.mark.slow

SCENARIO = Path(__file__).parents[2] / "scenarios" / "accuracy-digits.yaml"
STEPS, FINE_TUNING_STEPS = 200, 100  # a fifth of the usual ones
SEGMENTS = (1, 4, 16)  # compression rates 33, 8.25 and 2.1
EXAMPLES = 400
SURE = 0.999  # of an interval: six comparisons are judged, on whatever machine


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Curve:
    """Digits over compression rates, zero-shot and fine-tuned, and with every row sent as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRISM_SIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = references.obtain(references.TrainingRequest(tasks.find("digits"), 0, STEPS)).folder
        scenario = load_scenario(SCENARIO).with_overrides({"task.checkpoint": str(folder), "task.examples": EXAMPLES})
        tuned = finetune(FinetuneRequest(scenario, segments=(1, 32), steps=FINE_TUNING_STEPS)).folder
        found = curve(AccuracyRequest(scenario, SEGMENTS, fine_tuned=(tuned,)))
        exact = curve(AccuracyRequest(scenario, (1,), ("identity",)))
        return Curve(scenario, (*found.points, exact.points[-1]))


def points(measured: Curve, checkpoint: str) -> list[AccuracyPoint]:
    """By L, ascending."""
    found = [one for one in measured.points if (one.checkpoint, one.compressor) == (checkpoint, "segment_means")]
    assert [one.simulation.compression[0] for one in found] == list(SEGMENTS)
    return found


def less(one: AccuracyPoint, other: AccuracyPoint) -> Interval:
    """Of the accuracies, paired."""
    metric = metrics.find(one.accuracy.metric)
    return difference(metric, one.through.outcomes, other.through.outcomes, confidence=SURE)


def test_sending_every_row_answers_as_the_undistributed_model(measured):
    [exact] = [point for point in measured.points if point.compressor == "identity"]
    assert np.array_equal(exact.through.outcomes["prediction"], exact.alone.outcomes["prediction"])
    assert exact.accuracy.difference.estimate == 0


def test_fine_tuning_through_prism_beats_zero_shot_where_much_is_compressed(measured):
    pairs = list(zip(points(measured, FINE_TUNED), points(measured, ZERO_SHOT), strict=True))
    compressing = [pair for pair in pairs if pair[0].simulation.compression[1] >= 4]
    assert len(compressing) == 2
    for tuned, zero_shot in compressing:
        assert less(tuned, zero_shot).low > 0


@pytest.mark.parametrize("checkpoint", [ZERO_SHOT, FINE_TUNED])
def test_more_segments_never_hurt_by_more_than_noise(measured, checkpoint):
    for fewer, more in pairwise(points(measured, checkpoint)):
        assert less(more, fewer).high >= 0
