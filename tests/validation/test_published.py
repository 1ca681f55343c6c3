"""The published rows of a board: fitted ones are shown and not judged, left-out ones are."""

from __future__ import annotations

import pytest

from prism_sim.progress import SILENT
from prism_sim.validation.base import PartOutcome, ValidationSettings
from prism_sim.validation.parts import published


@pytest.fixture(scope="module")
def outcome() -> PartOutcome:
    return published.run(ValidationSettings(quick=True), SILENT)


def test_rows_are_there_as_fitted_and_as_left_out(outcome: PartOutcome):
    fitted, left_out = ([row for row in outcome.rows if (row.not_judged is None) == judged] for judged in (False, True))
    measured_s = {row.case: row.measured_s for row in fitted if row.tags["time"] == "total"}
    assert len(measured_s) == 6
    assert len(left_out) == 2
    assert all(measured_s[row.case.removeprefix("without ")] == row.measured_s for row in left_out)
    assert outcome.holds


def test_the_parts_of_a_total_add_up_to_it(outcome: PartOutcome):
    for total in [row for row in outcome.rows if row.case.endswith(": total") and row.not_judged]:
        name = total.case.removesuffix("total")
        parts = [row for row in outcome.rows if row.case.startswith(name) and row is not total]
        if parts:  # one device alone only computes
            assert sum(row.predicted_s for row in parts) == pytest.approx(total.predicted_s, rel=1e-9)


def test_what_is_left_out_is_predicted_worse_than_what_was_fitted(outcome: PartOutcome):
    by_case = {row.case: abs(row.error) for row in outcome.rows}
    left_out = {case: error for case, error in by_case.items() if case.startswith("without ")}
    assert all(error > by_case[case.removeprefix("without ")] for case, error in left_out.items())
