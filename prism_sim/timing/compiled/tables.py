"""A plan and its hardware as the sections that compiled code reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simpy import Environment

from prism_sim.devices import Device
from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Step, shapes_of
from prism_sim.timing.collectives import ALGORITHMS, lower
from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.dispatch import Host
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media import Links, SharedRadio, Switch
from prism_sim.timing.media.base import Network
from prism_sim.timing.media.switch import per_device
from prism_sim.timing.prepared import PreparedExchange
from prism_sim.timing.rig import Rig
from prism_sim.timing.same import MOST_KEPT, by_identity

MOST_DEVICE_CELLS = 1_000_000  # that are kept for devices that come again
FEWEST_KEPT = 16
CODE_OF = {name: code for code, name in enumerate(ALGORITHMS)}


class Tables:
    """A plan on its participants' devices, and the algorithms to choose from: what many rigs share.

    programs: those of the terminal, one a request of a round; the ranks' and its own for one request are in the plan.
    ways: exchange -> algorithms, of which the first is taken where there is no other, else the quickest.
    steps, labels (of steps), lowered (of lowerings): what numbers in a run's cells stand for; codes: of the latter's
    algorithms.
    """

    def __init__(
        self, plan: Plan, terminals: Sequence[Sequence[Step]], rig: Rig, ways: Callable[[Exchange], Sequence[str]]
    ) -> None:
        self.plan, self.n_terminals, self.device_of = plan, len(terminals), rig.device_of
        self.memories: dict[Any, Any] = {}  # made for it: see `memory_for`
        self.kernels: list[Sequence[Kernel]] = []
        self.labels: list[str] = []
        self.lowered: list[tuple[Exchange, str]] = []
        self._kernels_of: dict[int, int] = {}
        shapes, shape_of = shapes_of(plan.exchanges)
        choices = self._choices(shapes, ways)
        self.n_shapes, self.n_choices = choices.shape
        self.sections: dict[int, Cells] = {
            at.DEVICE_OF: np.array(self.device_of, np.int64),
            at.SHAPE_OF: np.array(shape_of, np.int64),
            at.CHOICES: choices.ravel(),
            **self._lowerings(rig.devices),
            **self._programs(shapes, [*plan.programs, *terminals]),
        }
        n_messages = self.sections[at.LOWERINGS].reshape(-1, at.LOWERING)[:, at.LOWERING_N_MESSAGES]
        self.broadcasts = self.sections[at.LOWERINGS].reshape(-1, at.LOWERING)[:, at.LOWERING_BROADCASTS].any()
        sizes = np.where(choices == at.NONE, 0, n_messages[choices]).max(axis=1, initial=0)
        self.most_messages, self.largest_exchange = int(sizes[shape_of].sum()), int(sizes.max(initial=0))
        self.codes = np.array([CODE_OF[algorithm] for _, algorithm in self.lowered], np.int8)
        self._costs_of = lru_cache(maxsize=256)(self._costs)
        self._copies_of = lru_cache(maxsize=256)(self._copies)
        most = MOST_DEVICE_CELLS // (1 + len(self.kernels) * len(rig.devices) * at.COST)
        self.device_cells = by_identity(self._device_cells, min(max(most, FEWEST_KEPT), MOST_KEPT))

    def _choices(self, shapes: Sequence[Exchange], ways: Callable[[Exchange], Sequence[str]]) -> Cells:
        found = []
        for shape in shapes:
            own: dict[object, int] = {}
            for algorithm in ways(shape):
                messages = lower(shape, algorithm)
                if messages not in own:  # of equal ones, one is enough
                    own[messages] = len(self.lowered)
                    self.lowered.append((shape, algorithm))
            found.append(list(own.values()))
        choices = np.full((len(found), max(map(len, found), default=1)), at.NONE, np.int64)
        for number, lowerings in enumerate(found):
            choices[number, : len(lowerings)] = lowerings
        return choices

    def _prepared(self, devices: tuple[Device, ...]) -> Iterator[PreparedExchange]:
        for shape, algorithm in self.lowered:
            yield PreparedExchange(shape, algorithm, devices, self.device_of)

    def _lowerings(self, devices: tuple[Device, ...]) -> dict[int, Cells]:
        lowerings, messages, parts, numbers = list[int](), list[int](), list[int](), list[int]()
        for one in self._prepared(devices):
            first = len(messages) // at.MESSAGE
            lowerings += (first, len(one.messages), one.broadcasts)
            for place, message in enumerate(one.messages):
                messages += (message.source, message.destination, message.payload_bytes, *one.ways[place])
                rides = one.rides[place]
                messages += (one.blockers[place], at.NONE if rides is None else first + rides)
                messages += (message.transmission is not None, len(numbers))
                numbers += [first + follower for follower in one.followers[place]]
                messages.append(len(numbers))
            for participant in self.plan.participants:
                for own in (
                    [message for _, message in one.sends.get(participant, ())],
                    one.forwards.get(participant, ()),
                    one.local.get(participant, ()),
                ):
                    parts.append(len(numbers))
                    numbers += [at.NONE if message is None else first + message for message in own]
                    parts.append(len(numbers))
                parts += (one.incoming[participant], one.copied_bytes[participant])
        named = {at.LOWERINGS: lowerings, at.MESSAGES: messages, at.PARTS: parts, at.NUMBERS: numbers}
        return {section: np.array(cells, np.int64) for section, cells in named.items()}

    def _programs(self, shapes: Sequence[Exchange], programs: Sequence[Sequence[Step]]) -> dict[int, Cells]:
        n_exchanges, n_participants = len(self.plan.exchanges), len(self.device_of)
        steps, ranges = list[int](), list[int]()
        starts = np.zeros((n_exchanges + len(shapes), n_participants), np.int64)
        for program in programs:
            ranges.append(len(steps) // at.STEP)
            self._add_steps(steps, program)
            ranges.append(len(steps) // at.STEP)
        for participant, program in enumerate(self.plan.programs):
            starts[[step.exchange for step in program if type(step) is Start], participant] = 1
        alone = np.zeros((len(shapes), n_participants, at.PROGRAM), np.int64)
        takes_part = self._takes_part([*self.plan.exchanges, *shapes], programs)
        for number, shape in enumerate(shapes):
            begin = len(steps) // at.STEP
            steps += (at.START, n_exchanges + number, at.WAIT, n_exchanges + number)
            for member in shape.group:
                alone[number, member] = begin, begin + 2
                starts[n_exchanges + number, member] = 1
        return {
            at.STEPS: np.array(steps, np.int64),
            at.PROGRAMS: np.array(ranges, np.int64),
            at.ALONE: alone.ravel(),
            at.STARTS: starts.ravel(),
            **_seats(takes_part),
        }

    def _takes_part(self, exchanges: Sequence[Exchange], programs: Sequence[Sequence[Step]]) -> NDArray[np.bool_]:
        """(exchanges, participants): its members and, where a program is wrong, whoever else names it."""
        found = np.zeros((len(exchanges), len(self.device_of)), np.bool_)
        for number, exchange in enumerate(exchanges):
            found[number, list(exchange.group)] = True
        for number, program in enumerate(programs):
            named = [step.exchange for step in program if not isinstance(step, Compute)]
            found[named, min(number, self.plan.terminal)] = True
        return found

    def _add_steps(self, steps: list[int], program: Sequence[Step]) -> None:
        known, labels = self._kernels_of, self.labels
        for step in program:
            if isinstance(step, Compute):
                labels.append(step.label)
                number = known.get(id(step.kernels))
                if number is None:
                    number = known[id(step.kernels)] = len(self.kernels)
                    self.kernels.append(step.kernels)
                steps += (at.COMPUTE, number)
            else:
                labels.append("")
                steps += (at.START if type(step) is Start else at.WAIT, step.exchange)

    def _device_cells(self, devices: tuple[Device, ...]) -> Cells:
        """Sections COSTS, HOSTS, COPY_OUT and COPY_IN: of sets of kernels on devices, of hosts, and of copies."""
        found = [self._costs_of(_nameless(device)) for device in devices]
        costs = np.stack([costs for costs, _ in found], axis=1).ravel()
        copies_s = self._copies_of(tuple(map(_nameless, devices)))
        return np.concatenate([costs, *(host for _, host in found), *(one.view(np.int64) for one in copies_s)])

    def _costs(self, device: Device) -> tuple[Cells, Cells]:
        host, costs = Host(device), np.zeros((len(self.kernels), at.COST), np.int64)
        seconds = costs.view(np.float64)
        for number, kernels in enumerate(self.kernels):
            n = len(kernels)
            costs[number, at.COST_N_KERNELS] = n
            seconds[number, at.COST_DURATION_S] = device.compute_s(kernels)
            seconds[number, at.COST_LAUNCH_S] = device.op_overhead_s * n
            if device.is_fed and n:
                seconds[number, at.COST_FED_S] = host.fed_s(kernels, device.dispatch_s)
                after_copy_s = host.fed_s(kernels, device.dispatch_s + device.restart_s / n)
                seconds[number, at.COST_FED_AFTER_COPY_S] = after_copy_s
        fed = np.array([device.dispatch_s, device.restart_s, device.handling_bytes_per_s]).view(np.int64)
        return costs, np.array([device.is_fed, *fed], np.int64)

    def _copies(self, devices: tuple[Device, ...]) -> tuple[Floats, Floats]:
        """Seconds of copying out before each of NUMBERS, and of copying in for each of PARTS."""
        parts = self.sections[at.PARTS].reshape(-1, at.PART)
        copy_out_s, copy_in_s = np.zeros(len(self.sections[at.NUMBERS])), np.zeros(len(parts))
        if any(device.staging_s(1) for device in devices):
            places = iter(range(len(parts)))
            for one in self._prepared(devices):
                for participant, place in zip(self.plan.participants, places, strict=False):
                    begin = parts[place, at.PART_SENDS_FROM]
                    for offset, (copy_s, _) in enumerate(one.sends.get(participant, ())):
                        copy_out_s[begin + offset] = copy_s
                    copy_in_s[place] = one.copy_in_s[participant]
        return copy_out_s, copy_in_s


def _seats(takes_part: NDArray[np.bool_]) -> dict[int, Cells]:
    """One for each participant of each exchange, in their order."""
    taken = np.flatnonzero(takes_part)
    seat_at = np.full(takes_part.size, at.NONE, np.int64)
    seat_at[taken] = np.arange(len(taken))
    first = np.concatenate([[0], np.cumsum(takes_part.sum(axis=1, dtype=np.int64))])
    return {at.SEAT_AT: seat_at, at.FIRST_SEAT: first, at.MEMBERS: taken % takes_part.shape[1]}


@lru_cache(maxsize=1024)
def _nameless(device: Device) -> Device:
    return replace(device, name="")


@dataclass(frozen=True)
class NetworkCells:
    """A network's single values, and its sections by their numbers."""

    medium: int
    overhead_s: float
    latency_s: float
    cut_through: bool
    sections: dict[int, Cells]

    @cached_property
    def like(self) -> tuple[int, ...]:
        """The same for networks whose cells have place in the same memory."""
        return self.medium, *(len(self.sections[section]) for section in NETWORK_SECTIONS)

    @cached_property
    def cells(self) -> Cells:
        """Its sections after each other, as they lie in a memory."""
        return np.concatenate([self.sections[section] for section in NETWORK_SECTIONS])


