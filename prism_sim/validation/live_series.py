"""What the series of live validation have in common: their patience, and a run that tells what a meeting costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prism_sim.live.link import LinkEstimate
from prism_sim.live.steady.rounds import Patience
from prism_sim.live_runs.live import LiveResult, planned
from prism_sim.live_runs.meeting import ALL_WAIT, meeting_s
from prism_sim.scenario import load_scenario
from prism_sim.validation.base import ValidationSettings
from prism_sim.validation.cores import with_meetings

MEETINGS = Path(__file__).with_name("parts") / "meetings.yaml"
MEETING_CELL = (str(MEETINGS), ())  # in a series, behind its cases
MORE_ROUNDS = 10  # for what was disturbed
QUICK_S = 120.0  # for all rounds of a quick series, which take half of it on a quiet machine
BUDGETS = 3  # for those of a whole one, of the time that its rounds alone may take


def patience(settings: ValidationSettings) -> Patience:
    return Patience(MORE_ROUNDS, QUICK_S if settings.quick else BUDGETS * settings.budget_s)


def heard(network: LinkEstimate, meeting: Mapping[str, Any]) -> LinkEstimate:
    """The link as ranks have it. meeting: what the series reports of `MEETING_CELL`."""
    scenario = load_scenario(MEETINGS)
    predicted = planned(scenario)
    result = LiveResult.of(scenario, predicted, meeting)
    exchanges = predicted.plan.exchanges
    payload_bytes = max(max(one.bytes_by_rank) for one in exchanges if one.kind == ALL_WAIT)
    return with_meetings(network, meeting_s(predicted.plan, result.timeline), payload_bytes)
