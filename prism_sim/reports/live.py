"""What `prism-sim live` shows in the terminal: measured beside predicted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.live.timed import quartiles_s
from prism_sim.live_runs.live import LiveResult, parts_s, taking_part
from prism_sim.live_runs.text import LiveText
from prism_sim.reports.tables import NarrowName, new_table
from prism_sim.units_text import bytes_text, seconds_text


def show_live(result: LiveResult, console: Console) -> None:
    """Prints the whole answer."""
    job = result.predicted.job
    n_processes = len(taking_part(result.predicted))
    on = "each on cores of its own" if result.pinned else "sharing cores"
    console.print(f"\n[bold]{escape(result.scenario.name)}[/bold]")
    then = f", then {job.new_tokens} new" if job.new_tokens else ""
    console.print(
        f"{escape(result.scenario.model.label)}, {job.batch} x {job.n_tokens} tokens{then}: {job.strategy} over "
        f"{job.n_ranks} rank(s), {n_processes} process(es) of {result.threads} thread(s), {on}",
        style="dim",
    )
    console.print(_latencies(result))
    if result.text is None:
        console.print(_parts("Where the latency goes", result.breakdown_s, result.predicted.breakdown_s))
    else:
        _show_text_parts(result, result.text, console)
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
    if result.text is not None:
        expected = result.text.predicted
        _add_rows(table, "to the first token (TTFT)", result.text.ttfts_s, expected.ttft_s)
        if expected.tpot_s is not None:
            _add_rows(table, "each later one (TPOT)", result.text.tpots_s, expected.tpot_s)
    return table


def _add_rows(table: Table, name: str, measured_s: Sequence[float], predicted_s: float) -> None:
    first_s, third_s = quartiles_s(measured_s)
    spread = f"{seconds_text(first_s)} to {seconds_text(third_s)}"
    table.add_row(f"{name}, measured", seconds_text(statistics.median(measured_s)), spread, "", style="bold")
    table.add_row("predicted", seconds_text(predicted_s), "", "")


def _parts(title: str, measured: Mapping[str, float], predicted: Mapping[str, float]) -> Table:
    table = new_table("part", "measured", "predicted", title=f"{title} (critical path)")
    predicted = parts_s(predicted)
    for part, seconds in parts_s(measured).items():
        table.add_row(part, seconds_text(seconds), seconds_text(predicted[part]))
    return table


def _show_text_parts(result: LiveResult, text: LiveText, console: Console) -> None:
    expected = text.predicted
    console.print(_parts("To the first token", result.timeline.breakdown_s, expected.prompt_breakdown_s))
    if text.step_breakdown_s is not None and expected.step_breakdown_s is not None:
        console.print(_parts("Each later token", text.step_breakdown_s, expected.step_breakdown_s))


def _participants(result: LiveResult) -> Table:
    table = new_table(
        "rank", "device", "computes", "predicted", "waits", "predicted", "sent", title="Who does what", names=1
    )
    for number, device in enumerate(result.predicted.device_of):
        measured = result.work_s(number)
        predicted = result.predicted_work_s(number)
        table.add_row(
            "terminal" if number == result.predicted.plan.terminal else str(number),
            NarrowName(result.scenario.devices[device].name),
            seconds_text(measured["compute"]),
            seconds_text(predicted["compute"]),
            seconds_text(measured["wait"]),
            seconds_text(predicted["wait"]),
            bytes_text(result.sent_bytes[number]),
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
    if result.text is not None:
        _show_text(result.text, result.output_tolerance, console)
    error = f"largest deviation {result.output_error:.2g} of the largest {'logit' if result.text else 'value'}"
    if result.output_agrees:
        console.print(f"\noutput: as computed in one process ({error})\n", style="green")
    else:
        console.print(
            f"\noutput: differs from that of one process ({error}, allowed {result.output_tolerance:.2g})\n",
            style="bold red",
        )


def _show_text(text: LiveText, tolerance: float, console: Console) -> None:
    after = "" if text.n_equal == text.n_tokens else ", then a choice between logits that rounding may exchange"
    console.print(f"\ntokens: {text.n_equal} of {text.n_tokens} as generated in one process{after}", highlight=False)
    largest = bytes_text(max(text.cache_bytes))
    error = "" if text.cache_error is None else f", largest deviation {text.cache_error:.2g} of the largest value"
    if text.caches_agree(tolerance):
        console.print(f"keys and values: {largest} on the rank with most, as predicted{error}", highlight=False)
    else:
        console.print(f"keys and values: {largest} on the rank with most, not as predicted{error}", style="bold red")