NETWORK_SECTIONS = range(at.PORTS, at.LINES + 1)


def network_cells(network: Network, n_devices: int) -> NetworkCells:
    """Raises ValueError as `Network.open`."""
    return _of_devices(n_devices)(network)


@lru_cache(maxsize=256)
def _of_devices(n_devices: int) -> Callable[[Network], NetworkCells]:
    return by_identity(lambda network: _network_cells(network, n_devices))


@lru_cache(maxsize=1024)
def _network_cells(network: Network, n_devices: int) -> NetworkCells:
    network.open(Environment(), n_devices, lambda flight: None)
    ports, lines = np.zeros((n_devices, at.PORT)), np.zeros((2 * n_devices, at.LINE))
    found: dict[int, Cells] = {
        at.HOPS: np.zeros(0, np.int64),
        at.ROUTES: np.zeros(0, np.int64),
        at.HOP_LINES: np.zeros(0, np.int64),
    }
    latency_s, cut_through = 0.0, True
    if isinstance(network, Switch):
        medium, latency_s = {"fifo": at.FIFO, "fair": at.FAIR}[network.sharing], network.latency_s
        ports[:, at.PORT_UP_BITS_PER_S] = per_device("up_bits_per_s", network.up_bits_per_s, n_devices)
        ports[:, at.PORT_DOWN_BITS_PER_S] = per_device("down_bits_per_s", network.down_bits_per_s, n_devices)
    elif isinstance(network, SharedRadio):
        medium, latency_s = at.AIR, network.latency_s
        ports[0, at.PORT_UP_BITS_PER_S] = network.bits_per_s
        ports[0, at.PORT_DOWN_BITS_PER_S] = network.broadcast_bits_per_s or network.bits_per_s
        everyone: Sequence[DeviceIndex] = range(n_devices)  # type: ignore[assignment]
        found[at.HOPS] = np.array([network.hops(a, b) for a in everyone for b in everyone], np.int64)
    else:
        assert isinstance(network, Links)
        medium, cut_through = at.LINKS, network.switching == "cut-through"
        number_of = {hop: number for number, hop in enumerate(network.graph.edges)}
        lines = np.zeros((len(number_of), at.LINE))
        for hop, number in number_of.items():
            lines[number, [at.LINE_BITS_PER_S, at.LINE_LATENCY_S]] = network.graph.edges[hop]["line"]
        routes, hop_lines = list[int](), list[int]()
        for source, destination in product(range(n_devices), repeat=2):
            routes.append(len(hop_lines))
            if source != destination:
                hop_lines += [number_of[hop] for hop in network.route(source, destination)]
            routes.append(len(hop_lines))
        found |= {at.ROUTES: np.array(routes, np.int64), at.HOP_LINES: np.array(hop_lines, np.int64)}
    found |= {at.PORTS: ports.ravel().view(np.int64), at.LINES: lines.ravel().view(np.int64)}
    return NetworkCells(medium, network.message_overhead_s, latency_s, cut_through, found)
