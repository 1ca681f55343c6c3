"""What `prism-sim compare` shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.study.compare import Candidate, Comparison, peak_memory_bytes
from prism_sim.study.verdict import comparison_verdict
from prism_sim.tables import new_table
from prism_sim.units_text import bytes_text, seconds_text


def show_comparison(comparison: Comparison, console: Console) -> None:
    """One table of all candidates, the fastest first, then the verdict."""
    console.print(f"\n[bold]{escape(comparison.scenario.name)}[/bold]")
    table = new_table("", "latency", "speed-up", "per s", "sent", "memory", "energy", "outputs")
    for name, candidate in comparison.named():
        if candidate.simulation is not None:
            _add(table, comparison, candidate, escape(name))
    console.print(table)
    for name, candidate in comparison.named():
        if candidate.reason is not None:
            console.print(escape(f"{name}: {candidate.reason}"), style="dim")
    if any(candidate.fidelity and candidate.fidelity.random_weights for candidate in comparison.candidates):
        console.print("outputs: cosine to the undistributed model's; random weights: not an accuracy estimate")
    for line in comparison_verdict(comparison):
        console.print(f"[bold]{escape(line)}[/bold]")
    console.print()


def _add(table: Table, comparison: Comparison, candidate: Candidate, name: str) -> None:
    simulation, alone = candidate.simulation, comparison.alone.simulation
    assert simulation is not None
    assert alone is not None
    joules = simulation.total_energy_j
    table.add_row(
        name,
        seconds_text(simulation.latency_s),
        f"{alone.latency_s / simulation.latency_s:.2f}x",
        f"{simulation.throughput_per_s:.3g}",
        bytes_text(sum(simulation.timeline.sent_bytes)),
        bytes_text(peak_memory_bytes(simulation)) + ("" if candidate.fits else " !"),
        "" if joules is None else f"{joules:.3g} J",
        _outputs(candidate),
        style=None if candidate.fits else "dim",
    )


def _outputs(candidate: Candidate) -> str:
    if candidate.lossless:
        return "exact"
    return "lossy" if candidate.fidelity is None else f"{candidate.fidelity.cosine:.4f}"
