"""Which sharing rule real connections follow: runs of four processes that the network binds, beside both rules."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prism_sim.live.launcher import LiveError
from prism_sim.live.namespaces import LinkShape, shaped, why_not
from prism_sim.live.timed import quartiles_s
from prism_sim.live_runs.live import planned
from prism_sim.live_runs.series import Series, run_series
from prism_sim.progress import Progress
from prism_sim.scenario import load_scenario
from prism_sim.validation.base import JudgedRow, Judgement, PartOutcome, ValidationPart, ValidationSettings

RULES = ("fifo", "fair")
MBIT_PER_S = 20  # as the scenario says
GOODPUT = 1448 / 1514  # of a full Ethernet frame, TCP with time stamps
SCENARIO = Path(__file__).with_name("network_bound.yaml")

UNEQUAL = "strategy.shares=[0.4, 0.3, 0.2, 0.1]"
CASES: Mapping[str, tuple[str, ...]] = {  # overrides, by name
    "voltage, equal parts": (),
    "voltage, unequal parts": (UNEQUAL,),
    "voltage, unequal parts the other way": ("strategy.shares=[0.1, 0.2, 0.3, 0.4]",),
    "voltage, through a star": ("network.collective=star",),
    "voltage, in a ring, unequal parts": ("network.collective=ring", UNEQUAL),
    "prism L=40, unequal parts": ("strategy.name=prism", "strategy.segments=40", UNEQUAL),
    "tensor parallel": ("strategy.name=tensor_parallel",),
    "tensor parallel, in a ring": ("strategy.name=tensor_parallel", "network.collective=ring"),
}


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """Each case, live in shaped namespaces, and as each rule has it."""
    if (reason := why_not()) is not None:
        return PartOutcome(skipped=reason)
    chosen = list(CASES)[:2] if settings.quick else list(CASES)
    rate = MBIT_PER_S * 1e6
    cells = tuple((str(SCENARIO), CASES[case]) for case in chosen)
    series = Series(cells, configs=(), passes=(), repeats=settings.repeats, n_processes=4)
    progress.line(f"sharing: {len(chosen)} cases, {settings.repeats} times in turn")
    try:
        with shaped(4, LinkShape(rate, rate)) as made:
            found = run_series(series, made.meeting(), max(4 * settings.budget_s, 600.0)).cells
    except LiveError as error:
        return PartOutcome(skipped=f"live runs fail here: {error}")
    rows = tuple(row for case, cell in zip(chosen, found, strict=True) for row in _rows(case, cell))
    return PartOutcome(rows, judgements(rows), (_told(rows),))


def _rows(case: str, cell: Mapping[str, Any]) -> Iterator[JudgedRow]:
    times = cell["latencies_s"]
    rate = f"network.bandwidth={MBIT_PER_S * GOODPUT:.4f} Mbit/s"
    for rule in RULES:
        scenario = load_scenario(SCENARIO, [*CASES[case], rate, f"network.sharing={rule}"])
        yield JudgedRow(
            case=f"{case}, {rule}",
            predicted_s=planned(scenario).latency_s,
            measured_s=statistics.median(times),
            spread_s=quartiles_s(times),
            tags={"rule": rule},
        )


def _errors(rows: Sequence[JudgedRow], rule: str) -> list[float]:
    return [abs(row.error) for row in rows if row.tags["rule"] == rule]


def judgements(rows: Sequence[JudgedRow]) -> tuple[Judgement, ...]:
    """The default is the rule that is nearer."""
    default = load_scenario(SCENARIO).network.sharing
    nearer = min(RULES, key=lambda rule: statistics.fmean(_errors(rows, rule)))
    return (Judgement(f"the default sharing rule ({default}) is the one that is nearer ({nearer})", default == nearer),)


def _told(rows: Sequence[JudgedRow]) -> str:
    return (
        "; ".join(
            f"{rule}: off by {100 * statistics.fmean(_errors(rows, rule)):.1f} % in the mean, "
            f"{100 * max(_errors(rows, rule)):.0f} % at worst"
            for rule in RULES
        ).capitalize()
        + "."
    )


PART = ValidationPart(
    "sharing", "Do concurrent messages share a port, or pass one after another?", "measured", run, order=35
)
