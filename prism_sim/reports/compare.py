"""What `prism-sim compare` shows in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from prism_sim.choice.compare import Candidate, Comparison, speedup_over
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.sizes import left_out_text
from prism_sim.outputs.task_accuracy import Accuracy
from prism_sim.reports.accuracy import show_accuracy, show_notes, value_text
from prism_sim.reports.collectives import exchanges_lines
from prism_sim.reports.fit_samples import RANGE, range_cell, show_samples
from prism_sim.reports.tables import NarrowName, memory_text, new_table
from prism_sim.shares.choice import sizes_text
from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import bytes_text, joules_text, per_second_text, seconds_text, speedup_text

WIDTH = 80  # of the whole table; a narrower terminal gets it in two
COLUMNS = ("latency", "speed-up", "outputs", "requests/s", "sent", "memory", "energy")
OF_TEXT = ("latency", "TTFT", "TPOT", "speed-up", "outputs", "tokens/s", "sent", "memory", "energy")
SAMPLES = "samples/s"
RANGE_WIDTH = 17


def show_comparison(comparison: Comparison, console: Console) -> None:
    """One table of all candidates, the fastest first, then the verdict."""
    console.print(f"\n[bold]{escape(comparison.scenario.name)}[/bold]")
    found = next((one.accuracy for one in comparison.candidates if one.accuracy is not None), None)
    added = [] if found is None else [found.metric]
    of_samples = () if comparison.samples is None else (RANGE,)
    is_text = comparison.scenario.workload.new_tokens > 0
    usual = OF_TEXT if is_text else COLUMNS
    batched = [SAMPLES] if comparison.scenario.workload.batch > 1 and not is_text else []
    half = usual.index("outputs") + 1
    columns_of_all = (usual[0], *of_samples, *usual[1:half], *added, usual[half], *batched, *usual[half + 1 :])
    more = sum(3 + len(column) for column in (*added, *batched, *usual[len(COLUMNS) :]))
    wide = console.width >= WIDTH + more + RANGE_WIDTH * len(of_samples)
    half += len(added) + len(of_samples)
    for columns in (columns_of_all,) if wide else (columns_of_all[:half], columns_of_all[half:]):
        table = new_table("", *columns)
        for name, candidate in comparison.named():
            if candidate.simulation is not None:
                style = None if candidate.fits else "dim"
                cells = _cells(comparison, candidate) | _accuracy(candidate, found)
                table.add_row(NarrowName(name), *(cells[column] for column in columns), style=style)
        console.print(table)
    if comparison.samples is not None:
        show_samples(comparison.samples, None, console)
    for line in _notes(comparison):
        console.print(escape(line), style="dim", highlight=False)
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


def _notes(comparison: Comparison) -> Iterator[str]:
    """What the table has no room for: uneven shares, why something cannot be, ways of exchanges, what was not tried."""
    for name, candidate in comparison.named():
        shares = None if candidate.simulation is None else candidate.simulation.shares
        if candidate.reason is not None:
            yield f"{name}: {candidate.reason}"
        elif shares is not None and shares.kind != "equal":
            yield f"{name}: {'shares' if shares.kind == 'given' else shares.kind} {sizes_text(shares.sizes)}"
    if any(one.simulation is not None and any(one.simulation.streamed_bytes.values()) for _, one in comparison.named()):
        yield "memory: what is held + what is read from storage for each pass, a token's too"
    yield from exchanges_lines((name, one.simulation) for name, one in comparison.named() if one.simulation is not None)
    for sizes in sorted(set(comparison.left_out.values())):
        names = [name for name, left_out in comparison.left_out.items() if left_out == sizes]
        yield f"not tried: {', '.join(names)} over {left_out_text(sizes)} devices"
    yield str(comparison.effort)


def _cells(comparison: Comparison, candidate: Candidate) -> dict[str, str]:
    simulation, ratio = candidate.simulation, speedup_over(comparison.alone, candidate)
    assert simulation is not None
    joules, rate = simulation.total_energy_j, simulation.throughput_per_s
    text = simulation.generation
    return {
        "TTFT": "" if text is None else seconds_text(text.ttft_s),
        "TPOT": "" if text is None or text.tpot_s is None else seconds_text(text.tpot_s),
        "tokens/s": "" if text is None or text.tokens_per_s is None else f"{text.tokens_per_s:.3g}",
        "latency": seconds_text(simulation.latency_s),
        RANGE: "" if comparison.samples is None else range_cell(comparison.samples, simulation),
        "speed-up": "" if ratio is None else speedup_text(ratio),
        "outputs": _outputs(candidate),
        "requests/s": per_second_text(rate),
        SAMPLES: per_second_text(rate * simulation.job.batch),
        "sent": bytes_text(sum(simulation.sent_bytes)),
        "memory": _memory(simulation) + ("" if candidate.fits else " !"),
        "energy": "" if joules is None else joules_text(joules),
    }


def _memory(simulation: Simulation) -> str:
    """Of the device that needs most."""
    return memory_text(simulation, max(simulation.device_bytes, key=lambda device: simulation.device_bytes[device]))


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
