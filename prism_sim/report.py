"""What `prism-sim run` shows in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim import families
from prism_sim.study.result import RunResult
from prism_sim.study.simulation import Simulation
from prism_sim.study.verdict import verdict
from prism_sim.units_text import bytes_text, flops_text, seconds_text

BAR_CELLS = 24


def show(result: RunResult, console: Console) -> None:
    """Prints the whole answer, its verdict last."""
    console.print(f"\n[bold]{escape(result.scenario.name)}[/bold]")
    console.print(_question(result), style="dim")
    console.print(_comparison(result))
    console.print(_parts(result))
    console.print(_devices(result))
    _show_fidelity(result, console)
    if result.scenario.unused_fields:
        unused = ", ".join(result.scenario.unused_fields)
        console.print(f"not used by {result.simulation.job.strategy}: {unused}", style="yellow")
    console.print(f"\n[bold]{escape(verdict(result))}[/bold]\n")


def _question(result: RunResult) -> str:
    job, scenario = result.simulation.job, result.scenario
    segments, rate = result.simulation.compression
    summary = "" if rate is None or segments is None else f", L = {segments} (CR {rate:.3g})"
    what = "one forward pass (prefill)" if families.find(job.sizes.family).causal else "one forward pass"
    return (
        f"{escape(scenario.model.label)}, {what} of {job.batch} x {job.n_tokens} tokens: "
        f"{job.strategy}{summary} over {job.n_ranks} rank(s)"
    )


def _table(*columns: str, title: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _comparison(result: RunResult) -> Table:
    table = _table("", "latency", "speed-up", "per device", "sent in all", title="How fast")
    chosen = result.simulation
    _add_row(table, f"[bold]{chosen.job.strategy}[/bold]", chosen, result)
    if result.voltage is not None and result.voltage is not chosen:
        _add_row(table, "voltage (all rows)", result.voltage, result)
    _add_row(table, f"{_device(result, result.single)} alone", result.single, result)
    if result.fastest_single.device_of[0] != result.scenario.terminal:
        _add_row(table, f"{_device(result, result.fastest_single)} alone, shipped to", result.fastest_single, result)
    return table


def _device(result: RunResult, simulation: Simulation) -> str:
    return escape(result.scenario.devices[simulation.device_of[0]].name)


def _add_row(table: Table, name: str, simulation: Simulation, result: RunResult) -> None:
    table.add_row(
        name,
        seconds_text(simulation.latency_s),
        f"{result.single.latency_s / simulation.latency_s:.2f}x",
        flops_text(simulation.gflops_per_device * 1e9 * simulation.job.batch),
        bytes_text(sum(simulation.timeline.sent_bytes)),
    )


def _parts(result: RunResult) -> Table:
    table = _table("part", "time", "share", "", title="Where the latency goes (critical path)")
    table.columns[-1].justify = "left"
    for name, seconds in result.simulation.timeline.breakdown_s.items():
        share = seconds / result.latency_s
        table.add_row(name, seconds_text(seconds), f"{100 * share:.1f} %", "█" * round(BAR_CELLS * share))
    return table


def _devices(result: RunResult) -> Table:
    table = _table("rank", "device", "blocks", "busy", "waits", "sent", "received", "memory", title="Who does what")
    table.columns[1].justify = "left"
    simulation = result.simulation
    timeline, plan = simulation.timeline, simulation.plan
    for participant, device in enumerate(simulation.device_of):
        memory = plan.weight_bytes[participant] + plan.activation_bytes[participant]
        table.add_row(
            "terminal" if participant == plan.terminal else str(participant),
            escape(result.scenario.devices[device].name),
            flops_text(simulation.block_flops(participant)),
            seconds_text(simulation.busy_s[participant]),
            seconds_text(timeline.wait_s[participant]),
            bytes_text(timeline.sent_bytes[participant]),
            bytes_text(timeline.received_bytes[participant]),
            bytes_text(memory),
        )
    return table


def _show_fidelity(result: RunResult, console: Console) -> None:
    found = result.fidelity
    if found is None:
        console.print("outputs: not computed (--no-numerics)", style="dim")
        return
    parts = [f"cosine {found.cosine:.6f}", f"largest error {found.max_abs_error:.3g}"]
    if found.kl is not None:
        parts.append(f"KL {found.kl:.3g} nat")
    if found.top1_agreement is not None:
        parts.append(f"same first class in {100 * found.top1_agreement:.1f} %")
    console.print(f"outputs against the undistributed model: {', '.join(parts)}")
    if found.random_weights:
        console.print("random weights: not an accuracy estimate", style="yellow")
    if found.plan_confirmed:
        console.print("bytes and FLOPs of the real run: as predicted, exactly", style="green")
    else:
        console.print("bytes or FLOPs of the real run differ from the prediction: please report it", style="bold red")
