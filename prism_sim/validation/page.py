"""Writes what parts found into a page (Markdown), between the markers of each: the figures there are those printed.

<!-- validate: NAME -->
... whatever stands here is replaced ...
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from prism_sim.reports.validate import cells, headings, sentences
from prism_sim.validation.base import Finding, Part, Report

BLOCK = re.compile(r"(?P<begin><!-- validate: (?P<name>[\w-]+) -->\n)(?P<content>.*?)(?P<end><!-- end -->)", re.DOTALL)


def check_places(page: str, parts: Sequence[Part]) -> None:
    """Raises ValueError for a part without a place in the page."""
    places = {block["name"] for block in BLOCK.finditer(page)}
    for part in parts:
        if part.name not in places:
            raise ValueError(f"no place for {part.name}: add the lines <!-- validate: {part.name} --> and <!-- end -->")


def filled(page: str, report: Report) -> str:
    """The page with the places of the report's parts written anew; those of skipped parts stay as they are."""
    found = {finding.part.name: finding for finding in report.findings if finding.outcome.skipped is None}

    def written(block: re.Match[str]) -> str:
        if block["name"] not in found:
            return block[0]
        return f"{block['begin']}{content(found[block['name']], report.settings.quick)}{block['end']}"

    return BLOCK.sub(written, page)


def content(finding: Finding, quick: bool) -> str:
    """One part: a table, and sentences below it."""
    outcome, columns = finding.outcome, headings(finding)
    lines = [_line(columns), _line(["---", *["---:"] * (len(columns) - 1)])]
    lines += [_line(cells(finding, row)) for row in outcome.rows]
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


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"
