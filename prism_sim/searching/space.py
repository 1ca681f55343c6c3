"""The points of a sweep as a space to move in: which are neighbours, and which of them ask the same."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from random import Random

from prism_sim.scenario import Group
from prism_sim.searching.goals import is_number
from prism_sim.sweeping.points import Grid

Point = tuple[int, ...]  # a place along each dimension


@dataclass(frozen=True)
class Dimension:
    """Fields that vary together. order: steps of the sweep by place; ordered: whether near places are alike."""

    name: str
    order: tuple[int, ...]
    ordered: bool

    @property
    def last(self) -> int:
        return len(self.order) - 1

    def beside(self, place: int) -> Iterator[int]:
        """The next places up and down; where there is no order, all others."""
        near = (place - 1, place + 1) if self.ordered else range(len(self.order))
        yield from (other for other in near if other != place and 0 <= other <= self.last)


@dataclass(frozen=True)
class Space:
    """dimensions: one for each group of the sweep. task_of: by number of a point, the task that answers it."""

    dimensions: tuple[Dimension, ...]
    task_of: tuple[int, ...]

    @staticmethod
    def of(grid: Grid) -> Space:
        return Space(tuple(_dimension(group) for group in grid.groups), grid.task_of)

    @cached_property
    def tasks(self) -> tuple[int, ...]:
        """Distinct ones; a task's number is that of its first point."""
        return tuple(sorted(set(self.task_of)))

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """The last dimension varies fastest."""
        sizes = [len(dimension.order) for dimension in self.dimensions]
        return tuple(prod(sizes[place + 1 :]) for place in range(len(sizes)))

    def task(self, point: Point) -> int:
        steps = (dimension.order[place] for dimension, place in zip(self.dimensions, point, strict=True))
        return self.task_of[sum(step * stride for step, stride in zip(steps, self.strides, strict=True))]

    def point(self, number: int) -> Point:
        """Of the point with this number."""
        along = zip(self.dimensions, self.strides, strict=True)
        return tuple(one.order.index(number // stride % len(one.order)) for one, stride in along)

    def neighbours(self, point: Point) -> Iterator[Point]:
        """Points that differ along one dimension, by as little as can be."""
        for number, dimension in enumerate(self.dimensions):
            for place in dimension.beside(point[number]):
                yield (*point[:number], place, *point[number + 1 :])

    def unseen_near(self, point: Point, seen: Set[int], rng: Random) -> Point:
        """The point itself or one near it whose task is not among `seen`; there must be such a task."""
        ring = [point]
        for _ in range(3):
            unseen = [one for one in ring if self.task(one) not in seen]
            if unseen:
                return rng.choice(unseen)
            ring = list(dict.fromkeys(near for one in ring for near in self.neighbours(one)))
        return self.point(rng.choice([task for task in self.tasks if task not in seen]))


def _dimension(group: Group) -> Dimension:
    """In the order of its numbers if they are numbers that grow or fall together, else as it is written."""
    steps = range(len(group[0].values))
    numbers = [axis.numbers for axis in group]
    if not all(is_number(value) for axis in numbers for value in axis):
        return Dimension(_name(group), tuple(steps), ordered=False)
    order = tuple(sorted(steps, key=lambda step: numbers[0][step]))
    alike = all(_is_monotone([axis[step] for step in order]) for axis in numbers)
    return Dimension(_name(group), order, alike)


def _name(group: Group) -> str:
    return ", ".join(axis.field for axis in group)


def _is_monotone(values: list[float]) -> bool:
    return all(one <= other for one, other in pairwise(values)) or all(one >= other for one, other in pairwise(values))
