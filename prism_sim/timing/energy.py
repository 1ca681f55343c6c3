"""What a run costs each device in joules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prism_sim.devices import Device
from prism_sim.timing.timeline import Timeline


def energy_j(timeline: Timeline, devices: Sequence[Device]) -> tuple[float | None, ...]:
    """idle_w for the whole run, busy_w in its place while the processor works, radio_w on top while bytes go in or out.

    None for a device that does not state idle_w and busy_w; a device without radio_w spends nothing on its radio.
    """
    return tuple(
        None
        if device.idle_w is None or device.busy_w is None
        else device.idle_w * timeline.latency_s
        + (device.busy_w - device.idle_w) * busy_s
        + (device.radio_w or 0) * air_s
        for device, busy_s, air_s in zip(devices, timeline.busy_s, air_s_by_device(timeline), strict=True)
    )


def air_s_by_device(timeline: Timeline) -> tuple[float, ...]:
    """Seconds in which a device sends, receives or does both, until the run's end."""
    if timeline.log.figures is not None:
        return timeline.log.figures.air_s
    on_air: list[list[tuple[float, float]]] = [[] for _ in timeline.busy_s]
    device_of = timeline.log.device_of
    for message in timeline.messages:
        if message.rides is None:
            on_air[device_of[message.source]].append((message.uplink_start_s, message.uplink_end_s))
        on_air[device_of[message.destination]].append((message.downlink_start_s, message.arrival_s))
    return tuple(_covered_s(intervals, timeline.latency_s) for intervals in on_air)


def _covered_s(intervals: Iterable[tuple[float, float]], end_s: float) -> float:
    """Length of the union of intervals, cut off at end_s."""
    covered_s, until_s = 0.0, 0.0
    for start_s, stop_s in sorted(intervals):
        start_s, stop_s = max(start_s, until_s), min(stop_s, end_s)
        if stop_s > start_s:
            covered_s, until_s = covered_s + stop_s - start_s, stop_s
    return covered_s
