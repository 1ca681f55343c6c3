"""The cases with exact answers hold, and a simulator that was wrong by a little would be found out."""

from __future__ import annotations

import pytest

from prism_sim.progress import SILENT
from prism_sim.validation.base import ValidationSettings
from prism_sim.validation.parts import closed_forms
from prism_sim.validation.run import chosen

CASES = list(closed_forms.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_simulator_gives_what_arithmetic_gives(case: closed_forms.ClosedForm):
    assert case.predicted_s() == pytest.approx(case.formula_s, rel=closed_forms.EXACT)


def test_the_all_gather_case_is_the_known_one():
    assert CASES[0].formula_s == pytest.approx(0.49717, abs=5e-6)


def test_the_part_says_so():
    (part,) = chosen(["closed-forms"])
    outcome = part.run(ValidationSettings(), SILENT)
    assert outcome.holds
    assert len(outcome.rows) == len(CASES)


def test_a_small_error_breaks_the_law(monkeypatch: pytest.MonkeyPatch):
    off = closed_forms.ClosedForm("off", lambda: 1 + 1e-9, 1.0)
    monkeypatch.setattr(closed_forms, "cases", lambda: iter([*CASES, off]))
    assert not closed_forms.run(ValidationSettings(), SILENT).holds
