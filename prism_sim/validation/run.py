"""Finds the parts, runs them, and keeps what they found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from prism_sim.catalogue import discover, look_up
from prism_sim.progress import Progress
from prism_sim.simulation.provenance import versions
from prism_sim.validation.base import SCHEMA, Finding, JudgedRow, Report, ValidationPart, ValidationSettings, summary


def catalogue() -> dict[str, ValidationPart]:
    """All parts by name, in the order in which they are read."""
    found = sorted(
        discover("prism_sim.validation.parts", "PART", ValidationPart), key=lambda part: (part.order, part.name)
    )
    return {part.name: part for part in found}


def chosen(names: Sequence[str] | None) -> tuple[ValidationPart, ...]:
    """The parts of these names in the catalogue's order; None: all. Raises ValueError for an unknown one."""
    known = catalogue()
    if names is None:
        return tuple(known.values())
    wanted = {look_up("part", name, known).name for name in names}
    return tuple(part for part in known.values() if part.name in wanted)


def validate(parts: Sequence[ValidationPart], settings: ValidationSettings, progress: Progress) -> Report:
    """Runs one part after another; progress: told what is done now."""
    findings = []
    for part in parts:
        progress.line(f"{part.name}: {part.question}")
        since_s = time.perf_counter()
        outcome = part.run(settings, progress)
        findings.append(Finding(part, outcome, time.perf_counter() - since_s))
    return Report(settings, tuple(findings))


def to_json(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "holds": report.holds,
        "settings": asdict(report.settings),
        "parts": [_part_to_json(finding) for finding in report.findings],
        "versions": versions(),
    }


def _part_to_json(finding: Finding) -> dict[str, Any]:
    part, outcome = finding.part, finding.outcome
    return {
        "part": part.name,
        "question": part.question,
        "against": part.against,
        "skipped": outcome.skipped,
        "holds": outcome.holds,
        "took_s": finding.took_s,
        "rows": [row.to_json() for row in outcome.rows],
        "summary": _summary_to_json(outcome.rows),
        "groups": {name: _summary_to_json(rows) for name, rows in outcome.groups.items()},
        "judgements": [asdict(judgement) for judgement in outcome.judgements],
        "remarks": list(outcome.remarks),
    }


def _summary_to_json(rows: Sequence[JudgedRow]) -> dict[str, Any] | None:
    found = summary(rows)
    return None if found is None else asdict(found)


def table(report: Report) -> list[dict[str, Any]]:
    """A record a row, tags as columns: the CSV that `prism-sim plot predicted-measured` draws."""
    rows = [(finding.part.name, row) for finding in report.findings for row in finding.outcome.rows]
    tags = list(dict.fromkeys(tag for _, row in rows for tag in row.tags))
    return [
        {
            "part": part,
            "case": row.case,
            "predicted_s": row.predicted_s,
            "measured_s": row.measured_s,
            "error": row.error,
            "spread_low_s": low_s,
            "spread_high_s": high_s,
            **{tag: row.tags.get(tag) for tag in tags},
            "not_judged": row.not_judged,
        }
        for part, row in rows
        for low_s, high_s in [row.spread_s or (None, None)]
    ]
