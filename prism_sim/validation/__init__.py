"""How far predictions can be trusted: each part sets the simulator beside something else, row by row.

    found = validate(chosen(["closed-forms"]), Settings(), progress)
    found.holds                           whether every part's own laws held
    to_json(found)                        rows, summaries, judgements

Adding a part: one file in `parts/` that offers `PART`.
"""

from __future__ import annotations

from prism_sim.validation.base import (
    Finding,
    JudgedRow,
    Judgement,
    PartOutcome,
    Report,
    ValidationPart,
    ValidationSettings,
)
from prism_sim.validation.run import catalogue, chosen, table, to_json, validate
from prism_sim.validation.summary import Summary, rank_agreement, summary

__all__ = [
    "Finding",
    "JudgedRow",
    "Judgement",
    "PartOutcome",
    "Report",
    "Summary",
    "ValidationPart",
    "ValidationSettings",
    "catalogue",
    "chosen",
    "rank_agreement",
    "summary",
    "table",
    "to_json",
    "validate",
]
