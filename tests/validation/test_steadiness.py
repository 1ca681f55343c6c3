"""Which live rows are judged, and what a row is predicted at, with made-up samples."""

from __future__ import annotations

import pytest

from prism_sim.live.link import LinkEstimate
from prism_sim.live.steady.watch import Disturbance
from prism_sim.live.timed import TimedStep
from prism_sim.validation.base import JudgedRow, Judgement
from prism_sim.validation.cores import NEAR, pace, with_meetings
from prism_sim.validation.steadiness import Runs, outcome, steady_row, why_kernels_tell_nothing

CALM, FELT = Disturbance(0.0, 0.0), Disturbance(0.5, 0.1)
BROKEN, KEPT = Judgement("never", False), Judgement("always", True)


def runs(*times_s: float, felt: int = 0) -> Runs:
    """One a second; the last `felt` of them were disturbed."""
    n = len(times_s)
    return Runs(times_s, tuple(map(float, range(n))), (CALM,) * (n - felt) + (FELT,) * felt)


def whole(*samples: tuple[float, float], away_s: float = 0.0) -> TimedStep:
    """A pass of 1 s in the mean, with moments and times."""
    begun_s, times_s = zip(*samples, strict=True)
    return TimedStep("a", "", (), 1.0, times_s, begun_s, (away_s,) * len(samples))


def test_a_row_is_made_of_the_runs_that_nobody_disturbed():
    found = runs(1.0, 1.1, 1.2, 9.0, 9.0, felt=2)
    assert found.median_s == 1.1
    assert found.quartiles_s == pytest.approx((1.05, 1.15))
    assert found.why_not_judged() is None
    assert runs(1.0, 3.0, felt=2).median_s == 2.0  # where all were disturbed, all are shown


def test_a_row_with_too_few_calm_runs_is_not_judged_and_says_so():
    assert runs(1.0, 1.0, 1.0, 1.0, felt=2).why_not_judged() == "2 of 4 runs undisturbed (50% taken, 10% stolen)"
    assert runs(1.0, 1.0, 1.0, 1.0, felt=1).why_not_judged() is None


def test_a_row_whose_runs_do_not_agree_is_not_judged_and_says_so():
    assert runs(1.0, 0.9, 1.1, 0.9, 1.1).why_not_judged() == "unsteady: quartiles 20% apart"
    assert runs(1.0, 0.95, 1.05, 0.95, 1.05).why_not_judged() is None


def test_kernels_that_were_hardly_ever_calm_tell_nothing():
    moments = [(float(n), 1.0) for n in range(4)]
    assert why_kernels_tell_nothing([[whole(*moments)], [whole(*moments)]]) is None
    assert why_kernels_tell_nothing([[whole(*moments)], [whole(*moments, away_s=0.5)]]) == (
        "of some kernels only 0 times undisturbed"
    )
    assert why_kernels_tell_nothing(()) is None


def test_the_pace_of_a_moment_is_that_of_the_passes_nearest_to_it():
    """From second 20 on everything takes half as long again."""
    step = whole(*((float(n), 1.0 if n < 20 else 1.5) for n in range(40)))
    assert pace([[step]], at_s=19.5 - NEAR) == 1.0
    assert pace([[step]], at_s=19.5 + NEAR) == 1.5
    assert pace([[step]], at_s=19.5) == 1.25
    assert pace([[step], [step]], at_s=30.0) == 1.5


def test_disturbed_passes_have_no_say_in_the_pace():
    step = whole((0.0, 1.1), (1.0, 1.1))
    assert pace([[step, whole((0.5, 9.0), away_s=8.0)]], at_s=0.6) == 1.1
    assert pace([[whole((0.0, 9.0), away_s=8.0)]], at_s=0.6) == 1.0


def test_runs_have_the_pace_of_their_own_moments():
    """Calm runs at 0, 1, 2 s, when passes took 1.2; the disturbed one at 3 s, when they took 5, has no say."""
    passes = [whole(*((0.1 * n, 1.2) for n in range(25))), whole(*((2.5 + 0.1 * n, 5.0) for n in range(20)))]
    assert runs(1.0, 1.0, 1.0, 9.0, felt=1).pace([passes]) == 1.2


def test_a_meeting_of_few_bytes_takes_as_long_over_the_link_as_ranks_have_it():
    """A meeting of 1 ms, of which 0.1 ms is handing over and 0.08 ms the bytes."""
    link = LinkEstimate(2e-4, 1e8, 1e-4, 0.0, ())
    heard = with_meetings(link, meeting_s=1e-3, payload_bytes=1_000)
    assert heard.latency_s == pytest.approx(1e-3 - 1e-4 - 8e-5)
    assert (heard.bits_per_s, heard.message_overhead_s) == (link.bits_per_s, link.message_overhead_s)
    assert with_meetings(link, meeting_s=1e-4, payload_bytes=1_000) == link


def row(name: str, not_judged: str | None = None) -> JudgedRow:
    return JudgedRow(name, 1.0, 1.0, not_judged=not_judged)


def test_a_row_is_named_as_not_judged_where_its_runs_are_not_steady():
    assert steady_row(row("a"), runs(1.0, 1.0, 1.0), ()).not_judged is None
    assert (
        steady_row(row("a"), runs(1.0, 1.0, felt=1), ()).not_judged == "1 of 2 runs undisturbed (50% taken, 10% stolen)"
    )


def test_laws_are_of_steady_rows_and_of_enough_of_them():
    half = [row("a"), row("b", "disturbed")]
    found = outcome(half, lambda rows: [BROKEN], [KEPT], ["noted"])
    assert (found.skipped, found.judgements, found.remarks) == (None, (BROKEN, KEPT), ("noted",))
    skipped = outcome([*half, row("c", "unsteady")], lambda rows: [BROKEN], [KEPT], [])
    assert skipped.skipped is not None
    assert skipped.skipped.startswith("1 of 3 rows are steady enough to judge (the first that is not: disturbed)")
    assert skipped.judgements == (KEPT,)


def test_a_wrong_text_is_no_matter_of_steadiness():
    assert not outcome([row("a", "disturbed")], lambda rows: [], [BROKEN], []).holds
