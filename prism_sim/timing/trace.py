"""A timeline for the eye: events of Chrome's trace format, which Perfetto (ui.perfetto.dev) opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prism_sim.timing.timeline import Span, Timeline

MICROSECONDS = 1e6  # the format's unit of time


def to_trace_events(timeline: Timeline, device_names: Sequence[str] = ()) -> dict[str, Any]:
    """A dictionary for `json.dump`: a process a device, two threads a participant, messages as asynchronous spans.

    A participant may send on while it waits, and spans of one thread must nest, so its waits are a thread of their own.
    """
    events = [*_names(timeline, device_names)]
    for span in timeline.spans:
        events += _work(span) if span.message is None else _way(span)
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _names(timeline: Timeline, device_names: Sequence[str]) -> Iterator[dict[str, Any]]:
    log = timeline.log
    for device in range(len(timeline.busy_s)):
        name = device_names[device] if device_names else f"device {device}"
        yield {"ph": "M", "name": "process_name", "pid": device, "args": {"name": name}}
    for participant, device in enumerate(log.device_of):
        name = "terminal" if participant == log.plan.terminal else f"rank {participant}"
        yield {"ph": "M", "name": "thread_name", "pid": device, "tid": 2 * participant, "args": {"name": name}}
        waits = {"name": f"{name} waits"}
        yield {"ph": "M", "name": "thread_name", "pid": device, "tid": 2 * participant + 1, "args": waits}


def _common(span: Span) -> dict[str, Any]:
    name = span.label if span.kind == "compute" else f"{span.kind}: {span.label}"
    thread = 2 * span.participant + (span.kind == "wait")
    return {"name": name, "cat": span.kind, "pid": span.device, "tid": thread}


def _work(span: Span) -> Iterator[dict[str, Any]]:
    begin, length = span.start_s * MICROSECONDS, (span.end_s - span.start_s) * MICROSECONDS
    yield {"ph": "X", **_common(span), "ts": begin, "dur": length, "args": {"exchange": span.exchange}}


def _way(span: Span) -> Iterator[dict[str, Any]]:
    arguments = {"exchange": span.exchange, "message": span.message}
    for phase, moment_s in (("b", span.start_s), ("e", span.end_s)):
        yield {"ph": phase, **_common(span), "id": span.message, "ts": moment_s * MICROSECONDS, "args": arguments}
