"""A compiled run as the timeline that the plain engine leaves: figures at once, its log when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import fsum
from typing import Any, cast

import numpy as np

from prism_sim.plan import ExchangeId, MessageId, ParticipantId
from prism_sim.timing.collectives import lower
from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.memory import Memory
from prism_sim.timing.critical_path import PARTS
from prism_sim.timing.ids import Cause, DeviceIndex, FlightId, LogEntry
from prism_sim.timing.log import Blocked, Figures, Hold, Log
from prism_sim.timing.media.base import Flight, Leg
from prism_sim.timing.rig import Rig
from prism_sim.timing.timeline import Timeline

HOLDS = ("compute", "staging", "overhead")
LEGS = ("transfer", "propagation", "queue")


def timeline_of(memory: Memory, rig: Rig) -> Timeline:
    """Of the run that the memory has just played; nothing of it stays there."""
    n_participants, n_devices = len(rig.device_of), len(rig.devices)
    ends_s = memory.records(at.ENDS, at.END, n_participants)[1][:, at.END_END_S]
    whole, parts_s = memory.records(at.PARTICIPANTS, at.PARTICIPANT, n_participants)
    devices_s = memory.records(at.DEVICES, at.DEVICE, n_devices)[1]
    return Timeline(
        latency_s=float(ends_s.max()),
        busy_s=tuple(devices_s[:, at.DEVICE_BUSY_S].tolist()),
        wait_s=tuple(parts_s[:, at.PARTICIPANT_WAIT_S].tolist()),
        sent_bytes=tuple(whole[:, at.PARTICIPANT_SENT_BYTES].tolist()),
        received_bytes=tuple(whole[:, at.PARTICIPANT_RECEIVED_BYTES].tolist()),
        log=CompiledLog(memory, rig),
    )


def breakdown_of(memory: Memory) -> tuple[float, ...]:
    """Seconds of each of `critical_path.PARTS`."""
    segments = memory.records(at.SEGMENTS, at.SEGMENT, int(memory.cells[at.N_SEGMENTS]))[0]
    return tuple(breakdowns_of([segments])[0].tolist())


def breakdowns_of(segments: Sequence[Cells]) -> Floats:
    """(runs, parts): seconds of each of `critical_path.PARTS`, of the SEGMENTS of many runs; each sum rounded once."""
    together, n_parts = np.concatenate(segments), len(PARTS)
    number = np.repeat(np.arange(len(segments)), [len(own) for own in segments])
    place = n_parts * number + together[:, at.SEGMENT_PART]
    order = np.argsort(place, kind="stable")
    lengths_s = together.view(np.float64)[order, at.SEGMENT_LENGTH_S].tolist()
    borders = place[order].searchsorted(np.arange(n_parts * len(segments) + 1)).tolist()
    sums_s = [fsum(lengths_s[begin:end]) for begin, end in pairwise(borders)]
    return np.array(sums_s).reshape(len(segments), n_parts)


@dataclass(frozen=True)
class _Exchange:
    """What a flight's state says of it, once all is over."""

    exchange: ExchangeId


