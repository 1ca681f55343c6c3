"""Six published measurements of two Jetson Orin Nano boards, beside the scenario whose numbers were fitted to them.

That the fit meets them says little; so each of them is also left out in turn, and predicted from the other five.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from prism_sim.calibration.cases import cases, parts_s, simulation_of
from prism_sim.calibration.fit import fit
from prism_sim.calibration.table import ORIN_NANO, MeasuredRow, MeasuredTable, read_table
from prism_sim.progress import Progress
from prism_sim.ready.examples import example
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.validation.base import JudgedRow, Judgement, PartOutcome, ValidationPart, ValidationSettings

SCENARIO = "vit-base-orin-nano"
FITTED = "fitted to it"
FITTED_CLOSE, LEFT_OUT_CLOSE = 0.075, 0.25  # relative, of totals
QUICK = slice(None, None, 3)  # rows that a quick run leaves out


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    scenario, table = load_scenario(example(SCENARIO)), read_table(ORIN_NANO)
    fitted = [row for measured in table.rows for row in _fitted(measured, scenario)]
    left_out = []
    for measured in table.rows[QUICK] if settings.quick else table.rows:
        progress.line(f"published: without {measured.name}")
        left_out.append(_left_out(measured, table, scenario))
    remarks = (
        "Source: arXiv 2605.25682 (2026), Table 4, CC BY 4.0: ViT-B/16, two Jetson Orin Nano 8 GB, about 400 Mbit/s.",
        "Without: predicted from a fit to the other five rows, which know its strategy from one other batch only.",
    )
    return PartOutcome((*fitted, *left_out), tuple(_judgements(fitted, left_out)), remarks)


def _fitted(measured: MeasuredRow, scenario: Scenario) -> Iterator[JudgedRow]:
    """The total, and its parts if it has several."""
    simulation = simulation_of(measured, scenario)
    found = parts_s(simulation.timeline, simulation.plan.n_ranks)
    yield _row(f"{measured.name}: total", measured, found, "total", FITTED)
    for time, measured_s in measured.times_s.items():
        if 0 < measured_s < measured.times_s["total"]:
            yield _row(f"{measured.name}: {time}", measured, found, time, FITTED)


def _left_out(measured: MeasuredRow, table: MeasuredTable, scenario: Scenario) -> JudgedRow:
    """Its total, from numbers that were fitted to the others."""
    others = replace(table, rows=tuple(row for row in table.rows if row is not measured))
    found = fit(others, scenario, n_starts=1)  # from the shipped numbers; from eight starts it ends at the same ones
    (case,) = cases(replace(table, rows=(measured,)), scenario)
    return _row(f"without {measured.name}: total", measured, case.predicted_s(found.values), "total", None)


def _row(name: str, measured: MeasuredRow, found_s: Mapping[str, float], time: str, why: str | None) -> JudgedRow:
    """Only totals are of a strategy: what it is about is which is faster."""
    tags = {"batch": str(measured.batch), "link": "Wi-Fi 6E, 400 Mbit/s", "device": "jetson-orin-nano", "time": time}
    if time == "total":
        tags |= {"strategy": measured.strategy, "segments": str(measured.segments or "")}
    return JudgedRow(name, found_s[time], measured.times_s[time], tags=tags, not_judged=why)


def _judgements(fitted: list[JudgedRow], left_out: list[JudgedRow]) -> Iterator[Judgement]:
    totals = [row for row in fitted if row.tags["time"] == "total"]
    for rows, close, name in ((totals, FITTED_CLOSE, "fitted"), (left_out, LEFT_OUT_CLOSE, "left out")):
        worst = max(abs(row.error) for row in rows)
        yield Judgement(
            f"totals that were {name} within {100 * close:.3g} % (the worst: {100 * worst:.2g} %)", worst <= close
        )


PART = ValidationPart(
    "published", "Do the shipped numbers of a board meet what was published of it?", "measured", run, order=3
)
