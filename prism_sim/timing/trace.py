"""A timeline for the eye: events of Chrome's trace format, which Perfetto (ui.perfetto.dev) opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prism_sim.timing.timeline import Span, Timeline

MICROSECONDS = 1e6  # the format's unit of time
FIRST = 1  # number of the first process and of the first thread: 0 is the idle task's


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
        yield {"ph": "M", "name": "process_name", "pid": FIRST + device, "args": {"name": name}}
    for participant, device in enumerate(log.device_of):
        name = "terminal" if participant == log.plan.terminal else f"rank {participant}"
        for waits, thread in ((False, name), (True, f"{name} waits")):
            place = {"pid": FIRST + device, "tid": _thread(participant, waits)}
            yield {"ph": "M", "name": "thread_name", **place, "args": {"name": thread}}


def _thread(participant: int, waits: bool) -> int:
    return FIRST + 2 * participant + waits


def _common(span: Span) -> dict[str, Any]:
    name = span.label if span.kind == "compute" else f"{span.kind}: {span.label}"
    place = {"pid": FIRST + span.device, "tid": _thread(span.participant, span.kind == "wait")}
    return {"name": name, "cat": span.kind, **place}


def _work(span: Span) -> Iterator[dict[str, Any]]:
    begin, length = span.start_s * MICROSECONDS, (span.end_s - span.start_s) * MICROSECONDS
    yield {"ph": "X", **_common(span), "ts": begin, "dur": length, "args": {"exchange": span.exchange}}


def _way(span: Span) -> Iterator[dict[str, Any]]:
    arguments = {"exchange": span.exchange, "message": span.message}
    for phase, moment_s in (("b", span.start_s), ("e", span.end_s)):
        yield {"ph": phase, **_common(span), "id": span.message, "ts": moment_s * MICROSECONDS, "args": arguments}
