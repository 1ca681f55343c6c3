"""What `prism-sim validate` shows in the terminal, and writes into a page between the markers of each part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.reports import page as pages
from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.units_text import error_text, size_text
from prism_sim.validation.base import DIFFERENT, FAR, Finding, JudgedRow, Report, ValidationPart, summary

PLACE = "validate"  # what the page's markers begin with


def show_validation(report: Report, console: Console) -> None:
    """Every part: its rows, how far off they are, and whether its laws held."""
    for finding in report.findings:
        _show(finding, console)


def _show(finding: Finding, console: Console) -> None:
    part, outcome = finding.part, finding.outcome
    console.print(f"\n[bold]{escape(part.name)}[/bold]: {escape(part.question)}", highlight=False)
    if outcome.skipped is not None:
        console.print(f"skipped: {escape(outcome.skipped)}", style="yellow", highlight=False)
    if outcome.rows:
        console.print(_rows(finding))
        if outcome.grouped_by is not None and outcome.skipped is None:
            console.print(_groups(finding))
        console.print()
    for line in sentences(finding):
        console.print(escape(line), highlight=False)
    for judgement in outcome.judgements:
        style, verdict = ("green", "holds") if judgement.holds else ("bold red", "BROKEN")
        console.print(f"{verdict}: {escape(judgement.law)}", style=style, highlight=False)
    for remark in outcome.remarks:
        console.print(escape(remark), style="dim", highlight=False)


def _rows(finding: Finding) -> Table:
    found = new_table(*headings(finding))
    for row in finding.outcome.rows:
        name, *amounts = cells(finding, row)
        found.add_row(NarrowName(name), *amounts)
    return found


def _groups(finding: Finding) -> Table:
    found = new_table(*group_headings(finding))
    for name, *amounts in group_cells(finding):
        found.add_row(NarrowName(name), *amounts)
    return found


def group_headings(finding: Finding) -> list[str]:
    return [finding.outcome.grouped_by or "", "rows", "judged", "half within", "worst"]


def group_cells(finding: Finding) -> list[list[str]]:
    """A line a group: how many rows it has, how many of them are judged, and how far off these are."""
    found = []
    for name, rows in finding.outcome.groups.items():
        errors = summary(rows)
        told = ["", ""] if errors is None else [size_text(errors.median_abs_error), error_text(errors.worst_error)]
        found.append([name, str(len(rows)), str(0 if errors is None else errors.n_rows), *told])
    return found


def headings(finding: Finding) -> list[str]:
    """Of the columns that this part's rows fill."""
    rows, last = finding.outcome.rows, []
    if any(row.spread_s is not None for row in rows):
        last.append("spread")
    if any(row.not_judged is not None for row in rows):
        last.append("not judged")
    return ["case", "predicted", finding.part.against, "error", *last]


def cells(finding: Finding, row: JudgedRow) -> list[str]:
    """A row under these headings."""
    digits, names = finding.part.digits, headings(finding)
    found = [row.case, _time(row.predicted_s, row, digits), _time(row.measured_s, row, digits), error_text(row.error)]
    if "spread" in names:
        ends = row.spread_s or ()
        found.append(" to ".join(_time(end, row, digits) for end in ends))
    if "not judged" in names:
        found.append(row.not_judged or "")
    return found


def _time(seconds: float, row: JudgedRow, digits: int) -> str:
    """In the unit of what was measured, so that a line compares at sight."""
    factor, unit = next((step for step in ((1.0, "s"), (1e-3, "ms")) if row.measured_s >= step[0]), (1e-6, "µs"))
    amount = seconds / factor
    whole = abs(amount) >= 10 ** (digits - 1)
    return f"{amount:.0f} {unit}" if whole else f"{amount:#.{digits}g}".rstrip(".") + f" {unit}"


def sentences(finding: Finding) -> list[str]:
    """How far off the judged rows are."""
    found = summary(finding.outcome.rows)
    if found is None or finding.outcome.skipped is not None:
        return []
    told = [
        f"{found.n_rows} rows: half of them within {size_text(found.median_abs_error)}; the worst is "
        f"{error_text(found.worst_error)} ({found.worst}); {found.n_far} more than {100 * FAR:.0f} % off."
    ]
    if found.ranked:
        pairs = f"{found.ranked_right} of {found.ranked} pairs of strategies"
        told.append(
            f"The faster one is predicted to be so in {pairs} that differ by more than {100 * DIFFERENT:.0f} %."
        )
    return told


def check_places(page: str, parts: Sequence[ValidationPart]) -> None:
    """Raises ValueError for a part without a place in the page."""
    pages.check_places(page, PLACE, [part.name for part in parts])


def read_page(path: Path, parts: Sequence[ValidationPart]) -> str:
    """The page as it is now. Raises ValueError if a part has no place in it, OSError if there is no such file."""
    text = path.read_text(encoding="utf-8")
    try:
        check_places(text, parts)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return text


def filled(page: str, report: Report) -> str:
    """The page with the places of the report's parts written anew; those of skipped parts stay as they are."""
    found = [finding for finding in report.findings if finding.outcome.skipped is None]
    return pages.filled(page, PLACE, {one.part.name: content(one, report.settings.quick) for one in found})


def content(finding: Finding, quick: bool) -> str:
    """One part: a table, and sentences below it."""
    outcome = finding.outcome
    lines = pages.table(headings(finding), [cells(finding, row) for row in outcome.rows])
    if outcome.grouped_by is not None:
        lines += ["", *pages.table(group_headings(finding), group_cells(finding))]
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
