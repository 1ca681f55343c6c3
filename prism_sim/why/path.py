"""The critical path as a reader takes it in: stretches, the stages that they make up, and the heaviest of them."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import fsum
from typing import NamedTuple

from prism_sim.timing import Timeline
from prism_sim.timing.critical_path import Segment
from prism_sim.timing.storage import STORAGE, storage_apart

MOST_STAGES = 16  # rows that one still reads
ALIKE = 0.02  # neighbouring stages that differ less than this in length are shown as one

_NUMBERED = re.compile(r"(?P<name>.*?) (?P<number>\d+)(?P<rest>: .*)?")


class Stretch(NamedTuple):
    """Consecutive segments of the path with one part, participant and label.

    participant: who works or, for bytes, who sends them; destination: who receives these, None for work.
    """

    part: str
    participant: int
    destination: int | None
    label: str
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Stage:
    """Consecutive stretches of one step, such as a block, or of several alike. participants: in order of appearance."""

    label: str
    participants: tuple[int, ...]
    parts_s: dict[str, float]

    @property
    def length_s(self) -> float:
        return fsum(self.parts_s.values())


@dataclass(frozen=True)
class Load:
    """All stretches of the path that do the same between the same participants. n_steps: in how many blocks, say."""

    part: str
    participant: int
    destination: int | None
    label: str
    length_s: float
    n_steps: int


def stretches(timeline: Timeline, reading: Container[tuple[int, str]] = ()) -> tuple[Stretch, ...]:
    """The critical path from 0 s to the latency; neighbours differ in part, participants or label.

    reading: participants and labels of the computing that waits for storage, which is a part of its own.
    """
    flights = timeline.log.flights

    def kind(segment: Segment) -> tuple[str, int, int | None, str]:
        to = None if segment.message is None else flights[segment.message].message.destination
        reads = segment.part == "compute" and (segment.participant, segment.label) in reading
        return STORAGE if reads else segment.part, segment.participant, to, segment.label

    found = []
    for key, run in groupby(timeline.critical_path, key=kind):
        segments = list(run)
        found.append(Stretch(*key, start_s=segments[0].start_s, end_s=segments[-1].end_s))
    return tuple(found)


def parts_s(breakdown_s: Mapping[str, float], path: Sequence[Stretch]) -> dict[str, float]:
    """Of a path whose parts these are: the same, what waits for storage taken from computing."""
    return storage_apart(breakdown_s, fsum(stretch.length_s for stretch in path if stretch.part == STORAGE))


def stages(path: Sequence[Stretch]) -> tuple[Stage, ...]:
    """The path step by step; neighbouring blocks that take equally long are one stage, all of them if need be."""
    steps = [_Run.of(list(run)) for _, run in groupby(path, key=lambda stretch: stretch.label.partition(": ")[0])]
    runs = _joined(steps, ALIKE)
    if len(runs) > MOST_STAGES:
        runs = _joined(steps, float("inf"))
    if len(runs) > MOST_STAGES:  # steps take turns, as micro-batches do: what has the same name is one stage
        named: dict[str, list[_Run]] = {}
        for run in steps:
            named.setdefault(run.name, []).append(run)
        runs = [_Run.joined(alike) for alike in named.values()]
    return tuple(run.stage() for run in runs)


def loads(path: Sequence[Stretch]) -> tuple[Load, ...]:
    """What the path is made of, the longest first."""
    found: dict[tuple[str, int, int | None, str, str], list[Stretch]] = {}
    for stretch in path:
        name, _, rest = _parsed(stretch.label)
        key = (stretch.part, stretch.participant, stretch.destination, name, rest)
        found.setdefault(key, []).append(stretch)
    made = [
        Load(
            part=part,
            participant=participant,
            destination=destination,
            label=_label(name, (_parsed(stretch.label)[1] for stretch in alike), rest),
            length_s=fsum(stretch.length_s for stretch in alike),
            n_steps=len({stretch.label for stretch in alike}),
        )
        for (part, participant, destination, name, rest), alike in found.items()
    ]
    return tuple(sorted(made, key=lambda load: -load.length_s))


@dataclass
class _Run:
    """Steps of one name under way to a stage."""

    name: str
    numbers: list[int]
    pieces: list[Stretch]
    step_lengths_s: list[float] = field(default_factory=list)

    @staticmethod
    def of(pieces: list[Stretch]) -> _Run:
        name, number, _ = _parsed(pieces[0].label)
        length_s = pieces[-1].end_s - pieces[0].start_s
        return _Run(name, [] if number is None else [number], pieces, [length_s])

    @staticmethod
    def joined(runs: Sequence[_Run]) -> _Run:
        return _Run(
            runs[0].name,
            [number for run in runs for number in run.numbers],
            [piece for run in runs for piece in run.pieces],
            [length_s for run in runs for length_s in run.step_lengths_s],
        )

    def goes_on_with(self, other: _Run, alike: float) -> bool:
        if self.name != other.name or not self.numbers or other.numbers != [self.numbers[-1] + 1]:
            return False
        mine, its = self.step_lengths_s[0], other.step_lengths_s[0]
        return abs(mine - its) <= alike * max(mine, its)

    def stage(self) -> Stage:
        parts = dict.fromkeys(piece.part for piece in self.pieces)
        return Stage(
            label=_label(self.name, self.numbers, ""),
            participants=tuple(dict.fromkeys(piece.participant for piece in self.pieces)),
            parts_s={part: fsum(p.length_s for p in self.pieces if p.part == part) for part in parts},
        )


def _joined(steps: Sequence[_Run], alike: float) -> list[_Run]:
    runs: list[_Run] = []
    for step in steps:
        if runs and runs[-1].goes_on_with(step, alike):
            runs[-1] = _Run.joined([runs[-1], step])
        else:
            runs.append(step)
    return runs


def _parsed(label: str) -> tuple[str, int | None, str]:
    """'block 3: summary' -> ('block', 3, ': summary'); ('input', None, '') where there is no number."""
    match = _NUMBERED.fullmatch(label)
    return (match["name"], int(match["number"]), match["rest"] or "") if match else (label, None, "")


def _label(name: str, numbers: Iterable[int | None], rest: str) -> str:
    """'block 0-11: summary'; gaps are not shown."""
    known = [number for number in numbers if number is not None]
    if not known:
        return f"{name}{rest}"
    first, last = min(known), max(known)
    return f"{name} {first}{rest}" if first == last else f"{name} {first}-{last}{rest}"
