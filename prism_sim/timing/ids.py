"""Which of several, and what bound a start: index types beside those of `plan.py`.

Where many are at hand in a hot loop they are annotated or `cast` as a whole, as there.
"""

from __future__ import annotations

from typing import NewType

DeviceIndex = NewType("DeviceIndex", int)  # in the devices that a plan is played on
RequestId = NewType("RequestId", int)  # of a stream: a request or, of several plans, a round of them
HoldId = NewType("HoldId", int)  # index in `Log.jobs`
FlightId = NewType("FlightId", int)  # index in `Log.flights`

# What bound a start: a hold or a flight, which only the functions below make and tell apart; None: the run's begin.
LogEntry = NewType("LogEntry", int)
Cause = LogEntry | None


# An entry is one integer, since an object would be made for every start: holds count up from 0, flights down from -1.
def of_hold(hold: HoldId) -> LogEntry:
    return hold  # type: ignore[return-value]  # calling the NewType would cost as much again


def of_flight(flight: FlightId) -> LogEntry:
    return ~flight  # type: ignore[return-value]  # likewise


def is_flight(entry: LogEntry) -> bool:
    """Else it is a hold."""
    return entry < 0


def hold_of(entry: LogEntry) -> HoldId:
    assert not is_flight(entry)
    return HoldId(entry)


def flight_of(entry: LogEntry) -> FlightId:
    assert is_flight(entry)
    return FlightId(~entry)
