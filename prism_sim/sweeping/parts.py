"""Points resolved by parts: what many of them say alike is read once.

A point changes fields of its hardware (devices, who asks, who takes part), of its network, and of its job (all else).
Each is resolved with the first point that has it; for the next it is at hand. What a job may say turns on how many
devices take part, and the like, so it is known per kind of hardware (`HardwareKind`), and so is a network that names
devices; any network by the overhead of a message that its devices state. What is refused is resolved point by point,
as each says where it is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import count
from typing import Any, NamedTuple

from prism_sim import timing
from prism_sim.devices import kinds_of
from prism_sim.scenario import DeviceSpec, NetworkSpec, Scenario, ScenarioError
from prism_sim.scenario.hardware import slowest_sender
from prism_sim.scenario.scenario import hash_of
from prism_sim.shares.choice import Split
from prism_sim.simulation import hardware
from prism_sim.simulation.back_to_back import fits
from prism_sim.simulation.many import Boards
from prism_sim.simulation.simulate import split_of
from prism_sim.strategies import AUTO
from prism_sim.sweeping.points import Overrides

MOST_KNOWN = 10_000  # parts, before all are forgotten
HARDWARE, NETWORK, JOB = "hardware", "network", "job"
PART_OF = {"devices": HARDWARE, "terminal": HARDWARE, "ranks": HARDWARE, "network": NETWORK}
RENAMING = "presets"  # a field that changes what the names in others mean

PartKey = tuple[tuple[str, str], ...]


class HardwareKind(NamedTuple):
    """What a network, a job and the shape of an answer depend on of the hardware, its speed aside.

    states_rates: whether each device has rates of its own with weights in groups, by type.
    """

    names: tuple[str, ...]
    runtimes: tuple[str | None, ...]
    states_rates: tuple[tuple[bool, ...], ...]
    memory_bytes: tuple[int | None, ...]
    states_powers: tuple[bool, ...]
    has_storage: tuple[bool, ...]
    terminal: int
    ranks: tuple[int, ...]
    ranks_given: bool


class PlayedBoards(NamedTuple):
    """kinds: the first of each kind of device, of which one alone is compared."""

    boards: Boards
    kinds: tuple[int, ...]


@dataclass(eq=False)
class HardwarePart:
    """Devices as a point has them, on hardware of the kind with this number.

    overhead_s: of a message, which is the network's where it states none itself.
    """

    kind: int
    overhead_s: float | None
    devices: tuple[DeviceSpec, ...]
    texts: dict[str, str]
    played: dict[tuple[str, str | None], PlayedBoards] = field(default_factory=dict)

    def boards(self, dtype: str, weight_dtype: str | None) -> PlayedBoards:
        """As they play in these element types; the same object whenever it is asked for."""
        if (types := (dtype, weight_dtype)) not in self.played:
            boards = hardware.boards(self.devices, dtype, weight_dtype)
            kinds = kinds_of(dict(enumerate(boards)))
            self.played[types] = PlayedBoards(boards, tuple(alike[0] for alike in kinds))
        return self.played[types]


@dataclass(eq=False)
class NetworkPart:
    """A network as a point has it."""

    spec: NetworkSpec
    texts: dict[str, str]

    @cached_property
    def network(self) -> timing.Network:
        return hardware.network(self.spec)


class Compared(NamedTuple):
    """A job as it is split, and Voltage beside it; None where that is no comparison."""

    own: Split
    voltage: Split | None

    @staticmethod
    def of(scenario: Scenario) -> Compared:
        """As `choice.run` compares. Raises ValueError where that does."""
        own = split_of(scenario)
        return Compared(own, _voltage(scenario, own))


@dataclass(eq=False)
class PartialJob:
    """A job on one kind of hardware. scenario: the first point that has it, on which rules are checked."""

    scenario: Scenario
    kind: HardwareKind
    texts: dict[str, str]
    splits_alone: dict[int, Split] = field(default_factory=dict)

    @cached_property
    def compared(self) -> Compared | None:
        """None where it turns on more than the kind of hardware, or cannot be had: each point then tells itself."""
        scenario = self.scenario
        if scenario.workload.new_tokens:  # steps are played beside the plan
            return None
        if any(self.kind.has_storage):  # what is streamed turns on its rate and each split
            return None
        if scenario.strategy.name == AUTO.name or isinstance(scenario.written.strategy_fields.get("shares"), str):
            return None
        try:
            compared = Compared.of(scenario)
        except ValueError:
            return None
        return compared if fits(compared.own.setting) else None

    def alone(self, device: int) -> Split:
        """Of its job on one device, with the terminal where it is; the same object whenever it is asked for."""
        if device not in self.splits_alone:
            assert self.compared is not None
            setting = self.compared.own.setting
            job, where = setting.job.alone(), (device, self.kind.terminal)
            self.splits_alone[device] = Split(replace(setting, job=job, device_of=where), None)
        return self.splits_alone[device]


class Resolved(NamedTuple):
    """A point by its parts."""

    key: Any
    overrides: Overrides
    job: PartialJob
    hardware: HardwarePart
    network: NetworkPart

    @property
    def played(self) -> PlayedBoards:
        assert self.job.compared is not None
        job = self.job.compared.own.setting.job
        return self.hardware.boards(job.dtype, job.weight_dtype)

    @property
    def hash(self) -> str:
        """As `Scenario.hash`."""
        return hash_of(self.job.texts | self.hardware.texts | self.network.texts)


@dataclass(eq=False)
class Parts:
    """The parts of a sweep's points that are known so far. n_whole: how many points were resolved as a whole."""

    base: Scenario
    kinds: dict[HardwareKind, int] = field(default_factory=dict)
    boards: dict[PartKey, HardwarePart] = field(default_factory=dict)
    networks: dict[tuple[int | None, float | None, PartKey], NetworkPart] = field(default_factory=dict)
    jobs: dict[tuple[int, PartKey], PartialJob] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    n_whole: int = 0

    def resolve(self, key: Any, overrides: Overrides) -> Resolved | None:
        """None for a point that changes what its own words mean. Raises ScenarioError as `Scenario.with_overrides`."""
        if any(path.startswith(RENAMING) for path in overrides):
            return None
        named = _parts(overrides)
        boards = self.boards.get(named[HARDWARE])
        if boards is not None:
            on_any, on_this = ((kind, boards.overhead_s, named[NETWORK]) for kind in (None, boards.kind))
            network = self.networks.get(on_any) or self.networks.get(on_this)
            job = self.jobs.get((boards.kind, named[JOB]))
            if network is not None and job is not None:
                return Resolved(key, overrides, job, boards, network)
        return self._whole(key, overrides, named)

    def _whole(self, key: Any, overrides: Overrides, named: dict[str, PartKey]) -> Resolved:
        """And remembers its parts."""
        self.n_whole += 1
        scenario = self.base.with_overrides(overrides)
        texts = scenario.content_texts
        kind = kind_of(scenario)
        if len(self.boards) + len(self.networks) + len(self.jobs) > MOST_KNOWN:
            for known in (self.kinds, self.boards, self.networks, self.jobs):
                known.clear()
        number = self.kinds.setdefault(kind, next(self.numbers))
        names_devices = scenario.network.access_point is not None or bool(scenario.network.links)

        def of(part: str) -> dict[str, str]:
            return {section: text for section, text in texts.items() if part_of(section) == part}

        sender = slowest_sender(scenario.devices, {scenario.terminal, *scenario.ranks})
        overhead_s = None if sender is None else sender.message_overhead_s
        boards = HardwarePart(number, overhead_s, scenario.devices, of(HARDWARE))
        where = number if names_devices else None, overhead_s, named[NETWORK]
        return Resolved(
            key,
            overrides,
            self.jobs.setdefault((number, named[JOB]), PartialJob(scenario, kind, of(JOB))),
            self.boards.setdefault(named[HARDWARE], boards),
            self.networks.setdefault(where, NetworkPart(scenario.network, of(NETWORK))),
        )