class CompiledLog(Log):
    """Copies what the run left; makes entries of it when somebody asks."""

    def __init__(self, memory: Memory, rig: Rig) -> None:
        devices_s = memory.records(at.DEVICES, at.DEVICE, len(rig.devices))[1]
        self.plan, self.device_of, self.tables = memory.tables.plan, rig.device_of, memory.tables
        participants_s = memory.records(at.PARTICIPANTS, at.PARTICIPANT, len(rig.device_of))[1]
        self.figures = Figures(
            breakdown_of(memory),
            tuple(devices_s[:, at.DEVICE_AIR_S].tolist()),
            tuple(participants_s[:, at.PARTICIPANT_BUSY_S].tolist()),
        )
        self._air_latency_s = float(memory.seconds[at.LATENCY_S]) if memory.cells[at.MEDIUM] == at.AIR else None
        self._in_ports = memory.cells[at.MEDIUM] == at.FIFO
        self._cells = {
            section: _copied(memory, section, n_cells, int(memory.cells[count]))
            for section, n_cells, count in (
                (at.HOLDS, at.HOLD, at.N_HOLDS),
                (at.BLOCKED, at.WAITED, at.N_BLOCKED),
                (at.FLIGHTS, at.FLIGHT, at.N_FLIGHTS),
                (at.LEGS, at.LEG, at.N_LEGS),
            )
        }
        self._ends = _copied(memory, at.ENDS, at.END, len(rig.device_of))

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it is as the plain engine's."""
        return Log, (self.plan, self.device_of, self.jobs, self.flights, self.blocked, self.ends, self.figures)

    @cached_property
    def jobs(self) -> list[Hold]:  # type: ignore[override]
        cells, seconds = self._cells[at.HOLDS]
        return [
            Hold(
                participant=cast(ParticipantId, whole[at.HOLD_PARTICIPANT]),
                kind=HOLDS[whole[at.HOLD_KIND]],
                subject=self._subject(whole[at.HOLD_KIND], whole[at.HOLD_SUBJECT]),
                start_s=real[at.HOLD_START_S],
                end_s=real[at.HOLD_END_S],
                cause=_cause(whole[at.HOLD_CAUSE]),
                launch_s=real[at.HOLD_LAUNCH_S],
            )
            for whole, real in zip(cells.tolist(), seconds.tolist(), strict=True)
        ]

    def _subject(self, kind: int, subject: int) -> str | ExchangeId:
        return self.tables.labels[subject] if kind == at.COMPUTING else ExchangeId(subject)

    @cached_property
    def blocked(self) -> list[Blocked]:  # type: ignore[override]
        cells, seconds = self._cells[at.BLOCKED]
        return [
            Blocked(
                cast(ParticipantId, whole[at.WAITED_PARTICIPANT]),
                cast(ExchangeId, whole[at.WAITED_EXCHANGE]),
                real[at.WAITED_START_S],
                real[at.WAITED_END_S],
                cast(FlightId, whole[at.WAITED_LAST]),
            )
            for whole, real in zip(cells.tolist(), seconds.tolist(), strict=True)
        ]

    @cached_property
    def ends(self) -> list[tuple[float, Cause]]:  # type: ignore[override]
        cells, seconds = self._ends
        causes = map(_cause, cells[:, at.END_CAUSE].tolist())
        return list(zip(seconds[:, at.END_END_S].tolist(), causes, strict=True))

    @cached_property
    def flights(self) -> list[Flight]:  # type: ignore[override]
        messages = [message for shape, algorithm in self.tables.lowered for message in lower(shape, algorithm)]
        ways = self.tables.sections[at.MESSAGES].reshape(-1, at.MESSAGE).tolist()
        firsts = self.tables.sections[at.LOWERINGS].reshape(-1, at.LOWERING)[:, at.LOWERING_FIRST]
        lowering_of = firsts.searchsorted(range(len(messages)), side="right") - 1
        states = [_Exchange(exchange) for exchange in self.plan.exchange_ids]
        found: list[Flight] = []
        cells, seconds = self._cells[at.FLIGHTS]
        for whole, real in zip(cells.tolist(), seconds.tolist(), strict=True):
            number = whole[at.FLIGHT_MESSAGE]
            way = ways[number]
            flight = Flight(
                FlightId(len(found)),
                MessageId(number - int(firsts[lowering_of[number]])),
                messages[number],
                DeviceIndex(way[at.MESSAGE_SOURCE_DEVICE]),
                DeviceIndex(way[at.MESSAGE_DESTINATION_DEVICE]),
                _cause(whole[at.FLIGHT_CAUSE]),
                states[whole[at.FLIGHT_EXCHANGE]],
            )
            flight.posted_s, flight.arrival_s = real[at.FLIGHT_POSTED_S], real[at.FLIGHT_ARRIVAL_S]
            if flight.source_device != flight.destination_device:
                self._describe(flight, whole, real, found)
            found.append(flight)
        return found

    def _describe(self, flight: Flight, whole: list[int], real: list[float], before: list[Flight]) -> None:
        """A message's way between devices."""
        flight.uplink_start_s, flight.uplink_end_s = real[at.FLIGHT_UPLINK_START_S], real[at.FLIGHT_UPLINK_END_S]
        flight.head_s, flight.downlink_start_s = real[at.FLIGHT_HEAD_S], real[at.FLIGHT_DOWNLINK_START_S]
        flight.ahead, flight.ahead_down = _flight(whole[at.FLIGHT_AHEAD]), _flight(whole[at.FLIGHT_AHEAD_DOWN])
        flight.rides = None if whole[at.FLIGHT_RIDES] == at.NONE else before[whole[at.FLIGHT_RIDES]]
        if self._in_ports:
            return
        legs: list[Leg] = []
        cells, seconds = self._cells[at.LEGS]
        number = whole[at.FLIGHT_FIRST_LEG]
        while number != at.NONE:
            start_s, end_s = seconds[number, [at.LEG_START_S, at.LEG_END_S]].tolist()
            legs.append((LEGS[cells[number, at.LEG_KIND]], start_s, end_s))
            number = int(cells[number, at.LEG_NEXT])
        if self._air_latency_s is not None:
            legs.append(("propagation", flight.arrival_s - self._air_latency_s, flight.arrival_s))
        flight.legs = legs


def _copied(memory: Memory, section: int, n_cells: int, count: int) -> tuple[Cells, Floats]:
    cells = memory.records(section, n_cells, count)[0].copy()
    return cells, cells.view(float)


def _cause(cell: Any) -> Cause:
    return None if cell == at.NO_CAUSE else LogEntry(cell)


def _flight(cell: int) -> FlightId | None:
    return None if cell == at.NONE else FlightId(cell)
