"""What `prism-sim compare` shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from prism_sim.reports.accuracy import show_accuracy, show_notes, value_text
from prism_sim.reports.collectives import exchanges_lines
from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.study.accuracy import Accuracy
from prism_sim.study.compare import Candidate, Comparison, peak_memory_bytes
from prism_sim.study.verdict import comparison_verdict
from prism_sim.units_text import bytes_text, joules_text, seconds_text, speedup_text

WIDTH = 78  # of the whole table; a narrower terminal gets it in two
COLUMNS = ("latency", "speed-up", "outputs", "per s", "sent", "memory", "energy")


def show_comparison(comparison: Comparison, console: Console) -> None:
    """One table of all candidates, the fastest first, then the verdict."""
    console.print(f"\n[bold]{escape(comparison.scenario.name)}[/bold]")
    found = next((one.accuracy for one in comparison.candidates if one.accuracy is not None), None)
    columns_of_all = COLUMNS if found is None else (*COLUMNS[:3], found.metric, *COLUMNS[3:])
    wide = console.width >= WIDTH + (0 if found is None else 3 + len(found.metric))
    for columns in (columns_of_all,) if wide else (columns_of_all[:-4], columns_of_all[-4:]):
        table = new_table("", *columns)
        for name, candidate in comparison.named():
            if candidate.simulation is not None:
                style = None if candidate.fits else "dim"
                cells = _cells(comparison, candidate) | _accuracy(candidate, found)
                table.add_row(NarrowName(name), *(cells[column] for column in columns), style=style)
        console.print(table)
    played = [(name, one.simulation) for name, one in comparison.named() if one.simulation is not None]
    for line in exchanges_lines(played):
        console.print(escape(line), style="dim", highlight=False)
    for name, candidate in comparison.named():
        if candidate.reason is not None:
            console.print(escape(f"{name}: {candidate.reason}"), style="dim")
    if any(candidate.fidelity and candidate.fidelity.random_weights for candidate in comparison.candidates):
        console.print("outputs: cosine to the undistributed model's; random weights: not an accuracy estimate")
    for candidate in comparison.candidates:
        if candidate.accuracy is not None:
            show_accuracy(candidate.accuracy, console, f"{candidate.strategy} x{len(candidate.devices)}: ")
    if found is not None:
        show_notes(found, console)
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


def _accuracy(candidate: Candidate, found: Accuracy | None) -> dict[str, str]:
    """The metric of a task; of an exact strategy, the undistributed model's, as its outputs are the same."""
    if found is None:
        return {}
    own = candidate.accuracy.distributed if candidate.accuracy is not None else found.undistributed
    return {found.metric: value_text(found.metric, own.estimate) if candidate.accuracy or candidate.lossless else ""}


def _outputs(candidate: Candidate) -> str:
    if candidate.lossless:
        return "exact"
    return "lossy" if candidate.fidelity is None else f"{candidate.fidelity.cosine:.4f}"
