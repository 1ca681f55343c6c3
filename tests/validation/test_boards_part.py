"""The part that sets boards and clusters beside published measurements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prism_sim.progress import SILENT
from prism_sim.reports.validate import content, group_cells
from prism_sim.validation.base import Finding, PartOutcome, ValidationSettings
from prism_sim.validation.parts import boards as part


@pytest.fixture(scope="module")
def outcome() -> PartOutcome:
    return part.run(ValidationSettings(), SILENT)


def test_its_laws_hold(outcome):
    assert [judgement.law for judgement in outcome.judgements if not judgement.holds] == []
    assert len(outcome.judgements) == 4


def test_each_board_and_runtime_says_how_many_rows_it_has_and_how_far_off_they_are(outcome):
    finding = Finding(part.PART, outcome, 1.0)
    cells = {name: amounts for name, *amounts in group_cells(finding)}
    rows = [row for row in outcome.rows if row.tags["board"] == "raspberry-pi-5, llama.cpp"]
    assert cells["raspberry-pi-5, llama.cpp"][:2] == [str(len(rows)), str(len(rows))]
    assert cells["apple-m4, llama.cpp"] == ["1", "0", "", ""]  # its one model is as fitted
    page = content(finding, quick=False)
    assert "| board | rows | judged | half within | worst |" in page
    assert "Published rows that are not used, and why" in page


def test_a_row_far_off_needs_its_reason(outcome, monkeypatch):
    unseen = part.unseen_rows
    monkeypatch.setattr(
        part, "unseen_rows", lambda: [replace(one, row=replace(one.row, far_because=None)) for one in unseen()]
    )
    without = part.run(ValidationSettings(), SILENT)
    (broken,) = [judgement.law for judgement in without.judgements if not judgement.holds]
    assert "without its reason" in broken
    assert "deit-tiny" in broken
