"""What `run` tells beside each other, as texts: for the terminal's tables and for those of a page."""

from __future__ import annotations

from collections.abc import Iterator

from prism_sim.choice.result import RunResult
from prism_sim.reports.tables import memory_text
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.storage import storage_apart
from prism_sim.units_text import bytes_text, flops_text, seconds_text, speedup_text


def compared(result: RunResult) -> Iterator[tuple[str, Simulation]]:
    """The strategy, all rows exchanged, and one device alone, each by its name."""
    chosen = result.simulation
    yield chosen.job.strategy, chosen
    if result.voltage is not None and result.voltage is not chosen:
        yield "voltage (all rows)", result.voltage
    yield f"{_device(result, result.single)} alone", result.single
    best = result.fastest_single
    if best is not None and best.device_of[0] != result.scenario.terminal:
        yield f"{_device(result, best)} alone, shipped to", best


def _device(result: RunResult, simulation: Simulation) -> str:
    return result.scenario.devices[simulation.device_of[0]].name


def compared_cells(simulation: Simulation, result: RunResult) -> tuple[str, str, str, str]:
    """Latency, speed-up (none where one of both does not fit), FLOPs per device, and bytes sent."""
    comparable = simulation.fits and result.single.fits
    return (
        seconds_text(simulation.latency_s),
        speedup_text(result.single.latency_s / simulation.latency_s) if comparable else "",
        flops_text(simulation.gflops_per_device * 1e9 * simulation.job.batch),
        bytes_text(sum(simulation.sent_bytes)),
    )


def parts_s(simulation: Simulation) -> dict[str, float]:
    """Of the critical path of a request, reading from storage apart."""
    return storage_apart(simulation.breakdown_s, simulation.reading_s)


def memory_cell(simulation: Simulation, participant: int, more: str = "") -> str:
    """Of its device, all that is on it included; who comes after another on one device refers to that.

    more: said behind an amount.
    """
    device = simulation.device_of[participant]
    first = simulation.device_of.index(device)
    return f"{memory_text(simulation, device)}{more}" if first == participant else f"with {first}"
