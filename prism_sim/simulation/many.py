"""One job on many rigs at once: what a `Simulation` tells, with an array of one value a rig where rigs differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from prism_sim import timing
from prism_sim.plan import Plan
from prism_sim.shares.choice import Kind, ShareChoice, Split, share_choice
from prism_sim.shares.setting import Setting
from prism_sim.simulation.back_to_back import BackToBack, ThroughputMode
from prism_sim.simulation.counted import Counted
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.critical_path import PARTS
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.many import NAMES, Floats, Integers, PlayedMany, dealt_throughputs, play_many, throughputs
from prism_sim.timing.rig import Rig
from prism_sim.timing.same import by_identity

Rows = NDArray[np.int64]
Boards = tuple[timing.Device, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Hardware:
    """Devices and networks, one pair a row; the same objects where they are the same."""

    boards: Sequence[Boards]
    networks: Sequence[timing.Network]

    def taken(self, rows: Rows) -> Hardware:
        return Hardware([self.boards[row] for row in rows], [self.networks[row] for row in rows])


class _Batch:
    """What is asked of one kind of play, each rig once; played when the first answer is wanted."""

    def __init__(self, play: Callable[[Sequence[Rig]], Any], device_of: tuple[int, ...]) -> None:
        self.play, self.device_of = play, cast(tuple[DeviceIndex, ...], device_of)
        self.row_of: dict[tuple[int, int], int] = {}
        self.rigs: list[Rig] = []

    def rows(self, hardware: Hardware) -> Rows:
        """Where the answers for these rigs will be."""
        found = []
        for boards, network in zip(hardware.boards, hardware.networks, strict=True):
            row = self.row_of.setdefault((id(boards), id(network)), len(self.rigs))
            if row == len(self.rigs):
                self.rigs.append(Rig(boards, self.device_of, network))
            found.append(row)
        return np.array(found)

    @cached_property
    def answer(self) -> Any:
        return self.play(self.rigs)


class Plays:
    """Gathers what many questions ask to be played, so that each plan is played once, on all rigs together.

    Rigs are together if they have equally many devices, on which the participants are placed alike.
    """

    def __init__(self) -> None:
        self.batches: dict[tuple[Any, ...], _Batch] = {}

    def once(self, plan: Plan, setting: Setting) -> _Batch:
        return self._batch("once", (plan,), setting, lambda rigs: play_many(plan, rigs))

    def stream(self, plan: Plan, setting: Setting) -> _Batch:
        return self._batch("stream", (plan,), setting, lambda rigs: throughputs(plan, rigs))

    def dealt(self, turns: tuple[Plan, ...], setting: Setting) -> _Batch:
        return self._batch("dealt", turns, setting, lambda rigs: dealt_throughputs(turns, rigs))

    def _batch(self, how: str, plans: tuple[Plan, ...], setting: Setting, play: Any) -> _Batch:
        where = setting.device_of, len(setting.devices)
        key = (how, tuple(map(id, plans)), *where)  # a plan's hash is long, and equal jobs share their plan
        return self.batches.setdefault(key, _Batch(play, setting.device_of))


@dataclass(frozen=True, eq=False)
class _Column:
    """The rows of a batch that belong to a question."""

    batch: _Batch
    rows: Rows

    @property
    def values(self) -> Any:
        return self.batch.answer[self.rows]


@dataclass(frozen=True, eq=False)
class Asked:
    """A job on many rigs, to be played: its split on the first of them, and where the answers will be.

    paces: split and, where requests may be dealt in turn, so; even: of the same job under an even split; may_choose:
    whether requests could be dealt in turn at all, if there were room.
    """

    split: Split
    hardware: Hardware
    once: _Column
    paces: tuple[_Column, ...] = ()
    even: _Column | None = None
    may_choose: bool = False

    @staticmethod
    def of(split: Split, hardware: Hardware, plays: Plays, beside: bool = False) -> Asked:
        """beside: something is only compared with it, so that its latency is enough."""

        def column(batch: _Batch) -> _Column:
            return _Column(batch, batch.rows(hardware))

        setting, plan = split.setting, split.setting.plan
        once = column(plays.once(plan, setting))
        if beside:
            return Asked(split, hardware, once)
        back_to_back = BackToBack(setting, plan)
        paces = [column(plays.stream(plan, setting))]
        if back_to_back.turns and back_to_back.turns_fit:
            paces.append(column(plays.dealt(back_to_back.turns, setting)))
        uneven = split.kind is not None and setting.job.options.shares is not None
        even = column(plays.once(setting.shared(None).plan, setting)) if uneven else None
        return Asked(split, hardware, once, tuple(paces), even, bool(back_to_back.turns))

    @property
    def latency_s(self) -> Floats:
        return cast(PlayedMany, self.once.batch.answer).latency_s[self.once.rows]

    @property
    def algorithms(self) -> NDArray[np.int8]:
        """(rigs, exchanges), as `PlayedMany`."""
        return cast(PlayedMany, self.once.batch.answer).algorithms[self.once.rows]

    @property
    def paces_per_s(self) -> tuple[Floats, ...]:
        return tuple(pace.values for pace in self.paces)

    def taken(self, rows: Rows) -> Asked:
        """On these rigs alone."""

        def column(one: _Column) -> _Column:
            return _Column(one.batch, one.rows[rows])

        return replace(
            self,
            hardware=self.hardware.taken(rows),
            once=column(self.once),
            paces=tuple(map(column, self.paces)),
            even=None if self.even is None else column(self.even),
        )

    def played(self, mode: ThroughputMode | None = None) -> ManySimulations:
        """mode: the better way, which is the same on all of these rigs, as are the algorithms."""
        setting = self.split.setting
        timeline = cast(timing.Timeline, ManyTimelines(self.once.batch.answer, self.once.rows))
        return ManySimulations(setting, setting.plan, timeline, self.split.kind, asked=self, mode=mode)


@dataclass(frozen=True, eq=False)
class ManyTimelines:
    """What a `Timeline` tells, each figure an array with a value a rig."""

    played: PlayedMany
    rows: Rows

    @property
    def latency_s(self) -> Floats:
        return self.played.latency_s[self.rows]

    @cached_property
    def breakdown_s(self) -> dict[str, Floats]:
        return dict(zip(PARTS, self.played.breakdown_s[self.rows].T, strict=True))

    @cached_property
    def participant_busy_s(self) -> Floats:
        return self.played.participant_busy_s[self.rows].T

    @cached_property
    def busy_s(self) -> Floats:
        return self.played.device_busy_s[self.rows].T

    @cached_property
    def wait_s(self) -> Floats:
        return self.played.wait_s[self.rows].T

    @cached_property
    def sent_bytes(self) -> Integers:
        return self.played.sent_bytes[self.rows].T

    @cached_property
    def received_bytes(self) -> Integers:
        return self.played.received_bytes[self.rows].T

    @cached_property
    def air_s(self) -> Floats:
        return self.played.air_s[self.rows].T


def _count(split: Split) -> Counted:
    return Counted(split.setting, split.setting.plan)


_counted = by_identity(_count, most=256)


@dataclass(frozen=True, eq=False)
class ManySimulations(Simulation):
    """setting: on the first rig; memory, and which powers are stated, are the same on all."""

    asked: Asked = None  # type: ignore[assignment]  # the fields before have defaults, this has none
    mode: ThroughputMode | None = None

    @property
    def counted(self) -> Counted:
        return _counted(self.asked.split)

    @cached_property
    def shares(self) -> ShareChoice | None:
        even = self.asked.even
        if even is None:
            return share_choice(self.setting, self.share_kind, self.latency_s)
        return ShareChoice(
            cast(Kind, self.share_kind),
            self.job.options.shares,
            self.setting.sizes(self.job.options.shares),
            self.latency_s,
            even.batch.answer.latency_s[even.rows],
        )

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        return tuple(NAMES[code] for code in self.asked.algorithms[0])

    @property
    def throughput_per_s(self) -> Any:
        paces = self.asked.paces_per_s
        return paces[self.mode == "in turn"]

    @property
    def throughput_mode(self) -> ThroughputMode | None:
        return self.mode

    @cached_property
    def energy_j(self) -> tuple[Any, ...]:
        taking_part = set(self.device_of)
        return tuple(
            None if device not in taking_part or one.idle_w is None or one.busy_w is None else self._energy_j(device)
            for device, one in enumerate(self.devices)
        )

    def _energy_j(self, device: int) -> Floats:
        """As `timing.energy_j`."""
        timeline = cast(ManyTimelines, self.timeline)
        boards = [boards[device] for boards in self.asked.hardware.boards]
        idle_w = np.array([one.idle_w for one in boards], dtype=np.float64)
        busy_w = np.array([one.busy_w for one in boards], dtype=np.float64)
        radio_w = np.array([one.radio_w or 0 for one in boards], dtype=np.float64)
        running_j = idle_w * timeline.latency_s + (busy_w - idle_w) * timeline.busy_s[device]
        return cast(Floats, running_j + radio_w * timeline.air_s[device])
