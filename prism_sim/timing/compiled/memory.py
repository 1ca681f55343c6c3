"""One array of cells for a plan's tables and a run's state, written for a rig, and played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.tables import NetworkCells, Tables
from prism_sim.timing.native.entry import answer
from prism_sim.timing.quickest import TIE
from prism_sim.timing.rig import Rig

GROWTH = 4  # times the room, where a run needs more
MOST_KEPT = 4_000_000  # cells: a larger memory is made anew for each run, which takes longer than making it


class CannotEndError(ValueError):
    """A participant waits for what nobody sends, or starts an exchange twice: the plain engine says which."""


@dataclass(frozen=True)
class Wanted:
    """once: the plan once; logged: with its causes and figures. n_rounds: requests back to back, 0: none."""

    once: bool = True
    logged: bool = True
    n_rounds: int = 0
    in_flight: int = 0
    whole: bool = False


class Memory:
    """For rigs whose networks are of one kind and size; each is written over the one before."""

    def __init__(self, tables: Tables, rig: Rig, network: NetworkCells, wanted: Wanted) -> None:
        self.tables, self.wanted = tables, wanted
        self.room = 1
        self._make(network, rig)

    def _make(self, network: NetworkCells, rig: Rig) -> None:
        self.network = network
        tables, wanted, fixed = self.tables, self.wanted, dict(self.tables.sections)
        n_devices, n_participants, n_messages = len(rig.devices), len(tables.device_of), tables.most_messages
        n_exchanges = len(tables.plan.exchanges)
        n_shown = n_exchanges + tables.n_shapes
        n_steps = len(fixed[at.STEPS]) // at.STEP
        n_slots = min(max(wanted.n_rounds, 1), self.room * max(4, wanted.in_flight + 1))
        n_processes = max(tables.plan.n_ranks + wanted.n_rounds * tables.n_terminals, n_participants)
        n_logged = n_messages if wanted.logged else 0
        n_flights = max(
            n_logged,
            min(
                max(wanted.n_rounds, 1) * n_messages,
                self.room * (2 * tables.largest_exchange + 2 * wanted.in_flight + 64),
            ),
            1,
        )
        n_moments = 64 + (32 + wanted.in_flight) * (n_messages + n_steps)  # most streams' fit; what's not used is free
        routes = network.sections[at.ROUTES].reshape(-1, at.ROUTE)
        most_hops = int(np.diff(routes).max(initial=2))
        n_shared = n_devices if network.medium == at.FAIR else 0
        n_holds = n_steps + 3 * n_messages + n_exchanges * n_participants if wanted.logged else 0
        values = {
            at.N_PARTICIPANTS: n_participants,
            at.N_DEVICES: n_devices,
            at.N_EXCHANGES: n_exchanges,
            at.N_SHAPES: tables.n_shapes,
            at.N_CHOICES: tables.n_choices,
            at.N_TERMINALS: tables.n_terminals,
            at.N_LINES: len(network.sections[at.LINES]) // at.LINE,
            at.LOGGED: wanted.logged,
            at.N_ROUNDS: wanted.n_rounds,
            at.IN_FLIGHT: wanted.in_flight,
            at.WHOLE: wanted.whole,
            at.MOST_EVENTS: n_flights + n_processes + wanted.n_rounds + 16,
            at.MOST_FLIGHTS: n_flights,
            at.MOST_SLOTS: n_slots,
            at.MOST_HOLDS: n_holds,
            at.MOST_BLOCKED: n_exchanges * n_participants if wanted.logged else 0,
            at.MOST_LEGS: 4 * most_hops * n_logged,
            at.MOST_BOOKINGS: most_hops * n_logged,
            at.MOST_MOMENTS: self.room * n_moments if wanted.n_rounds else 0,
            at.MOST_STACKED: 2 * (tables.largest_exchange + 2),
            at.MOST_SEGMENTS: 8 * (n_holds + 8 * n_logged),
        }
        sizes = {
            **{section: len(cells) for section, cells in fixed.items()},
            **{section: len(cells) for section, cells in network.sections.items()},
            at.COSTS: len(tables.kernels) * n_devices * at.COST,
            at.HOSTS: n_devices * at.HOST,
            at.COPY_OUT: len(fixed[at.NUMBERS]),
            at.COPY_IN: len(fixed[at.PARTS]) // at.PART,
            at.EVENTS: values[at.MOST_EVENTS] * at.EVENT,
            at.PROCESSES: n_processes * at.PROCESS,
            at.PROCESSORS: n_devices * at.PROCESSOR,
            at.FLIGHTS: n_flights * at.FLIGHT,
            at.LOWERING_OF: n_shown,
            at.FIRST_MESSAGE_OF: n_shown,
            at.SEATS: n_slots * len(fixed[at.MEMBERS]) * at.SEAT,
            at.BLOCKERS: n_slots * max(n_messages, tables.largest_exchange),
            at.TRANSMISSIONS: n_slots * max(n_messages, tables.largest_exchange) if tables.broadcasts else 0,
            at.SLOT_OF: max(wanted.n_rounds, 1),
            at.SLOTS: n_slots * at.SLOT,
            at.CONNECTIONS: n_shared**2 * at.CONNECTION,
            at.CALENDAR: n_shared**2,
            at.GATES: 2 * n_shared * at.GATE,
            at.THROUGH: 2 * n_shared**2,
            at.TOUCHED: 2 * n_shared,
            at.TIED: 2 * n_shared,
            at.FULL: 2 * n_shared,
            at.RANKED: max(2 * n_shared, n_shared**2) * at.RANK,
            at.LINE_SECONDS: values[at.N_LINES] * n_devices if wanted.logged else 0,
            at.HOLDS: n_holds * at.HOLD,
            at.BLOCKED: values[at.MOST_BLOCKED] * at.WAITED,
            at.LEGS: values[at.MOST_LEGS] * at.LEG,
            at.BOOKINGS: values[at.MOST_BOOKINGS] * at.BOOKING,
            at.STACK: values[at.MOST_STACKED],
            at.ENDS: n_participants * at.END,
            at.REQUESTS: wanted.n_rounds * at.REQUEST,
            at.WINDOWS: (wanted.n_rounds + 2) * at.WINDOW,
            at.MOMENTS: values[at.MOST_MOMENTS],
            at.N_STEPS: n_participants,
            at.LEADS: wanted.n_rounds * (n_participants + 1),
            at.SEGMENTS: values[at.MOST_SEGMENTS] * at.SEGMENT,
            at.PARTICIPANTS: n_participants * at.PARTICIPANT,
            at.DEVICES: n_devices * at.DEVICE,
            at.INTERVALS: 2 * n_logged * at.INTERVAL,
        }
        begins = at.N_HEAD + np.cumsum([0, *(sizes[section] for section in range(at.N_VALUES, at.N_HEAD))])
        self.cells: Cells = np.zeros(begins[-1], np.int64)
        self.seconds: Floats = self.cells.view(np.float64)
        self.cells[at.N_VALUES : at.N_HEAD] = begins[:-1]
        for place, value in values.items():
            self.cells[place] = value
        self.begins = {
            section: int(begin) for section, begin in zip(range(at.N_VALUES, at.N_HEAD), begins, strict=False)
        }
        for section, cells in fixed.items():
            self._write(section, cells)
        self.written: list[object] = [None, None]

    def takes(self, network: NetworkCells) -> bool:
        return network.like == self.network.like

    def _write(self, section: int, cells: Cells) -> None:
        """And into the sections after it, as far as the cells go."""
        begin = self.begins[section]
        self.cells[begin : begin + len(cells)] = cells

    def play(self, rig: Rig, network: NetworkCells) -> None:
        """Plays what was wanted; the answers lie in the cells. Raises CannotEndError."""
        while True:
            self._write_rig(rig, network)
            answer()(self.cells, self.seconds, self.wanted.once, self.wanted.n_rounds > 0, TIE)
            failure = self.cells[at.FAILURE]
            if failure == at.FINE:
                return
            if failure != at.TOO_SMALL:
                raise CannotEndError
            self.room *= GROWTH
            self._make(network, rig)

    def _write_rig(self, rig: Rig, network: NetworkCells) -> None:
        """What differs from the rig before."""
        if self.written[0] is not rig.devices:
            self._write(at.COSTS, self.tables.device_cells(rig.devices))
            self.written[0] = rig.devices
        if self.written[1] is not network:
            self.cells[at.MEDIUM], self.cells[at.CUT_THROUGH] = network.medium, network.cut_through
            self.seconds[at.OVERHEAD_S], self.seconds[at.LATENCY_S] = network.overhead_s, network.latency_s
            self._write(at.PORTS, network.cells)
            self.written[1] = network

    def records(self, section: int, n_cells: int, count: int) -> tuple[Cells, Floats]:
        """The first `count` records of a section, a row each, as integers and as floats."""
        begin = self.begins[section]
        cells = self.cells[begin : begin + count * n_cells].reshape(count, n_cells)
        return cells, cells.view(np.float64)


def memory_for(tables: Tables, rig: Rig, network: NetworkCells, wanted: Wanted) -> Memory:
    """The tables' own for what is wanted, if it was made for a network like this, or a new one."""
    known: Memory | None = tables.memories.get(wanted)
    if known is None or not known.takes(network):
        known = Memory(tables, rig, network, wanted)
        if len(known.cells) <= MOST_KEPT:
            tables.memories[wanted] = known
    return known
