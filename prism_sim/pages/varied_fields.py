"""The scenario at other values of one field: where bandwidth changes the order, and what compressing more would do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pandas import DataFrame

from prism_sim.choice.result import RunResult
from prism_sim.pages.charts import along_chart, break_even_chart
from prism_sim.pages.document import PageSection
from prism_sim.pages.markup import PageTable, drawing, joined, paragraph
from prism_sim.pages.told import told
from prism_sim.reports.breakeven import show_break_even
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.placed import placed
from prism_sim.simulation.simulate import Simulation, simulate
from prism_sim.units_text import bytes_text, seconds_text
from prism_sim.why.breakeven import break_even

BANDWIDTH, SINGLE, PRISM = "network.bandwidth", "single", "prism"
SCAN_POINTS = 33
RATES = 9  # compression rates that are tried


def break_even_section(scenario: Scenario) -> PageSection:
    """Against one device alone; of one device alone, against PRISM."""
    other = PRISM if scenario.strategy.name == SINGLE else SINGLE
    title = "From which bandwidth on"
    try:
        found = break_even(scenario, BANDWIDTH, other, n_points=SCAN_POINTS)
    except ScenarioError as error:  # links have no such field; PRISM needs two devices
        return PageSection(title, paragraph(f"Not computed: {error.reason}"))
    chart = break_even_chart(found, present=scenario.network.up_bits_per_s)
    shown = told(partial(show_break_even, found), "At the ends, and where the order changes", [scenario.name])
    return PageSection(title, joined([drawing(chart), shown]))


def compression_section(result: RunResult) -> Iterator[PageSection]:
    """Nothing where the strategy does not compress."""
    segments, rate = result.simulation.compression
    if segments is None or rate is None:
        return
    tried = _tried(result) | {segments: result.simulation}
    chosen = [tried[n_segments] for n_segments in sorted(tried)]
    rows = DataFrame([_row(result, one) for one in chosen])
    columns = ("segments L", "compression rate", "latency", "sent")
    table = PageTable.of("More and less compression", columns, [_cells(one) for one in chosen], text=())
    chart = along_chart(rows, "compression_rate", present=rate, title="Latency along the compression rate")
    yield PageSection("What compressing more would do", joined([drawing(chart), table.__html__()]))


def _tried(result: RunResult) -> dict[int, Simulation]:
    """By the number of segments that each has: doubled from 1 until each row is its own segment."""
    job, scenario = result.simulation.job, result.scenario
    most = -(-job.n_tokens // job.n_ranks)
    removed: dict[str, Any] = {}
    if "compression_rate" in scenario.written.strategy_fields:  # which says the same in another way
        removed = {"strategy.compression_rate": None}
    found: dict[int, Simulation] = {}
    for n_segments in sorted({min(most, round(most ** (place / (RATES - 1)))) for place in range(RATES)}):
        changed = scenario.with_overrides({**removed, "strategy.segments": n_segments})
        with placed(changed):
            simulation = simulate(changed)
        found[n_segments] = simulation
    return found


def _row(result: RunResult, simulation: Simulation) -> dict[str, Any]:
    row = {
        "strategy": simulation.job.strategy,
        "latency_s": simulation.latency_s,
        "compression_rate": simulation.compression[1],
        "versus_single_latency_s": result.single.latency_s,
        "versus_single_fits": result.single.fits,
    }
    if result.voltage is not None:
        row |= {"versus_voltage_latency_s": result.voltage.latency_s, "versus_voltage_fits": result.voltage.fits}
    return row


def _cells(simulation: Simulation) -> tuple[str, ...]:
    segments, rate = simulation.compression
    sent = bytes_text(sum(simulation.sent_bytes))
    return (
        "each row" if segments is None else str(segments),
        "" if rate is None else f"{rate:.3g}",
        seconds_text(simulation.latency_s),
        sent,
    )
