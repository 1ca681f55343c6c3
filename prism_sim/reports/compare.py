"""What `prism-sim compare` shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.study.compare import Candidate, Comparison, peak_memory_bytes
from prism_sim.study.verdict import comparison_verdict
from prism_sim.units_text import bytes_text, joules_text, seconds_text, speedup_text

WIDTH = 78  # of the whole table; a narrower terminal gets it in two
COLUMNS = ("latency", "speed-up", "outputs", "per s", "sent", "memory", "energy")


def show_comparison(comparison: Comparison, console: Console) -> None:
    """One table of all candidates, the fastest first, then the verdict."""
    console.print(f"\n[bold]{escape(comparison.scenario.name)}[/bold]")
    wide = console.width >= WIDTH
    for columns in (COLUMNS,) if wide else (COLUMNS[:3], COLUMNS[3:]):
        table = new_table("", *columns)
        for name, candidate in comparison.named():
            if candidate.simulation is not None:
                style = None if candidate.fits else "dim"
                cells = _cells(comparison, candidate)
                table.add_row(NarrowName(name), *(cells[column] for column in columns), style=style)
        console.print(table)
    for name, candidate in comparison.named():
        if candidate.reason is not None:
            console.print(escape(f"{name}: {candidate.reason}"), style="dim")
    if any(candidate.fidelity and candidate.fidelity.random_weights for candidate in comparison.candidates):
        console.print("outputs: cosine to the undistributed model's; random weights: not an accuracy estimate")
    for line in comparison_verdict(comparison):
        console.print(f"[bold]{escape(line)}[/bold]")
    console.print()


def _cells(comparison: Comparison, candidate: Candidate) -> dict[str, str]:
    simulation, alone = candidate.simulation, comparison.alone.simulation
    assert simulation is not None
    joules = simulation.total_energy_j
    return {
        "latency": seconds_text(simulation.latency_s),
        "speed-up": "" if alone is None else speedup_text(alone.latency_s / simulation.latency_s),
        "outputs": _outputs(candidate),
        "per s": f"{simulation.throughput_per_s:.3g}",
        "sent": bytes_text(sum(simulation.timeline.sent_bytes)),
        "memory": bytes_text(peak_memory_bytes(simulation)) + ("" if candidate.fits else " !"),
        "energy": "" if joules is None else joules_text(joules),
    }


def _outputs(candidate: Candidate) -> str:
    if candidate.lossless:
        return "exact"
    return "lossy" if candidate.fidelity is None else f"{candidate.fidelity.cosine:.4f}"
