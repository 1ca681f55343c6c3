"""The matrix of live runs: which cases, what is predicted from what, and what is judged."""

from __future__ import annotations

import pytest

from prism_sim.calibration.device import DeviceEstimate, KernelDeviation
from prism_sim.live.link import LinkEstimate
from prism_sim.validation import live_text
from prism_sim.validation.base import JudgedRow
from prism_sim.validation.parts import live, sharing

PASSES = (KernelDeviation("a", 1.0, 1.0, (0.9, 1.1)),)
FAST = DeviceEstimate(2e11, 2e10, 0.0, 1e-5, PASSES)
SLOW = DeviceEstimate(1e11, 1e10, 0.0, 2e-5, PASSES)
LINK = LinkEstimate(1e-4, 1e8, 2e-5, 0.01, ())


def cell(n: int, **times: object) -> dict[str, object]:
    """What is reported of n runs that nobody disturbed."""
    return {"begun_s": [float(run) for run in range(n)], "disturbances": [{"taken": 0.0, "stolen": 0.0}] * n, **times}


def found(cases: list[live.LiveCase]) -> live.LinkResult:
    cells = [cell(3, latencies_s=[1.0, 2.0, 4.0]) for _ in cases]
    cores = {"vit-base-patch16-224": live.Cores([FAST, FAST], SLOW)}
    return live.LinkResult("100 Mbit/s", LINK, LINK, cores, cells, cases)


def test_the_matrix_is_every_model_batch_and_strategy():
    cases = live.cases(quick=False)
    assert len(cases) == len(set(cases)) == len(live.MODELS) * len(live.BATCHES) * (4 + len(live.SEGMENTS))
    assert set(live.cases(quick=True)) < set(cases)


def test_a_row_is_the_median_of_the_runs_beside_the_prediction():
    (row,) = live.rows_of(found([live.LiveCase("vit-base-patch16-224", 1, "prism", 10)]))
    assert (row.measured_s, row.spread_s) == (2.0, (1.5, 3.0))
    assert row.tags["strategy"] == "prism"
    assert row.group == (("batch", "1"), ("link", "100 Mbit/s"), ("model", "vit-base-patch16-224"))


def test_strategies_that_work_one_at_a_time_are_predicted_from_cores_alone():
    one, two = (live.LiveCase("vit-base-patch16-224", 1, name) for name in ("single", "voltage"))
    cores = found([]).cores["vit-base-patch16-224"]
    assert list(cores.during(one.strategy)) == [FAST, FAST]
    assert list(cores.during(two.strategy)) == [SLOW, SLOW]
    single, voltage = live.rows_of(found([one, two]))
    assert voltage.predicted_s > single.predicted_s / 2  # two slow cores, and a link


def test_predictions_come_from_the_calibrated_numbers():
    told = dict(text.split("=") for text in live.calibrated([FAST, SLOW], LINK))
    assert told["devices[0].compute"] == "200 GFLOP/s"
    assert told["devices[1].op_overhead"] == "20 us"
    assert told["network.bandwidth"] == "100 Mbit/s"


def test_text_is_a_row_for_the_first_token_and_one_for_the_mean_later_one():
    """Runs of three tokens: first ones after 1, 2, 4 s; later ones each 3, 5, 4 s apart in the mean."""
    three = cell(3, moments_s=[[1.0, 3.0, 7.0], [2.0, 4.0, 12.0], [4.0, 5.0, 12.0]])
    case = live_text.TextCase("distilgpt2", "prism", 2)
    cores = live.Cores([FAST, FAST], SLOW)
    first, later = live_text.rows_of({case: three}, LINK, {"distilgpt2": cores})
    assert (first.measured_s, first.spread_s) == (2.0, (1.5, 3.0))
    assert (later.measured_s, later.spread_s) == (4.0, (3.5, 4.5))
    assert first.group != later.group


def test_steps_of_one_rank_are_predicted_from_a_core_alone():
    """Slow cores take twice as long: the prompt is theirs, prism's steps are not; tensor parallel's are."""
    same, slow = live.Cores([FAST, FAST], FAST), live.Cores([FAST, FAST], SLOW)
    for strategy, quicker in (("prism", {"later token"}), ("tensor_parallel", set())):
        case = live_text.TextCase("distilgpt2", strategy, 2)
        one_run = {case: cell(1, moments_s=[[1.0, 2.0]])}
        cores = [{"distilgpt2": one} for one in (same, slow)]
        found = zip(*(live_text.rows_of(one_run, LINK, one) for one in cores), strict=True)
        unmoved = {one.case.partition(", ")[2] for one, other in found if one.predicted_s == other.predicted_s}
        assert unmoved == {f"{strategy} over 2, {token}" for token in quicker}


def test_text_cases_need_a_core_for_each_rank():
    assert {case.ranks for case in live_text.cases(quick=False, cores=2)} == {1, 2}
    assert {case.ranks for case in live_text.cases(quick=False, cores=8)} == {1, 2, 3}
    assert set(live_text.cases(quick=True, cores=2)) < set(live_text.cases(quick=False, cores=2))


def test_text_that_differs_breaks_a_law():
    right, wrong, broken = ({"output_error": error, "output_tolerance": 1e-4} for error in (1e-6, 1e-2, float("nan")))
    assert live_text.same_text([right, right]).holds
    assert not live_text.same_text([right, wrong]).holds
    assert not live_text.same_text([broken]).holds


def row(strategy: str, predicted_s: float, measured_s: float) -> JudgedRow:
    return JudgedRow(strategy, predicted_s, measured_s, tags={"model": "m", "strategy": strategy})


@pytest.mark.parametrize(
    ("rows", "holding"),
    [
        ([row("a", 1.0, 1.0), row("b", 2.1, 2.0)], [True, True, True]),
        ([row("a", 1.2, 1.0), row("b", 2.3, 2.0)], [False, True, True]),
        ([row("a", 1.0, 1.0), row("c", 1.0, 1.0), row("b", 2.6, 2.0)], [True, False, True]),
        ([row("a", 1.2, 1.0), row("b", 1.1, 1.2)], [False, True, False]),
    ],
)
def test_the_laws_are_a_median_a_worst_and_a_ranking(rows: list[JudgedRow], holding: list[bool]):
    assert [one.holds for one in live.judgements(rows)] == holding


def test_the_rule_that_is_nearer_must_be_the_default():
    def told(fifo_s: float, fair_s: float) -> bool:
        rows = [
            JudgedRow(f"case, {rule}", seconds, 1.0, tags={"rule": rule})
            for rule, seconds in (("fifo", fifo_s), ("fair", fair_s))
        ]
        (judgement,) = sharing.judgements(rows)
        return judgement.holds

    assert told(fifo_s=1.3, fair_s=1.1)
    assert not told(fifo_s=1.1, fair_s=1.3)
