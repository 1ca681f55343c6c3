"""What `prism-sim run` shows in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim import families
from prism_sim.choice.result import RunResult
from prism_sim.choice.verdict import verdict
from prism_sim.reports.accuracy import show_accuracy, show_notes
from prism_sim.reports.collectives import exchanges_lines
from prism_sim.reports.fit_samples import RANGE, range_cell, show_samples
from prism_sim.reports.generation import show_generation
from prism_sim.reports.run_cells import compared, compared_cells, memory_cell, parts_s
from prism_sim.reports.tables import NarrowName, new_table, parts_table
from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import bytes_text, flops_text, seconds_text


def show(result: RunResult, console: Console) -> None:
    """Prints the whole answer, its verdict last."""
    console.print(f"\n[bold]{escape(result.scenario.name)}[/bold]")
    console.print(_question(result), style="dim")
    console.print(_comparison(result))
    if result.samples is not None:
        show_samples(result.samples, result.times, console)
    if (generation := result.simulation.generation) is None:
        console.print(parts_table(parts_s(result.simulation), result.latency_s))
    else:
        show_generation(generation, console)
        if (several := result.simulation.back_to_back.in_flight) is not None:
            console.print(
                f"{several.tokens_per_s:.3g} tokens/s of {several.sequences} sequences in flight", highlight=False
            )
    for table in _devices(result, console):
        console.print(table)
    for line in storage_lines(result):
        console.print(f"\n{line}", highlight=False)
    for line in exchanges_lines([("", result.simulation)]):
        console.print(f"\n{line}", highlight=False)
    if result.shares is not None and result.shares.kind != "equal":
        console.print(f"\n{result.shares}")
    _show_fidelity(result, console)
    if result.accuracy is not None:
        show_accuracy(result.accuracy, console)
        show_notes(result.accuracy, console)
    if result.scenario.written.unused_fields:
        unused = ", ".join(result.scenario.written.unused_fields)
        console.print(f"not used by {result.simulation.job.strategy}: {unused}", style="yellow")
    console.print(f"\n[bold]{escape(verdict(result))}[/bold]\n")


def _question(result: RunResult) -> str:
    job, scenario = result.simulation.job, result.scenario
    segments, rate = result.simulation.compression
    summary = "" if rate is None or segments is None else f", L = {segments} (CR {rate:.3g})"
    what = "one forward pass (prefill)" if families.find(job.sizes.family).causal else "one forward pass"
    then = f", then {job.new_tokens} new" if job.new_tokens else ""
    head = f"head {job.head.name}{' split over the ranks' if result.simulation.head_is_split else ''}"
    return (
        f"{escape(scenario.model.label)} ({head}, {job.dtype}), "
        f"{what} of {job.batch} x {job.n_tokens} tokens{then}: {job.strategy}{summary} over {job.n_ranks} rank(s)"
    )


def _comparison(result: RunResult) -> Table:
    of_samples = () if result.samples is None else (RANGE,)
    table = new_table("", "latency", *of_samples, "speed-up", "per device", "sent", title="How fast")
    for number, (name, simulation) in enumerate(compared(result)):
        _add_row(table, f"[bold]{name}[/bold]" if not number else escape(name), simulation, result)
    return table


def _add_row(table: Table, name: str, simulation: Simulation, result: RunResult) -> None:
    latency, *others = compared_cells(simulation, result)
    table.add_row(
        name if simulation.fits else f"{name} [red](does not fit)[/red]",
        latency,
        *(() if result.samples is None else (range_cell(result.samples, simulation),)),
        *others,
        style=None if simulation.fits else "dim",
    )


def _devices(result: RunResult, console: Console) -> list[Table]:
    """One table, or where the terminal is too narrow for it two: of work, and of bytes."""
    simulation = result.simulation
    plan = simulation.plan
    participants = plan.participants
    columns = {
        "blocks": [flops_text(simulation.block_flops(one)) for one in participants],
        "busy": [seconds_text(simulation.busy_s[one]) for one in participants],
        "waits": [seconds_text(simulation.wait_s[one]) for one in participants],
        "sent": [bytes_text(simulation.sent_bytes[one]) for one in participants],
        "received": [bytes_text(simulation.received_bytes[one]) for one in participants],
        "memory": [memory_cell(simulation, one) for one in participants],
    }

    def table(title: str, *chosen: str) -> Table:
        made = new_table("rank", "device", *chosen, title=title, names=1)
        for one, device in enumerate(simulation.device_of):
            rank = "terminal" if one == plan.terminal else str(one)
            name = NarrowName(result.scenario.devices[device].name)
            made.add_row(rank, name, *(columns[column][one] for column in chosen))
        return made

    whole = table("Who does what", *columns)
    if whole.__rich_measure__(console, console.options.update(max_width=1000)).minimum <= console.width:
        return [whole]
    return [
        table("Who does what", "blocks", "busy", "waits"),
        table("What crosses and stays", "sent", "received", "memory"),
    ]


def storage_lines(result: RunResult) -> Iterator[str]:
    """What devices read anew for each pass, their memory being short."""
    for device, n_bytes in result.simulation.streamed_bytes.items():
        if n_bytes:
            name, each = result.scenario.devices[device].name, "token" if result.simulation.job.new_tokens else "pass"
            yield f"{name} has no room for {bytes_text(n_bytes)} of weights: read from storage for each {each}"


def _show_fidelity(result: RunResult, console: Console) -> None:
    found = result.fidelity
    if found is None:
        console.print("\noutputs: not computed (--no-numerics)", style="dim")
        return
    parts = [f"cosine {found.cosine:.6f}", f"largest error {found.max_abs_error:.3g}"]
    if found.kl is not None:
        parts.append(f"KL {found.kl:.3g} nat")
    if found.top1_agreement is not None:
        parts.append(f"same first class in {100 * found.top1_agreement:.1f} %")
    console.print(f"\noutputs against the undistributed model: {', '.join(parts)}")
    if found.random_weights:
        console.print("random weights: not an accuracy estimate", style="yellow")
    if found.plan_confirmed:
        console.print("bytes and FLOPs of the real run: as predicted, exactly", style="green")
    else:
        console.print("bytes or FLOPs of the real run differ from the prediction: please report it", style="bold red")