def _voltage(scenario: Scenario, own: Split) -> Split | None:
    job = own.setting.job
    if job.strategy == "voltage":
        return own
    try:
        return split_of(scenario, "voltage") if job.n_ranks > 1 else None
    except ScenarioError:  # the chosen strategy fits, so this is no fault of the scenario
        return None


def kind_of(scenario: Scenario) -> HardwareKind:
    devices = scenario.devices
    return HardwareKind(
        names=tuple(device.name for device in devices),
        runtimes=tuple(device.runtime for device in devices),
        states_rates=tuple((one.q8_0_flops_per_s is not None, one.q4_0_flops_per_s is not None) for one in devices),
        memory_bytes=tuple(device.memory_bytes for device in devices),
        states_powers=tuple(device.idle_w is not None and device.busy_w is not None for device in devices),
        has_storage=tuple(device.storage_bytes_per_s is not None for device in devices),
        terminal=scenario.terminal,
        ranks=scenario.ranks,
        ranks_given=scenario.written.ranks_given,
    )


def _parts(overrides: Overrides) -> dict[str, PartKey]:
    named: dict[str, list[tuple[str, str]]] = {HARDWARE: [], NETWORK: [], JOB: []}
    for path, value in overrides.items():
        named[part_of(path)].append((path, repr(value)))
    return {part: tuple(fields) for part, fields in named.items()}


@lru_cache(maxsize=1024)
def part_of(path: str) -> str:
    """'network.links[0].up' -> 'network'."""
    return PART_OF.get(re.split(r"[.\[]", path, maxsplit=1)[0], JOB)
