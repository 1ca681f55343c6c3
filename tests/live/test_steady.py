"""What counts as disturbed, and what is run again for it, with made-up uses of cores."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prism_sim.live.process import nearest_to_median
from prism_sim.live.steady.rounds import Patience, Schedule, still_due
from prism_sim.live.steady.watch import TAKEN_LEAST, CoreUse, Disturbance, Watch, disturbance
from prism_sim.live.timed import TimedStep

CALM, FELT = Disturbance(0.0, 0.0), Disturbance(2 * TAKEN_LEAST, 0.0)
ASKED = 1 + 3  # rounds: one to warm up, three measured
SCHEDULE = Schedule(warmup=1, repeats=3, patience=Patience(rounds=2, within_s=60.0))


def test_time_of_a_core_is_idle_or_ours_or_taken():
    """Of 10 s 2 were idle and 7 ours: 1 was taken, 0.5 by another machine."""
    assert disturbance([CoreUse(10.0, 2.0, 0.5, 7.0)], each_its_own=True) == Disturbance(0.1, 0.05)
    assert disturbance([CoreUse(10.0, 3.0, 0.0, 7.0)], each_its_own=True) == CALM


def test_of_processes_with_cores_of_their_own_the_one_that_lost_most_counts():
    uses = [CoreUse(10.0, 2.0, 0.0, 8.0), CoreUse(10.0, 1.0, 0.0, 5.0)]
    assert disturbance(uses, each_its_own=True).taken == pytest.approx(0.4)


def test_processes_that_share_cores_do_not_disturb_each_other():
    """Both see the same two cores: 20 s, of which 4 idle; one worked 9 s, the other 5: 2 s are missing."""
    uses = [CoreUse(20.0, 4.0, 0.0, 9.0), CoreUse(20.0, 4.0, 0.0, 5.0)]
    assert disturbance(uses, each_its_own=False).taken == pytest.approx(0.1)


@pytest.mark.parametrize(("taken_s", "is_felt"), [(0.019, False), (0.021, True), (-0.02, False)])
def test_less_than_the_system_can_tell_is_nothing(taken_s: float, is_felt: bool):
    """Of 0.2 s, a tenth is less than two of its hundredths of a second."""
    assert disturbance([CoreUse(0.2, 0.0, 0.0, 0.2 - taken_s)], each_its_own=True).is_felt == is_felt


def test_a_use_is_the_difference_of_two_looks():
    watch = Watch([0])
    before = watch.now()
    used = watch.now() - before
    assert used.all_s >= 0
    assert used.own_s >= 0
    assert CoreUse(5.0, 2.0, 1.0, 2.0) - CoreUse(4.0, 1.5, 1.0, 1.75) == CoreUse(1.0, 0.5, 0.0, 0.25)


def test_orders_are_due_until_each_has_enough_calm_runs():
    runs = [[CALM, CALM, CALM], [CALM, FELT, CALM], [FELT, FELT, FELT, CALM]]
    assert still_due(runs, wanted=3) == [1, 2]
    assert still_due(runs, wanted=1) == []


def rounds(found: Sequence[Sequence[Disturbance]], took_s: float = 1.0, schedule: Schedule = SCHEDULE) -> list[int]:
    """How many runs each order gets whose runs come out so, in turn; every round takes as long."""
    n_runs = [0] * len(found)
    for number in range(100):
        runs = [one[:n][schedule.warmup :] for one, n in zip(found, n_runs, strict=True)]
        due = schedule.due(number, runs, since_s=number * took_s)
        if not due:
            return n_runs
        for place in due:
            n_runs[place] += 1
    raise AssertionError("without end")


def test_what_nobody_disturbs_is_run_as_often_as_asked():
    assert rounds([[CALM] * 9, [CALM] * 9]) == [ASKED, ASKED]


def test_only_what_was_disturbed_is_run_again_and_only_until_it_is_calm():
    assert rounds([[CALM] * 9, [CALM, FELT, CALM, CALM, CALM, CALM]]) == [ASKED, ASKED + 1]
    assert rounds([[FELT, CALM, CALM, CALM]]) == [ASKED]  # the run to warm up does not count


def test_patience_has_an_end_in_rounds_and_in_time():
    assert rounds([[FELT] * 9]) == [ASKED + 2]
    assert rounds([[CALM] * 9, [FELT] * 9], took_s=13.0) == [ASKED, ASKED + 1]  # the sixth would begin after 65 s
    assert rounds([[FELT] * 9], took_s=100.0) == [2]  # a measured one there is


def test_without_patience_nothing_is_run_again():
    assert rounds([[FELT] * 9], took_s=100.0, schedule=Schedule(1, 3)) == [ASKED]


def test_patience_is_not_less_than_none():
    for wrong in ((-1, 1.0), (1, -1.0), (1, float("nan"))):
        with pytest.raises(ValueError, match="neither may be less than 0"):
            Patience(*wrong)


def test_the_run_that_is_shown_is_a_calm_one_if_there_is_any():
    """The median of all is 3.0, of the calm ones 2.0."""
    assert nearest_to_median([1.0, 2.0, 3.0, 4.0, 5.0], [CALM, CALM, CALM, FELT, FELT]) == 1
    assert nearest_to_median([1.0, 2.0, 3.0], [FELT] * 3) == nearest_to_median([1.0, 2.0, 3.0], [None] * 3) == 1
    assert nearest_to_median([], []) == 0


def test_a_pass_is_calm_that_had_the_processor_nearly_all_the_time():
    step = TimedStep("a", "", (), 1.0, (1.0, 1.0, 2.0), (0.0, 1.0, 2.0), (0.04, 0.06, 0.09))
    assert step.calm == (True, False, True)
    assert TimedStep("a", "", (), 1.0, (1.0, 2.0)).calm == (True, True)
