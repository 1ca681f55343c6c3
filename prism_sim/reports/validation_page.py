"""Writes what parts found into a page (Markdown), between the markers of each: the figures there are those printed.

<!-- validate: NAME -->
... whatever stands here is replaced ...
<!-- end -->
"""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.reports import page as pages
from prism_sim.reports.validate import cells, headings, sentences
from prism_sim.validation.base import Finding, Report, ValidationPart

KIND = "validate"
BLOCK = pages.places(KIND)


def check_places(page: str, parts: Sequence[ValidationPart]) -> None:
    """Raises ValueError for a part without a place in the page."""
    pages.check_places(page, KIND, [part.name for part in parts])


def filled(page: str, report: Report) -> str:
    """The page with the places of the report's parts written anew; those of skipped parts stay as they are."""
    found = [finding for finding in report.findings if finding.outcome.skipped is None]
    return pages.filled(page, KIND, {one.part.name: content(one, report.settings.quick) for one in found})


def content(finding: Finding, quick: bool) -> str:
    """One part: a table, and sentences below it."""
    outcome = finding.outcome
    lines = pages.table(headings(finding), [cells(finding, row) for row in outcome.rows])
    told = sentences(finding)
    if told:
        lines += ["", " ".join(told)]
    lines += [""] * bool(outcome.judgements)
    lines += [f"- {'holds' if one.holds else '**broken**'}: {one.law}" for one in outcome.judgements]
    if outcome.remarks:
        lines += ["", " ".join(outcome.remarks)]
    if quick:
        lines += ["", "A quick run: a few of the cases only."]
    return "\n".join([*lines, ""])
