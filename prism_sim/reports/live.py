"""What `prism-sim live` shows in the terminal: measured beside predicted."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.live_runs.live import LiveResult, parts_s, taking_part, work_s
from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.units_text import bytes_text, seconds_text


def show_live(result: LiveResult, console: Console) -> None:
    """Prints the whole answer."""
    job = result.predicted.job
    n_processes = len(taking_part(result.predicted))
    on = "each on cores of its own" if result.pinned else "sharing cores"
    console.print(f"\n[bold]{escape(result.scenario.name)}[/bold]")
    console.print(
        f"{escape(result.scenario.model.label)}, {job.batch} x {job.n_tokens} tokens: {job.strategy} over "
        f"{job.n_ranks} rank(s), {n_processes} process(es) of {result.threads} thread(s), {on}",
        style="dim",
    )
    console.print(_latencies(result))
    console.print(_parts(result))
    console.print(_participants(result))
    if result.interface_bytes is not None:
        console.print(_bytes(result))
    _show_output(result, console)


def _latencies(result: LiveResult) -> Table:
    table = new_table("", "latency", "quartiles", "runs", title="How fast")
    first_s, third_s = result.quartiles_s
    spread = f"{seconds_text(first_s)} to {seconds_text(third_s)}"
    table.add_row("[bold]measured[/bold], median", seconds_text(result.latency_s), spread, str(len(result.latencies_s)))
    table.add_row("predicted, for the scenario's devices", seconds_text(result.predicted.latency_s), "", "")
    return table


def _parts(result: LiveResult) -> Table:
    table = new_table("part", "measured", "predicted", title="Where the latency goes (critical path)")
    predicted = parts_s(result.predicted.timeline)
    for part, seconds in parts_s(result.timeline).items():
        table.add_row(part, seconds_text(seconds), seconds_text(predicted[part]))
    return table


def _participants(result: LiveResult) -> Table:
    table = new_table(
        "rank", "device", "computes", "predicted", "waits", "predicted", "sent", title="Who does what", names=1
    )
    for number, device in enumerate(result.predicted.device_of):
        measured = work_s(result.timeline, number)
        predicted = work_s(result.predicted.timeline, number)
        table.add_row(
            "terminal" if number == result.predicted.plan.terminal else str(number),
            NarrowName(result.scenario.devices[device].name),
            seconds_text(measured["compute"]),
            seconds_text(predicted["compute"]),
            seconds_text(measured["wait"]),
            seconds_text(predicted["wait"]),
            bytes_text(result.timeline.sent_bytes[number]),
        )
    return table


def _bytes(result: LiveResult) -> Table:
    assert result.interface_bytes is not None
    table = new_table("device", "payload", "on the wire", "more", title="Bytes that left each device in a run", names=0)
    for place, (device, payload) in enumerate(zip(taking_part(result.predicted), result.payload_bytes, strict=True)):
        sent = sorted(result.interface_bytes[place])[len(result.interface_bytes[place]) // 2]
        more = f"{100 * (sent / payload - 1):+.1f} %" if payload else ""
        name = NarrowName(result.scenario.devices[device].name)
        table.add_row(name, bytes_text(payload), bytes_text(sent), more)
    return table


def _show_output(result: LiveResult, console: Console) -> None:
    error = f"largest deviation {result.output_error:.2g} of the largest value"
    if result.output_agrees:
        console.print(f"\noutput: as computed in one process ({error})\n", style="green")
    else:
        console.print(
            f"\noutput: differs from that of one process ({error}, allowed {result.output_tolerance:.2g})\n",
            style="bold red",
        )
